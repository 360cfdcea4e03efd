//! Reading stock, for those who look after it.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use db::{CachedDsl, Rows, Seek};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::{Filter, Place, Stocked, page};
use crate::schema::{inventory, stock_adjustments, stores};

/// A page of what the store carries and `filter` lets through; its category is one's id. Nothing is counted, and so many
/// products are looked at as take a moment: where these do not fill the page, the place where the look ended comes with
/// it.
///
/// # Errors
/// Those of the database.
pub async fn browse(
    conn: &AsyncPgConnection,
    store_id: i64,
    filter: &Filter,
    seek: &Seek<Place>,
    size: usize,
) -> Result<(Rows<Stocked>, Option<Place>), db::Error> {
    let category = filter.category.as_deref().map(|id| id.parse().unwrap_or(0));
    let among = page::Among::new(store_id, filter, category);
    let from = match seek {
        Seek::Skip(_) => (String::new(), i64::MIN),
        Seek::After(place) | Seek::Before(place) => place.clone(),
    };
    let (fetched, reached) = among.browse(conn, from, seek.is_backward(), size + 1).await?;
    let mut rows = Rows::new(fetched, size, seek);
    rows.more |= reached.is_some();
    Ok((rows, reached))
}

/// What a store has of a product; `None` where it does not carry it.
///
/// # Errors
/// Those of the database.
pub async fn quantity(mut conn: &AsyncPgConnection, store_id: i64, product_id: i64) -> Result<Option<i32>, db::Error> {
    let row = inventory::table.find((store_id, product_id)).select(inventory::quantity);
    Ok(row.first(&mut conn).await.optional()?)
}

/// What a store has of these products; those that it does not carry are left out.
///
/// # Errors
/// Those of the database.
pub async fn quantities(
    mut conn: &AsyncPgConnection,
    store_id: i64,
    product_ids: &[i64],
) -> Result<HashMap<i64, i32>, db::Error> {
    let rows = inventory::table
        .filter(inventory::store_id.eq(store_id))
        .filter(inventory::product_id.eq_any(product_ids))
        .select((inventory::product_id, inventory::quantity));
    Ok(rows.load::<(i64, i32)>(&mut conn).await?.into_iter().collect())
}

/// How many products a store carries, counted up to `most`.
///
/// # Errors
/// Those of the database.
pub async fn count_carried(mut conn: &AsyncPgConnection, store_id: i64, most: i64) -> Result<i64, db::Error> {
    let carried = inventory::table.filter(inventory::store_id.eq(store_id)).select(inventory::product_id).limit(most);
    Ok(carried.load::<i64>(&mut conn).await?.len().try_into().unwrap_or(most))
}

/// A store that carries a product.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct Carried {
    /// Id of the store.
    pub store_id: i64,
    /// Its name.
    pub store: String,
    /// Units on hand.
    pub quantity: i32,
}

/// How many stores carry a product.
///
/// # Errors
/// Those of the database.
pub async fn count_carrying(mut conn: &AsyncPgConnection, product_id: i64) -> Result<i64, db::Error> {
    Ok(inventory::table.filter(inventory::product_id.eq(product_id)).count().get_result(&mut conn).await?)
}

/// The stores that carry a product, by id, at most `limit` of them.
///
/// # Errors
/// Those of the database.
pub async fn carrying(mut conn: &AsyncPgConnection, product_id: i64, limit: i64) -> Result<Vec<Carried>, db::Error> {
    Ok(inventory::table
        .inner_join(stores::table)
        .filter(inventory::product_id.eq(product_id))
        .order_by(inventory::store_id)
        .limit(limit)
        .select((inventory::store_id, stores::name, inventory::quantity))
        .load(&mut conn)
        .await?)
}

/// A movement of stock that is no order.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = stock_adjustments, check_for_backend(Pg))]
pub struct Adjustment {
    /// Units that came (positive) or went (negative).
    pub delta: i32,
    /// Why.
    pub reason: String,
    /// Who did it.
    pub actor: String,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// The latest adjustments of what a store has of a product, newest first.
///
/// # Errors
/// Those of the database.
pub async fn adjustments(
    mut conn: &AsyncPgConnection,
    store_id: i64,
    product_id: i64,
    limit: i64,
) -> Result<Vec<Adjustment>, db::Error> {
    Ok(stock_adjustments::table
        .filter(stock_adjustments::store_id.eq(store_id).and(stock_adjustments::product_id.eq(product_id)))
        .order_by(stock_adjustments::id.desc())
        .limit(limit)
        .select(Adjustment::as_select())
        .load(&mut conn)
        .await?)
}

/// The number of the latest adjustment of each of these products in a store; 0 where there was none. Orders are no
/// adjustments.
///
/// # Errors
/// Those of the database.
pub async fn last_adjustments(
    mut conn: &AsyncPgConnection,
    store_id: i64,
    product_ids: &[i64],
) -> Result<HashMap<i64, i64>, db::Error> {
    #[derive(QueryableByName)]
    struct Last {
        #[diesel(sql_type = BigInt)]
        product_id: i64,
        #[diesel(sql_type = BigInt)]
        last: i64,
    }
    let found: Vec<Last> = diesel::sql_query(
        "SELECT product_id, coalesce(last.id, 0) AS last FROM unnest($2) AS asked (product_id) \
         LEFT JOIN LATERAL ( \
             SELECT id FROM stock_adjustments \
             WHERE store_id = $1 AND stock_adjustments.product_id = asked.product_id \
             ORDER BY id DESC LIMIT 1) AS last ON true",
    )
    .bind::<BigInt, _>(store_id)
    .bind::<Array<BigInt>, _>(product_ids)
    .cached()
    .load(&mut conn)
    .await?;
    Ok(found.into_iter().map(|row| (row.product_id, row.last)).collect())
}

/// Stock that runs out.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Scarce {
    /// Id of the store.
    #[diesel(sql_type = BigInt)]
    pub store_id: i64,
    /// Its name.
    #[diesel(sql_type = Text)]
    pub store: String,
    /// Id of the product.
    #[diesel(sql_type = BigInt)]
    pub product_id: i64,
    /// Its title.
    #[diesel(sql_type = Text)]
    pub title: String,
    /// Units on hand.
    #[diesel(sql_type = Integer)]
    pub quantity: i32,
}

/// What stores have at most `most` units of, the least first, at most `limit` rows. Looks at the whole inventory, which
/// takes as long as it is large: nothing on the path of orders keeps an index of quantities.
///
/// # Errors
/// Those of the database.
pub async fn scarce(mut conn: &AsyncPgConnection, most: i32, limit: i64) -> Result<Vec<Scarce>, db::Error> {
    Ok(diesel::sql_query(
        "WITH least AS MATERIALIZED (SELECT * FROM inventory WHERE quantity <= $1 ORDER BY quantity LIMIT $2) \
         SELECT least.store_id, stores.name AS store, least.product_id, products.title, least.quantity \
         FROM least JOIN stores ON stores.id = least.store_id JOIN products ON products.id = least.product_id \
         ORDER BY least.quantity, products.title",
    )
    .bind::<Integer, _>(most)
    .bind::<BigInt, _>(limit)
    .cached()
    .load(&mut conn)
    .await?)
}
