//! Rows of a file, matched by sku.

use std::ops::RangeInclusive;

use accounts::Actor;
use accounts::audit::{self, Action};
use db::Error;
use db::copy::{BulkTx, CopyIn};
use db::load::{Load, Outcome};
use rust_decimal::Decimal;
use tokio_postgres::Client;

/// A product as a file describes it. Its sku says which product is meant; its category is made when missing.
#[derive(Debug, Clone, PartialEq)]
pub struct ProductRow {
    /// 1 to 100 characters.
    pub sku: String,
    /// 1 to 500 characters.
    pub title: String,
    /// Name of the category, in any case; 1 to 200 characters.
    pub category: String,
    /// Of one unit: not negative, at most two decimals.
    pub price: Decimal,
    /// At most 20,000 characters.
    pub description: String,
}

/// The staged rows that a statement is about, its parameters being the first and last line.
const MEANT: &str = "staged.reason IS NULL AND staged.line BETWEEN $1 AND $2";

/// Tells the search of what changed, as the triggers of the table do row by row.
const TELL: &str = "SELECT search_tell('title', array_agg(object_id::bigint)) FROM pg_temp.audited \
                        WHERE before IS NULL OR before -> 'title' <> after -> 'title'; \
                    SELECT search_tell('product', array_agg(object_id::bigint)) FROM pg_temp.audited \
                        WHERE before -> 'title' = after -> 'title'";

/// What a row would make of its product.
const DIFFERS: &str = "(p.title, p.description, p.price, p.category_id) \
                       IS DISTINCT FROM (staged.title, staged.description, staged.price, c.id)";

impl Load for ProductRow {
    type Actor = Actor;

    const COLUMNS: &'static [(&'static str, &'static str)] = &[
        ("sku", "text"),
        ("title", "text"),
        ("category", "text"),
        ("price", "numeric(12, 2)"),
        ("description", "text"),
    ];

    fn key(&self) -> &str {
        &self.sku
    }

    fn write(&self, copy: &mut CopyIn) {
        copy.text(&self.sku);
        copy.text(&self.title);
        copy.text(&self.category);
        copy.value(self.price);
        copy.text(&self.description);
    }

    /// Of the rows with one sku the first counts. If the last did, loading a file again would change its products
    /// to and fro.
    async fn judge(client: &Client) -> Result<(), Error> {
        let repeated = "UPDATE staged SET reason = format('the sku %s is already on line %s', sku, again.first) \
             FROM (SELECT line, min(line) OVER (PARTITION BY sku COLLATE \"C\") AS first FROM staged \
                   WHERE reason IS NULL) AS again \
             WHERE again.line = staged.line AND again.first < again.line";
        client.execute(repeated, &[]).await?;
        Ok(())
    }

    /// Inserts before it updates, so that a product which somebody else adds at this moment is updated. Both
    /// statements are left out when they have nothing to do.
    async fn apply(tx: &BulkTx<'_>, lines: RangeInclusive<i64>, actor: &Actor) -> Result<Outcome, Error> {
        let (first, last) = (lines.start(), lines.end());
        ensure_categories(tx, &lines, actor).await?;
        let census = format!(
            "SELECT count(*), count(*) FILTER (WHERE p.id IS NULL), \
                    count(*) FILTER (WHERE p.id IS NOT NULL AND {DIFFERS}) \
             FROM staged LEFT JOIN products p ON p.sku = staged.sku \
             LEFT JOIN categories c ON lower(c.name) = lower(staged.category) WHERE {MEANT}"
        );
        let census = tx.query_one(&census, &[first, last]).await?;
        let [rows, new, changed] = [0, 1, 2].map(|column| census.get::<_, i64>(column) as u64);
        let mut outcome = Outcome::default();
        audit::stage(tx).await?;
        tx.batch_execute("SET LOCAL search.told = 'on'").await?;
        if new > 0 {
            let insert = format!(
                "WITH inserted AS ( \
                     INSERT INTO products (sku, title, category_id, price, description) \
                     SELECT staged.sku, staged.title, c.id, staged.price, staged.description FROM staged \
                     JOIN categories c ON lower(c.name) = lower(staged.category) \
                     WHERE {MEANT} AND NOT EXISTS (SELECT FROM products p WHERE p.sku = staged.sku) \
                     ORDER BY staged.line ON CONFLICT (sku) DO NOTHING RETURNING products.*) \
                 INSERT INTO pg_temp.audited SELECT id::text, NULL, {} FROM inserted",
                facts("inserted")
            );
            outcome.inserted = tx.execute(&insert, &[first, last]).await?;
        }
        if changed > 0 || outcome.inserted < new {
            outcome.updated = update(tx, &lines).await?;
        }
        tx.batch_execute(TELL).await?;
        audit::record_staged(tx, actor, Action::Import, "product").await?;
        outcome.unchanged = rows - outcome.inserted - outcome.updated;
        Ok(outcome)
    }
}

/// Brings products into the form that their rows give them; returns how many differed. They are locked before, so that
/// what the log shows as before is what was overwritten.
async fn update(tx: &BulkTx<'_>, lines: &RangeInclusive<i64>) -> Result<u64, Error> {
    let lock = format!(
        "SELECT count(*) FROM ( \
             SELECT FROM products p JOIN staged ON p.sku = staged.sku \
             JOIN categories c ON lower(c.name) = lower(staged.category) \
             WHERE {MEANT} AND {DIFFERS} ORDER BY p.id FOR NO KEY UPDATE OF p) AS held"
    );
    tx.query_one(&lock, &[lines.start(), lines.end()]).await?;
    let update = format!(
        "WITH updated AS ( \
             UPDATE products p SET title = staged.title, description = staged.description, \
                    price = staged.price, category_id = c.id, updated_at = now() \
             FROM staged JOIN categories c ON lower(c.name) = lower(staged.category) \
             JOIN products old ON old.sku = staged.sku \
             WHERE {MEANT} AND p.id = old.id AND {DIFFERS} \
             RETURNING p.id, {} AS before, {} AS after) \
         INSERT INTO pg_temp.audited SELECT id::text, before, after FROM updated",
        facts("old"),
        facts("p")
    );
    Ok(tx.execute(&update, &[lines.start(), lines.end()]).await?)
}

/// A product as the audit log shows it, as SQL over the row of this name.
fn facts(row: &str) -> String {
    let fields = ["sku", "title", "description", "price", "category_id"].map(|name| match name {
        "price" => format!("'price', {row}.price::text"),
        name => format!("'{name}', {row}.{name}"),
    });
    format!("jsonb_build_object({})", fields.join(", "))
}

/// Makes the categories that are missing, named as on the first line that names them, in an order that all who make some
/// at the same time keep to, and keeps the others from
/// being deleted until the end of the transaction.
async fn ensure_categories(tx: &BulkTx<'_>, lines: &RangeInclusive<i64>, actor: &Actor) -> Result<(), Error> {
    let named = format!("SELECT lower(staged.category) FROM staged WHERE {MEANT}");
    let missing = format!(
        "WITH held AS (SELECT name FROM categories WHERE lower(name) IN ({named}) ORDER BY id FOR KEY SHARE) \
         SELECT name FROM (SELECT DISTINCT ON (lower(category)) category AS name, line FROM staged \
                           WHERE {MEANT} ORDER BY lower(category), line) AS wanted \
         WHERE lower(name) NOT IN (SELECT lower(name) FROM held) ORDER BY line"
    );
    let missing = tx.query(&missing, &[lines.start(), lines.end()]).await?;
    if !missing.is_empty() {
        let names: Vec<&str> = missing.iter().map(|row| row.get(0)).collect();
        let insert = "WITH inserted AS ( \
                          INSERT INTO categories (name) \
                          SELECT name FROM unnest($1::text[]) AS n (name) \
                          ORDER BY lower(name) ON CONFLICT (lower(name)) DO NOTHING RETURNING id, name) \
                      INSERT INTO pg_temp.audited \
                      SELECT id::text, NULL, jsonb_build_object('name', name) FROM inserted";
        audit::stage(tx).await?;
        tx.execute(insert, &[&names]).await?;
        audit::record_staged(tx, actor, Action::Import, "category").await?;
    }
    Ok(())
}
