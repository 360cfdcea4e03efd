//! The proof afterwards: a throughput that loses orders or stock is none.

use anyhow::{Result, ensure};
use tokio_postgres::Client;

/// Rows whose stock is not the sum of their adjustments less the lines of confirmed orders.
const DRIFTED: &str = "
    WITH moved AS (
        SELECT store_id, product_id, delta::bigint FROM stock_adjustments
        UNION ALL
        SELECT line.store_id, line.product_id, -line.quantity_requested::bigint
        FROM order_items AS line JOIN orders ON orders.store_id = line.store_id AND orders.id = line.order_id
        WHERE orders.status = 'CONFIRMED'),
    expected AS (SELECT store_id, product_id, sum(delta) AS quantity FROM moved GROUP BY 1, 2)
    SELECT count(*) FROM inventory FULL JOIN expected USING (store_id, product_id)
    WHERE coalesce(inventory.quantity, 0) <> coalesce(expected.quantity, 0)";

/// Orders without their lines, their event or their confirmation.
const INCOMPLETE: &str = "
    SELECT count(*) FROM orders
    WHERE status <> 'CONFIRMED'
       OR NOT EXISTS (SELECT FROM order_items WHERE store_id = orders.store_id AND order_id = orders.id)
       OR NOT EXISTS (SELECT FROM confirmations WHERE store_id = orders.store_id AND order_id = orders.id)";

/// Proves that stock, orders and answers agree. Says what was proved.
///
/// # Errors
/// When they do not.
pub(crate) async fn prove(sql: &Client, acknowledged: u64) -> Result<String> {
    let count = async |query: &str| -> Result<i64> { Ok(sql.query_one(query, &[]).await?.get(0)) };
    let drifted = count(DRIFTED).await?;
    ensure!(drifted == 0, "the stock of {drifted} rows is not what adjustments and orders make it");
    let incomplete = count(INCOMPLETE).await?;
    ensure!(incomplete == 0, "{incomplete} orders are not confirmed or lack a part");
    let orders = count("SELECT count(*) FROM orders").await?;
    let events = count("SELECT count(*) FROM outbox WHERE kind = 'order.confirmed'").await?;
    ensure!(
        u64::try_from(orders) == Ok(acknowledged) && events == orders,
        "{acknowledged} orders were acknowledged, {orders} are stored, {events} events are recorded"
    );
    Ok(format!(
        "Ledger exact afterwards: {orders} orders acknowledged and stored, each with its event and confirmation; \
         stock = adjustments − confirmed lines in every row."
    ))
}
