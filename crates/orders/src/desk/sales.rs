//! Which of the latest orders had a product.

use chrono::{DateTime, Utc};
use db::CachedDsl;
use diesel::sql_types::{BigInt, Bool, Integer, Text, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::order::Status;

/// A line of an order.
#[derive(Debug, Clone, PartialEq, Eq, diesel::QueryableByName)]
pub struct Sale {
    /// The order.
    #[diesel(sql_type = BigInt)]
    pub order_id: i64,
    /// Where it stands.
    #[diesel(sql_type = Text)]
    pub status: Status,
    /// Units that were asked for.
    #[diesel(sql_type = Integer)]
    pub quantity: i32,
    /// When.
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
}

/// Whether any order names this product. Takes as long as deleting the product does, which has to find that out too.
///
/// # Errors
/// Those of the database.
pub async fn names(mut conn: &AsyncPgConnection, product_id: i64) -> Result<bool, db::Error> {
    #[derive(diesel::QueryableByName)]
    struct Named {
        #[diesel(sql_type = Bool)]
        is_named: bool,
    }
    let named = diesel::sql_query("SELECT EXISTS (SELECT FROM order_items WHERE product_id = $1) AS is_named");
    let named: Named = named.bind::<BigInt, _>(product_id).get_result(&mut conn).await?;
    Ok(named.is_named)
}

/// Lines with this product among the latest 2,000 orders of a store, newest first. Older ones are not looked for:
/// nothing on the path of orders keeps an index of lines by product.
///
/// # Errors
/// Those of the database.
pub async fn sales(
    mut conn: &AsyncPgConnection,
    store_id: i64,
    product_id: i64,
    limit: i64,
) -> Result<Vec<Sale>, db::Error> {
    Ok(diesel::sql_query(
        "SELECT latest.id AS order_id, latest.status, sold.quantity_requested AS quantity, latest.created_at \
         FROM (SELECT id, status, created_at FROM orders WHERE store_id = $1 \
               ORDER BY created_at DESC, id DESC LIMIT 2000) AS latest \
         CROSS JOIN LATERAL ( \
             SELECT quantity_requested FROM order_items \
             WHERE store_id = $1 AND order_id = latest.id AND product_id = $2 OFFSET 0) AS sold \
         ORDER BY latest.created_at DESC, latest.id DESC LIMIT $3",
    )
    .bind::<BigInt, _>(store_id)
    .bind::<BigInt, _>(product_id)
    .bind::<BigInt, _>(limit)
    .cached()
    .load(&mut conn)
    .await?)
}
