//! What there is to sell: twice as much is asked for as there is, a fifth of it of one product. Every other customer
//! leaves an address. Most customers go to one store until it is sold out, then to the next, so that from the first order
//! to the last some are confirmed and some are not.

use anyhow::Result;
use rand::rngs::StdRng;
use rand::seq::index::sample;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use tokio_postgres::{Client, NoTls};

const STORES: i64 = 6;
const PRODUCTS: i64 = 50;

/// The catalogue of the run.
pub(crate) struct Shop {
    pub(crate) stores: Vec<i64>,
    pub(crate) products: Vec<i64>,
    /// Units of each product in each store at first.
    pub(crate) supply: i32,
    /// How many orders there will be.
    orders: usize,
    /// There is enough for all, and everybody leaves an address.
    is_plenty: bool,
}

/// A connection that goes past every proxy.
pub(crate) async fn connect(url: &str) -> Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

impl Shop {
    /// Fills an empty database for so many orders.
    pub(crate) async fn open(sql: &Client, orders: usize, is_plenty: bool) -> Result<Self> {
        // An order asks for 3 lines of 2 units, on average.
        let rows = usize::try_from(STORES * PRODUCTS)?;
        // Nobody asks for more than 3 units of a product.
        let supply = if is_plenty { 3 * orders } else { 3 * orders / rows };
        let supply = i32::try_from(supply)?.max(1);
        // A confirmation that is sent although it was sent before is written down.
        sql.batch_execute(
            "CREATE TABLE sent_again (order_id bigint NOT NULL); \
             CREATE FUNCTION note_sent_again() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                 INSERT INTO sent_again VALUES (NEW.order_id); RETURN NULL; END $$; \
             CREATE TRIGGER note_sent_again AFTER UPDATE ON confirmations FOR EACH ROW \
             WHEN (OLD.state = 'sent') EXECUTE FUNCTION note_sent_again()",
        )
        .await?;
        sql.batch_execute(&format!(
            "INSERT INTO categories (name) VALUES ('Things'); \
             INSERT INTO products (title, category_id, price) \
             SELECT 'Thing ' || n, (SELECT id FROM categories), n FROM generate_series(1, {PRODUCTS}) AS n; \
             INSERT INTO stores (name, location) SELECT 'Store ' || n, 'Here' FROM generate_series(1, {STORES}) AS n; \
             INSERT INTO inventory (store_id, product_id, quantity) \
             SELECT stores.id, products.id, {supply} FROM stores, products; \
             INSERT INTO stock_adjustments (store_id, product_id, delta, reason) \
             SELECT store_id, product_id, quantity, 'chaos' FROM inventory"
        ))
        .await?;
        let ids = async |table: &str| -> Result<Vec<i64>> {
            let rows = sql.query(&format!("SELECT id FROM {table} ORDER BY id"), &[]).await?;
            Ok(rows.iter().map(|row| row.get(0)).collect())
        };
        Ok(Self { stores: ids("stores").await?, products: ids("products").await?, supply, orders, is_plenty })
    }

    /// The body of order `number`, which depends on it and the seed alone.
    pub(crate) fn order(&self, seed: u64, number: usize) -> Value {
        let mut rng = StdRng::seed_from_u64(seed ^ (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let place = match rng.random_bool(0.8) {
            true => (self.stores.len() * number / self.orders.max(1)).min(self.stores.len() - 1),
            false => rng.random_range(0..self.stores.len()),
        };
        let store = self.stores[place];
        let lines = rng.random_range(1..=5);
        let mut chosen: Vec<usize> = sample(&mut rng, self.products.len(), lines).into_vec();
        if rng.random_bool(0.2) && !chosen.contains(&0) {
            chosen[0] = 0;
        }
        let items: Vec<Value> = chosen
            .into_iter()
            .map(|place| json!({ "product_id": self.products[place], "quantity_requested": rng.random_range(1..=3) }))
            .collect();
        let mut body = json!({ "store_id": store, "items": items });
        if self.is_plenty || number % 2 == 1 {
            body["customer_email"] = json!(address(number));
        }
        body
    }
}

/// Where customer `number` wants to be told.
pub(crate) fn address(number: usize) -> String {
    format!("customer-{number}@chaos.example")
}
