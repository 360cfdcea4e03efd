//! Rows that are known to be new, by COPY.

use chrono::{DateTime, SecondsFormat, Utc};
use db::Error;
use db::copy::{BulkTx, CopyIn, Session};
use db::upkeep::Upkeep;
use rust_decimal::Decimal;

/// A product that does not exist yet.
#[derive(Debug, Clone, PartialEq)]
pub struct NewProduct {
    /// The merchant's key, which no product has yet.
    pub sku: String,
    /// 1 to 500 characters.
    pub title: String,
    /// At most 20,000 characters.
    pub description: String,
    /// An existing category.
    pub category_id: i64,
    /// Of one unit, with two decimals.
    pub price: Decimal,
    /// When it entered the catalogue.
    pub created_at: DateTime<Utc>,
}

/// Products on their way into the catalogue.
pub struct ProductCopy(CopyIn);

impl ProductCopy {
    /// Begins.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin(tx: &BulkTx<'_>) -> Result<Self, Error> {
        let statement =
            "COPY products (sku, title, description, category_id, price, created_at, updated_at) FROM STDIN";
        Ok(Self(CopyIn::begin(tx, statement).await?))
    }

    /// Adds one.
    ///
    /// # Errors
    /// When the database fails, or refused an earlier one.
    pub async fn add(&mut self, product: &NewProduct) -> Result<(), Error> {
        let copy = &mut self.0;
        let created_at = product.created_at.to_rfc3339_opts(SecondsFormat::Micros, true);
        copy.text(&product.sku);
        copy.text(&product.title);
        copy.text(&product.description);
        copy.value(product.category_id);
        copy.value(product.price);
        copy.value(&created_at);
        copy.value(&created_at);
        copy.end_row().await
    }

    /// Ends; returns how many were added.
    ///
    /// # Errors
    /// When the database fails or refuses one, such as a sku that is taken.
    pub async fn finish(self) -> Result<u64, Error> {
        self.0.finish().await
    }
}

/// The ids of the categories with these names, in their order; those that are missing are made. The case of a name
/// does not matter.
///
/// # Errors
/// When the database fails.
pub async fn ensure_categories(tx: &BulkTx<'_>, names: &[String]) -> Result<Vec<i64>, Error> {
    let missing = "INSERT INTO categories (name) SELECT name FROM unnest($1::text[]) WITH ORDINALITY AS n (name, place) \
                   WHERE NOT EXISTS (SELECT FROM categories c WHERE lower(c.name) = lower(n.name)) \
                   ORDER BY place ON CONFLICT (lower(name)) DO NOTHING";
    tx.execute(missing, &[&names]).await?;
    let ids = "SELECT c.id FROM unnest($1::text[]) WITH ORDINALITY AS n (name, place) \
               JOIN categories c ON lower(c.name) = lower(n.name) ORDER BY place";
    Ok(tx.query(ids, &[&names]).await?.iter().map(|row| row.get(0)).collect())
}

/// Makes others who seed wait until the end of the transaction, so that no two take the same numbers.
///
/// # Errors
/// When the database fails.
pub async fn lock_for_seeding(tx: &BulkTx<'_>) -> Result<(), Error> {
    Ok(tx.batch_execute("SET LOCAL lock_timeout = 0; SELECT pg_advisory_xact_lock(1936024932)").await?)
}

/// Puts the indexes and triggers of the products aside, until the caller puts them back; nobody else can read the table
/// until the end of the transaction. Worth it for an empty one.
///
/// # Errors
/// When the database fails.
pub async fn suspend_upkeep(tx: &BulkTx<'_>) -> Result<Upkeep, Error> {
    Upkeep::suspend(tx, "products").await
}

/// Whether there is no product at all.
///
/// # Errors
/// When the database fails.
pub async fn is_empty(tx: &BulkTx<'_>) -> Result<bool, Error> {
    Ok(tx.query_one("SELECT NOT EXISTS (SELECT FROM products)", &[]).await?.get(0))
}

/// The highest `n` among the skus made of `prefix` and digits, 0 when there is none.
///
/// # Errors
/// When the database fails.
pub async fn highest_number(tx: &BulkTx<'_>, prefix: &str) -> Result<u64, Error> {
    let highest = "SELECT coalesce(max(substr(sku, length($1) + 1)::bigint), 0) FROM products \
                   WHERE starts_with(sku, $1) AND substr(sku, length($1) + 1) ~ '^[0-9]{1,15}$'";
    Ok(tx.query_one(highest, &[&prefix]).await?.get::<_, i64>(0) as u64)
}

/// The ids of the products with these skus, in their order; none where there is no such product.
///
/// # Errors
/// When the database fails.
pub async fn ids_of_skus(tx: &BulkTx<'_>, skus: &[String]) -> Result<Vec<Option<i64>>, Error> {
    let ids = "SELECT p.id FROM unnest($1::text[]) WITH ORDINALITY AS wanted (sku, place) \
               LEFT JOIN products p USING (sku) ORDER BY place";
    Ok(tx.query(ids, &[&skus]).await?.iter().map(|row| row.get(0)).collect())
}

/// Lets the planner know what the tables hold now. Cannot run inside a transaction.
///
/// # Errors
/// When the database fails.
pub async fn analyze(session: &Session) -> Result<(), Error> {
    Ok(session.batch_execute("VACUUM (ANALYZE) categories, products").await?)
}
