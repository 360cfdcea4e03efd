//! Stock by store and sku: the quantity is set, the difference goes into the ledger.

use std::ops::RangeInclusive;

use accounts::Actor;
use accounts::audit::{self, Action};
use db::Error;
use db::copy::{BulkTx, CopyIn};
use db::load::{Load, Outcome};
use tokio_postgres::Client;
use tokio_postgres::types::ToSql;

/// More than any store has of one product; far enough below the column's limit for cancelled orders to be put back.
pub const MAX_QUANTITY: i32 = 1_000_000_000;

/// What a store has of a product, as a file tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockRow {
    /// Name of an existing store, in any case.
    pub store: String,
    /// Of an existing product.
    pub sku: String,
    /// Units on hand: 0 to [`MAX_QUANTITY`].
    pub quantity: i32,
}

/// Tells the search of what came into stock or went out of it, as the triggers of the table do row by row.
const TELL: &str = "SELECT search_tell('product', array_agg(split_part(object_id, '/', 2)::bigint)) FROM pg_temp.audited \
                    WHERE (coalesce(before ->> 'quantity', '0') = '0') <> (after ->> 'quantity' = '0')";

impl Load for StockRow {
    type Actor = Actor;

    const COLUMNS: &'static [(&'static str, &'static str)] =
        &[("store", "text"), ("sku", "text"), ("quantity", "integer")];

    fn key(&self) -> &str {
        &self.sku
    }

    fn write(&self, copy: &mut CopyIn) {
        copy.text(&self.store);
        copy.text(&self.sku);
        copy.value(self.quantity);
    }

    /// Names what is unknown or ambiguous; of the rows about one product in one store the first counts. The rest is
    /// resolved into `counted`.
    async fn judge(client: &Client) -> Result<(), Error> {
        let unknown = "WITH named AS ( \
                 SELECT n.store, count(s.id) FROM (SELECT DISTINCT store FROM staged WHERE reason IS NULL) AS n \
                 LEFT JOIN stores s ON lower(s.name) = lower(n.store) GROUP BY n.store), \
             judged AS ( \
                 SELECT staged.line, concat_ws('; ', \
                     CASE named.count WHEN 1 THEN NULL WHEN 0 THEN format('no store is called %s', store) \
                                      ELSE format('%s stores are called %s', named.count, store) END, \
                     CASE WHEN p.id IS NULL THEN format('no product has the sku %s', sku) END) AS reason \
                 FROM staged JOIN named USING (store) LEFT JOIN products p USING (sku) WHERE staged.reason IS NULL) \
             UPDATE staged SET reason = judged.reason FROM judged \
             WHERE judged.line = staged.line AND judged.reason <> ''";
        client.execute(unknown, &[]).await?;
        let repeated = "UPDATE staged SET reason = format('the sku %s of this store is already on line %s', sku, again.first) \
             FROM (SELECT line, min(line) OVER (PARTITION BY lower(store) COLLATE \"C\", sku COLLATE \"C\") AS first \
                   FROM staged WHERE reason IS NULL) AS again \
             WHERE again.line = staged.line AND again.first < again.line";
        client.execute(repeated, &[]).await?;
        client
            .batch_execute(
                "DROP TABLE IF EXISTS pg_temp.counted; \
                 CREATE TEMPORARY TABLE counted AS \
                     SELECT line, s.id AS store_id, p.id AS product_id, quantity FROM staged \
                     JOIN stores s ON lower(s.name) = lower(staged.store) JOIN products p USING (sku) \
                     WHERE reason IS NULL ORDER BY line; \
                 CREATE UNIQUE INDEX ON pg_temp.counted (line); ANALYZE pg_temp.counted",
            )
            .await?;
        Ok(())
    }

    /// Three steps, each with a snapshot of its own. Rows that a store does not carry yet are inserted, with their
    /// adjustment. All others, if there are any, are locked, in the order that orders lock them in. Under the lock the difference is
    /// computed, so an order that is placed at the same time comes either before the count or after it.
    async fn apply(tx: &BulkTx<'_>, lines: RangeInclusive<i64>, actor: &Actor) -> Result<Outcome, Error> {
        let name = actor.to_string();
        let meant: [&(dyn ToSql + Sync); 3] = [lines.start(), lines.end(), &name];
        let insert = "WITH inserted AS ( \
                 INSERT INTO inventory (store_id, product_id, quantity) \
                 SELECT store_id, product_id, quantity FROM counted \
                 WHERE line BETWEEN $1 AND $2 AND NOT EXISTS (SELECT FROM inventory i \
                     WHERE i.store_id = counted.store_id AND i.product_id = counted.product_id) \
                 ORDER BY store_id, product_id ON CONFLICT (store_id, product_id) DO NOTHING \
                 RETURNING store_id, product_id, quantity), \
             adjusted AS ( \
                 INSERT INTO stock_adjustments (store_id, product_id, delta, reason, actor) \
                 SELECT store_id, product_id, quantity, 'import', $3 FROM inserted WHERE quantity <> 0) \
             INSERT INTO pg_temp.audited \
             SELECT store_id || '/' || product_id, NULL, jsonb_build_object('quantity', quantity, 'reason', 'import') \
             FROM inserted";
        audit::stage(tx).await?;
        tx.batch_execute("SET LOCAL search.told = 'on'").await?;
        let inserted = tx.execute(insert, &meant).await?;
        let rows = tx.query_one("SELECT count(*) FROM counted WHERE line BETWEEN $1 AND $2", &meant[..2]).await?;
        let rows = rows.get::<_, i64>(0) as u64;
        let updated = if inserted < rows { update(tx, &meant).await? } else { 0 };
        tx.batch_execute(TELL).await?;
        audit::record_staged(tx, actor, Action::Import, "inventory").await?;
        Ok(Outcome { inserted, updated, unchanged: rows - inserted - updated })
    }
}

/// Sets what is there already, under the lock; returns how many rows differed.
async fn update(tx: &BulkTx<'_>, meant: &[&(dyn ToSql + Sync); 3]) -> Result<u64, Error> {
    let lock = "SELECT count(*) FROM ( \
                 SELECT FROM inventory i JOIN counted USING (store_id, product_id) WHERE line BETWEEN $1 AND $2 \
                 ORDER BY i.store_id, i.product_id FOR NO KEY UPDATE OF i) AS held";
    tx.query_one(lock, &meant[..2]).await?;
    let update = "WITH changed AS ( \
                 SELECT store_id, product_id, i.quantity AS before, counted.quantity, \
                        counted.quantity - i.quantity AS delta \
                 FROM inventory i JOIN counted USING (store_id, product_id) \
                 WHERE line BETWEEN $1 AND $2 AND counted.quantity <> i.quantity), \
             updated AS ( \
                 UPDATE inventory i SET quantity = changed.quantity FROM changed \
                 WHERE i.store_id = changed.store_id AND i.product_id = changed.product_id), \
             adjusted AS ( \
                 INSERT INTO stock_adjustments (store_id, product_id, delta, reason, actor) \
                 SELECT store_id, product_id, delta, 'import', $3 FROM changed ORDER BY store_id, product_id) \
             INSERT INTO pg_temp.audited \
             SELECT store_id || '/' || product_id, jsonb_build_object('quantity', before), \
                    jsonb_build_object('quantity', quantity, 'reason', 'import') FROM changed";
    Ok(tx.execute(update, meant).await?)
}
