//! Many orders of the past at once: what the operators' seed writes.

use chrono::{DateTime, SecondsFormat, Utc};
use db::Error;
use db::copy::BulkTx;
use rust_decimal::Decimal;

use crate::order::Status;

/// An order as if it had been placed then, and its customer been told at once.
#[derive(Debug, Clone, PartialEq)]
pub struct PastOrder {
    /// Whose.
    pub store_id: i64,
    /// How it ended. Every line of a rejected one lacked all of its stock.
    pub status: Status,
    /// When it was decided.
    pub created_at: DateTime<Utc>,
    /// At least one line, no product twice.
    pub lines: Vec<PastLine>,
}

/// A line of an order of the past.
#[derive(Debug, Clone, PartialEq)]
pub struct PastLine {
    /// What.
    pub product_id: i64,
    /// How many units: 1 to 1,000,000.
    pub quantity: i32,
    /// What one cost.
    pub unit_price: Decimal,
}

impl PastOrder {
    fn total_items(&self) -> i64 {
        self.lines.iter().map(|line| i64::from(line.quantity)).sum()
    }

    fn total_price(&self) -> Decimal {
        self.lines.iter().map(|line| line.unit_price * Decimal::from(line.quantity)).sum()
    }
}

/// How many orders there are.
///
/// # Errors
/// When the database fails.
pub async fn count(tx: &BulkTx<'_>) -> Result<u64, Error> {
    Ok(tx.query_one("SELECT count(*) FROM orders", &[]).await?.get::<_, i64>(0) as u64)
}

/// Adds orders with their lines and confirmations. The stock that they sold must be
/// [accounted for](stores::bulk::account_for_sales) in the same transaction, since it left before anybody counted.
///
/// # Errors
/// When the database fails.
pub async fn add_orders(tx: &BulkTx<'_>, orders: &[PastOrder]) -> Result<(), Error> {
    let stores: Vec<i64> = orders.iter().map(|order| order.store_id).collect();
    let statuses: Vec<&str> = orders.iter().map(|order| order.status.as_str()).collect();
    let items: Vec<i64> = orders.iter().map(PastOrder::total_items).collect();
    let prices: Vec<String> = orders.iter().map(|order| order.total_price().to_string()).collect();
    let times: Vec<String> =
        orders.iter().map(|order| order.created_at.to_rfc3339_opts(SecondsFormat::Micros, true)).collect();
    let insert = "INSERT INTO orders (store_id, status, total_items, total_price, created_at) \
                  SELECT store_id, status, total_items, total_price::numeric, created_at::timestamptz \
                  FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::text[]) WITH ORDINALITY \
                       AS o (store_id, status, total_items, total_price, created_at, place) \
                  ORDER BY place RETURNING id";
    let ids: Vec<i64> =
        tx.query(insert, &[&stores, &statuses, &items, &prices, &times]).await?.iter().map(|row| row.get(0)).collect();
    add_lines(tx, orders, &ids).await?;
    let confirm = "INSERT INTO confirmations (store_id, order_id, state, attempts, sent_at, created_at) \
                   SELECT store_id, id, 'sent', 1, created_at, created_at FROM orders \
                   WHERE id = ANY($1) AND status <> 'REJECTED'";
    tx.execute(confirm, &[&ids]).await?;
    Ok(())
}

async fn add_lines(tx: &BulkTx<'_>, orders: &[PastOrder], ids: &[i64]) -> Result<(), Error> {
    let (mut stores, mut numbers, mut places, mut products) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut quantities, mut prices, mut rejected) = (Vec::new(), Vec::new(), Vec::new());
    for (order, id) in orders.iter().zip(ids) {
        for (place, line) in (1_i32..).zip(&order.lines) {
            stores.push(order.store_id);
            numbers.push(*id);
            places.push(place);
            products.push(line.product_id);
            quantities.push(line.quantity);
            prices.push(line.unit_price.to_string());
            rejected.push(order.status == Status::Rejected);
        }
    }
    let insert = "INSERT INTO order_items \
                      (store_id, order_id, line, product_id, quantity_requested, unit_price, rejection, available) \
                  SELECT store_id, order_id, line, product_id, quantity, price::numeric, \
                         CASE WHEN is_rejected THEN 'insufficient_stock' END, CASE WHEN is_rejected THEN 0 END \
                  FROM unnest($1::bigint[], $2::bigint[], $3::integer[], $4::bigint[], $5::integer[], $6::text[], \
                              $7::boolean[]) \
                       AS l (store_id, order_id, line, product_id, quantity, price, is_rejected)";
    tx.execute(insert, &[&stores, &numbers, &places, &products, &quantities, &prices, &rejected]).await?;
    Ok(())
}

/// Lets the planner know what the tables hold now. Cannot run inside a transaction.
///
/// # Errors
/// When the database fails.
pub async fn analyze(session: &db::copy::Session) -> Result<(), Error> {
    Ok(session.batch_execute("VACUUM (ANALYZE) orders, order_items, confirmations").await?)
}
