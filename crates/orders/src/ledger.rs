//! The ledger: for every row of the inventory, quantity = adjustments − lines of confirmed orders. Here it is proved;
//! nothing is ever repaired.

use chrono::{DateTime, Utc};
use db::Database;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;

/// What a proof found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// Rows of the inventory, and pairs of store and product that moved without having one.
    pub checked: i64,
    /// Those that do not add up, by store and product.
    pub drifted: Vec<Drift>,
}

/// A product of a store whose stock is not what the ledger says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// The store.
    pub store_id: i64,
    /// The product.
    pub product_id: i64,
    /// Units that the inventory says are on hand; `None` if it has no such row.
    pub quantity: Option<i64>,
    /// Units that adjustments and orders account for.
    pub accounted: i64,
}

/// Something that moved the stock of a product, or was meant to.
#[derive(Debug, Clone, PartialEq, Eq, diesel::QueryableByName)]
pub struct Movement {
    /// When.
    #[diesel(sql_type = Timestamptz)]
    pub at: DateTime<Utc>,
    /// Units that came (positive) or went (negative); 0 for the line of an order that was cancelled.
    #[diesel(sql_type = BigInt)]
    pub delta: i64,
    /// What the ledger accounts for after it.
    #[diesel(sql_type = BigInt)]
    pub balance: i64,
    /// The reason of an adjustment, or `order`.
    #[diesel(sql_type = Text)]
    pub reason: String,
    /// Who adjusted, or the order's number and status.
    #[diesel(sql_type = Text)]
    pub by: String,
}

#[derive(diesel::QueryableByName)]
struct Checked {
    #[diesel(sql_type = BigInt)]
    checked: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    store_id: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    product_id: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    quantity: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    accounted: Option<i64>,
}

impl Checked {
    /// The row that drifted; `None` in the one row that there is when none did.
    fn drift(self) -> Option<Drift> {
        let Self { store_id, product_id, quantity, accounted, .. } = self;
        Some(Drift { store_id: store_id?, product_id: product_id?, quantity, accounted: accounted? })
    }
}

/// Checks every row of one store, or of all of them, in one pass over one snapshot: orders may go on meanwhile.
///
/// # Errors
/// Those of the database.
pub async fn verify(database: &Database, store_id: Option<i64>) -> Result<Proof, db::Error> {
    let mut conn = database.connection().await?;
    let rows: Vec<Checked> = diesel::sql_query(
        "WITH moved AS ( \
             SELECT store_id, product_id, sum(delta)::bigint AS accounted FROM ( \
                 SELECT store_id, product_id, delta::bigint FROM stock_adjustments WHERE store_id BETWEEN $1 AND $2 \
                 UNION ALL \
                 SELECT order_items.store_id, product_id, -quantity_requested::bigint \
                 FROM order_items JOIN orders ON (orders.store_id, orders.id) = (order_items.store_id, order_id) \
                 WHERE orders.status = 'CONFIRMED' AND order_items.store_id BETWEEN $1 AND $2) AS movements \
             GROUP BY store_id, product_id), \
         compared AS MATERIALIZED ( \
             SELECT store_id, product_id, quantity::bigint, coalesce(accounted, 0) AS accounted \
             FROM (SELECT * FROM inventory WHERE store_id BETWEEN $1 AND $2) AS inventory \
             FULL JOIN moved USING (store_id, product_id)) \
         SELECT total.checked, drifted.* FROM (SELECT count(*) AS checked FROM compared) AS total \
         LEFT JOIN compared AS drifted \
             ON drifted.quantity <> drifted.accounted OR (drifted.quantity IS NULL AND drifted.accounted <> 0) \
         ORDER BY drifted.store_id, drifted.product_id",
    )
    .bind::<BigInt, _>(store_id.unwrap_or(i64::MIN))
    .bind::<BigInt, _>(store_id.unwrap_or(i64::MAX))
    .load(&mut conn)
    .await?;
    let checked = rows.iter().map(|row| row.checked).max().unwrap_or(0);
    Ok(Proof { checked, drifted: rows.into_iter().filter_map(Checked::drift).collect() })
}

/// Everything that moved the stock of a product in a store, oldest first.
///
/// # Errors
/// Those of the database.
pub async fn history(database: &Database, store_id: i64, product_id: i64) -> Result<Vec<Movement>, db::Error> {
    let mut conn = database.connection().await?;
    let movements = diesel::sql_query(
        "SELECT *, sum(delta) OVER (ORDER BY at, reason = 'order', number)::bigint AS balance FROM ( \
             SELECT created_at AS at, delta::bigint, reason, actor AS by, id AS number FROM stock_adjustments \
             WHERE store_id = $1 AND product_id = $2 \
             UNION ALL \
             SELECT created_at, CASE status WHEN 'CONFIRMED' THEN -quantity_requested::bigint ELSE 0 END, 'order', \
                    id || ' ' || status, id \
             FROM order_items JOIN orders ON (orders.store_id, orders.id) = (order_items.store_id, order_id) \
             WHERE order_items.store_id = $1 AND product_id = $2 AND status IN ('CONFIRMED', 'CANCELLED')) AS movements \
         ORDER BY at, reason = 'order', number",
    )
    .bind::<BigInt, _>(store_id)
    .bind::<BigInt, _>(product_id)
    .load(&mut conn)
    .await?;
    Ok(movements)
}
