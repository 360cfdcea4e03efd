//! Rows to order from.

use anyhow::Result;
use tokio_postgres::Client;

/// Stores.
pub(crate) const STORES: i64 = 24;

/// Products, all of which every store carries.
pub(crate) const PRODUCTS: i64 = 999;

/// So much of everything that no run sells out: only confirmed orders are measured.
const PLENTY: i32 = 1_000_000_000;

/// Fills a new database: ids run from 1. Ends with statistics, as autovacuum would after a while.
pub(crate) async fn fill(sql: &Client) -> Result<()> {
    let rows = format!(
        "INSERT INTO categories (name) VALUES ('Bench');
         INSERT INTO products (sku, title, category_id, price)
             SELECT 'B-' || n, 'Product ' || n, 1, (n % 9000 + 100) / 100.0 FROM generate_series(1, {PRODUCTS}) AS n;
         INSERT INTO stores (name) SELECT 'Store ' || n FROM generate_series(1, {STORES}) AS n;
         INSERT INTO inventory (store_id, product_id, quantity)
             SELECT stores.id, products.id, {PLENTY} FROM stores, products ORDER BY stores.id, products.id;
         INSERT INTO stock_adjustments (store_id, product_id, delta, reason, actor)
             SELECT store_id, product_id, quantity, 'seed', 'bench' FROM inventory;"
    );
    sql.batch_execute(&rows).await?;
    Ok(sql.batch_execute("VACUUM (ANALYZE)").await?)
}
