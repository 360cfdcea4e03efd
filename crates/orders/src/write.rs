//! Writing decided orders: one statement, prepared once per connection, whatever the number of orders.

use db::{CachedDsl, Tx};
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Numeric, Text, Timestamptz};
use diesel_async::RunQueryDsl;

use crate::order::Order;

/// Order numbers that are ours, and the number of the transaction that took them.
pub(crate) struct Numbers {
    ids: std::vec::IntoIter<i64>,
    /// As `pg_xact_status` takes it.
    pub(crate) transaction: String,
}

impl Iterator for Numbers {
    type Item = i64;

    fn next(&mut self) -> Option<i64> {
        self.ids.next()
    }
}

#[derive(diesel::QueryableByName)]
struct Row {
    #[diesel(sql_type = Array<BigInt>)]
    ids: Vec<i64>,
    #[diesel(sql_type = Text)]
    transaction: String,
}

/// Takes this many order numbers. They are gone for good, whatever becomes of the transaction, so numbers have gaps.
pub(crate) async fn take_numbers(tx: &Tx, count: usize) -> Result<Numbers, db::Error> {
    let Row { mut ids, transaction } = diesel::sql_query(
        "SELECT array_agg(nextval('orders_id_seq')) AS ids, pg_current_xact_id()::text AS transaction \
         FROM generate_series(1, $1)",
    )
    .bind::<Integer, _>(i32::try_from(count).unwrap_or(i32::MAX))
    .cached()
    .get_result(&mut &***tx)
    .await?;
    // Those that were asked for first get the lower ones.
    ids.sort_unstable();
    Ok(Numbers { ids: ids.into_iter(), transaction })
}

/// Inserts these orders with their lines, and a confirmation that waits to be sent for each confirmed one.
///
/// One statement and not three: a line may not come before its order.
pub(crate) async fn insert(tx: &Tx, orders: &[&Order]) -> Result<(), db::Error> {
    let terms = || orders.iter().map(|order| &order.terms);
    let lines = || orders.iter().flat_map(|order| order.terms.lines.iter().map(move |line| (order, line)));
    let address = |order: &&Order| order.customer_email.as_ref().map(|address| address.as_str().to_owned());
    let addresses: Vec<Option<String>> = orders.iter().map(address).collect();
    let rejections = || lines().map(|(_, line)| line.rejection);
    let numbered = || orders.iter().flat_map(|order| (1_i32..).zip(&order.terms.lines)).map(|(number, _)| number);
    diesel::sql_query(
        "WITH placed AS ( \
             INSERT INTO orders (store_id, id, status, total_items, total_price, created_at, customer_email) \
             SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7) \
             RETURNING store_id, id, status, created_at), \
         lines AS ( \
             INSERT INTO order_items \
                 (store_id, order_id, line, product_id, quantity_requested, unit_price, rejection, available) \
             SELECT * FROM unnest($8, $9, $10, $11, $12, $13, $14, $15)) \
         INSERT INTO confirmations (store_id, order_id, created_at) \
         SELECT store_id, id, created_at FROM placed WHERE status = 'CONFIRMED'",
    )
    .bind::<Array<BigInt>, _>(terms().map(|terms| terms.store_id).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(orders.iter().map(|order| order.id).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(terms().map(|terms| terms.status.as_str()).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(terms().map(|terms| terms.total_items).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(terms().map(|terms| terms.total_price).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(terms().map(|terms| terms.created_at).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(addresses)
    .bind::<Array<BigInt>, _>(lines().map(|(order, _)| order.terms.store_id).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(lines().map(|(order, _)| order.id).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(numbered().collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(lines().map(|(_, line)| line.product_id).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(lines().map(|(_, line)| line.quantity).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(lines().map(|(_, line)| line.unit_price).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(
        rejections().map(|refused| refused.map(|refused| refused.reason.as_str())).collect::<Vec<_>>(),
    )
    .bind::<Array<Nullable<Integer>>, _>(
        rejections().map(|refused| refused.map(|refused| refused.available)).collect::<Vec<_>>(),
    )
    .cached()
    .execute(&mut &***tx)
    .await?;
    Ok(())
}
