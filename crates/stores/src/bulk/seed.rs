//! Rows that are known to be new.

use chrono::{DateTime, SecondsFormat, Utc};
use db::Error;
use db::copy::{BulkTx, CopyIn, Session};

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
