//! Rows that are known to be new.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use db::Error;
use db::copy::{BulkTx, CopyIn, Session};
use db::upkeep::Upkeep;
use rust_decimal::Decimal;

/// A store that does not exist yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewStore {
    /// 1 to 200 characters. May repeat in principle; imports match stores by it, so better not.
    pub name: String,
    /// At most 500 characters.
    pub location: String,
    /// When it opened.
    pub created_at: DateTime<Utc>,
}

/// Puts the indexes and triggers of the inventory aside, until the caller puts them back; nobody else can read the table
/// until the end of the transaction. Worth it for an empty one.
///
/// # Errors
/// When the database fails.
pub async fn suspend_upkeep(tx: &BulkTx<'_>) -> Result<Upkeep, Error> {
    Upkeep::suspend(tx, "inventory").await
}

/// Adds stores; returns their ids, in order.
///
/// # Errors
/// When the database fails.
pub async fn add_stores(tx: &BulkTx<'_>, stores: &[NewStore]) -> Result<Vec<i64>, Error> {
    let names: Vec<&str> = stores.iter().map(|store| store.name.as_str()).collect();
    let locations: Vec<&str> = stores.iter().map(|store| store.location.as_str()).collect();
    let times: Vec<String> =
        stores.iter().map(|store| store.created_at.to_rfc3339_opts(SecondsFormat::Micros, true)).collect();
    let insert = "INSERT INTO stores (name, location, created_at) \
                  SELECT name, location, created_at::timestamptz \
                  FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS s (name, location, created_at, place) \
                  ORDER BY place RETURNING id";
    Ok(tx.query(insert, &[&names, &locations, &times]).await?.iter().map(|row| row.get(0)).collect())
}

/// Which of these names a store has already, in any case.
///
/// # Errors
/// When the database fails.
pub async fn taken_names(tx: &BulkTx<'_>, names: &[String]) -> Result<Vec<String>, Error> {
    let taken = "SELECT name FROM unnest($1::text[]) AS n (name) \
                 WHERE EXISTS (SELECT FROM stores s WHERE lower(s.name) = lower(n.name))";
    Ok(tx.query(taken, &[&names]).await?.iter().map(|row| row.get(0)).collect())
}

/// Inventory rows on their way into stores that carried nothing so far.
pub struct InventoryCopy(CopyIn);

impl InventoryCopy {
    /// Begins. What is copied must be [accounted for](account_for) in the same transaction.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin(tx: &BulkTx<'_>) -> Result<Self, Error> {
        Ok(Self(CopyIn::begin(tx, "COPY inventory (store_id, product_id, quantity) FROM STDIN").await?))
    }

    /// Adds a product to a store.
    ///
    /// # Errors
    /// When the database fails, or refused an earlier one.
    pub async fn add(&mut self, store_id: i64, product_id: i64, quantity: i32) -> Result<(), Error> {
        self.0.value(store_id);
        self.0.value(product_id);
        self.0.value(quantity);
        self.0.end_row().await
    }

    /// Ends; returns how many rows were added.
    ///
    /// # Errors
    /// When the database fails or refuses one.
    pub async fn finish(self) -> Result<u64, Error> {
        self.0.finish().await
    }
}

/// Writes the adjustments that account for all stock of new stores, so that the ledger adds up. Rows without stock
/// need none.
///
/// # Errors
/// When the database fails.
pub async fn account_for(tx: &BulkTx<'_>, stores: &[i64], reason: &str, actor: &str) -> Result<u64, Error> {
    let adjust = "INSERT INTO stock_adjustments (store_id, product_id, delta, reason, actor) \
                  SELECT store_id, product_id, quantity, $2, $3 FROM inventory \
                  WHERE store_id = ANY($1) AND quantity <> 0 ORDER BY store_id, product_id";
    Ok(tx.execute(adjust, &[&stores, &reason, &actor]).await?)
}

/// Lets the planner know what the tables hold now. Cannot run inside a transaction.
///
/// # Errors
/// When the database fails.
pub async fn analyze(session: &Session) -> Result<(), Error> {
    Ok(session.batch_execute("VACUUM (ANALYZE) stores, inventory, stock_adjustments").await?)
}

/// What a store carries, with the price of one unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Shelf {
    /// Whose.
    pub store_id: i64,
    /// Of what.
    pub product_id: i64,
    /// What one costs.
    pub price: Decimal,
}

/// Everything that stores carry, by store and product.
///
/// # Errors
/// When the database fails.
pub async fn shelves(tx: &BulkTx<'_>) -> Result<Vec<Shelf>, Error> {
    let all = "SELECT store_id, product_id, price::text FROM inventory JOIN products ON products.id = product_id \
               ORDER BY store_id, product_id";
    let shelf = |row: &tokio_postgres::Row| {
        let price = row.get::<_, &str>(2).parse().unwrap_or_default();
        Shelf { store_id: row.get(0), product_id: row.get(1), price }
    };
    Ok(tx.query(all, &[]).await?.iter().map(shelf).collect())
}

/// Writes the adjustments that account for what was sold before anybody counted: units by store and product. Stock
/// stays as it is, so that much more must have come.
///
/// # Errors
/// When the database fails.
pub async fn account_for_sales(
    tx: &BulkTx<'_>,
    sold: &BTreeMap<(i64, i64), i32>,
    reason: &str,
    actor: &str,
) -> Result<u64, Error> {
    let stores: Vec<i64> = sold.keys().map(|(store, _)| *store).collect();
    let products: Vec<i64> = sold.keys().map(|(_, product)| *product).collect();
    let units: Vec<i32> = sold.values().copied().collect();
    let adjust = "INSERT INTO stock_adjustments (store_id, product_id, delta, reason, actor) \
                  SELECT store_id, product_id, units, $4, $5 \
                  FROM unnest($1::bigint[], $2::bigint[], $3::integer[]) AS s (store_id, product_id, units)";
    Ok(tx.execute(adjust, &[&stores, &products, &units, &reason, &actor]).await?)
}
