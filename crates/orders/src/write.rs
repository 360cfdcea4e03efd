//! Writing decided orders: one statement, prepared once per connection, whatever the number of orders.

use db::{CachedDsl, Tx};
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Numeric, Text, Timestamptz};
use diesel_async::RunQueryDsl;

use crate::order::Order;

#[derive(diesel::QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// Takes an order number. It is gone for good, whatever becomes of the transaction, so numbers have gaps.
pub(crate) async fn take_id(tx: &Tx) -> Result<i64, db::Error> {
    let row: Number =
        diesel::sql_query("SELECT nextval('orders_id_seq') AS id").cached().get_result(&mut &***tx).await?;
    Ok(row.id)
}

/// Inserts these orders with their lines, and a confirmation that waits to be sent for each confirmed one.
///
/// One statement and not three, because statements that are sent together may run in another order than they were
/// sent in (the one that is not prepared yet comes later), and a line may not come before its order.
pub(crate) async fn insert(tx: &Tx, orders: &[&Order]) -> Result<(), db::Error> {
    let terms = || orders.iter().map(|order| &order.terms);
    let lines = || orders.iter().flat_map(|order| order.terms.lines.iter().map(move |line| (order, line)));
    let rejections = || lines().map(|(_, line)| line.rejection);
    let numbered = || orders.iter().flat_map(|order| (1_i32..).zip(&order.terms.lines)).map(|(number, _)| number);
    diesel::sql_query(
        "WITH placed AS ( \
             INSERT INTO orders (store_id, id, status, total_items, total_price, created_at) \
             SELECT * FROM unnest($1, $2, $3, $4, $5, $6) \
             RETURNING store_id, id, status, created_at), \
         lines AS ( \
             INSERT INTO order_items \
                 (store_id, order_id, line, product_id, quantity_requested, unit_price, rejection, available) \
             SELECT * FROM unnest($7, $8, $9, $10, $11, $12, $13, $14)) \
         INSERT INTO confirmations (store_id, order_id, created_at) \
         SELECT store_id, id, created_at FROM placed WHERE status = 'CONFIRMED'",
    )
    .bind::<Array<BigInt>, _>(terms().map(|terms| terms.store_id).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(orders.iter().map(|order| order.id).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(terms().map(|terms| terms.status.as_str()).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(terms().map(|terms| terms.total_items).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(terms().map(|terms| terms.total_price).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(terms().map(|terms| terms.created_at).collect::<Vec<_>>())
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
