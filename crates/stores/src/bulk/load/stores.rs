//! Stores by name.

use std::ops::RangeInclusive;

use accounts::Actor;
use accounts::audit::{self, Action};
use db::Error;
use db::copy::{BulkTx, CopyIn};
use db::load::{Load, Outcome};
use tokio_postgres::Client;

/// A store as a file describes it. Its name, in any case, says which store is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreRow {
    /// 1 to 200 characters.
    pub name: String,
    /// At most 500 characters.
    pub location: String,
}

impl Load for StoreRow {
    type Actor = Actor;

    const COLUMNS: &'static [(&'static str, &'static str)] = &[("name", "text"), ("location", "text")];

    /// The same for all: names that differ in case alone mean the same store, and what case is the database knows.
    fn key(&self) -> &str {
        ""
    }

    fn write(&self, copy: &mut CopyIn) {
        copy.text(&self.name);
        copy.text(&self.location);
    }

    /// A name that two stores have names neither. Of the rows with one name the first counts.
    async fn judge(client: &Client) -> Result<(), Error> {
        let ambiguous = "UPDATE staged SET reason = format('%s stores are called %s', several.count, staged.name) \
             FROM (SELECT lower(name) AS name, count(*) FROM stores GROUP BY lower(name) HAVING count(*) > 1) AS several \
             WHERE staged.reason IS NULL AND lower(staged.name) = several.name";
        client.execute(ambiguous, &[]).await?;
        let repeated = "UPDATE staged SET reason = format('the store %s is already on line %s', name, again.first) \
             FROM (SELECT line, min(line) OVER (PARTITION BY lower(name) COLLATE \"C\") AS first FROM staged \
                   WHERE reason IS NULL) AS again \
             WHERE again.line = staged.line AND again.first < again.line";
        client.execute(repeated, &[]).await?;
        Ok(())
    }

    /// Names are not unique to the database, so others who write stores wait until this is done; reading them and
    /// ordering from them goes on.
    async fn apply(tx: &BulkTx<'_>, lines: RangeInclusive<i64>, actor: &Actor) -> Result<Outcome, Error> {
        let meant: [&(dyn tokio_postgres::types::ToSql + Sync); 2] = [lines.start(), lines.end()];
        tx.batch_execute("LOCK TABLE stores IN SHARE ROW EXCLUSIVE MODE").await?;
        let rows = "SELECT count(*) FROM staged WHERE reason IS NULL AND line BETWEEN $1 AND $2";
        let rows = tx.query_one(rows, &meant).await?.get::<_, i64>(0) as u64;
        audit::stage(tx).await?;
        // Nobody else writes stores now, so what a snapshot shows as before is what is overwritten.
        let update = "WITH updated AS ( \
                          UPDATE stores s SET location = staged.location FROM staged, stores old \
                          WHERE staged.reason IS NULL AND staged.line BETWEEN $1 AND $2 AND old.id = s.id \
                          AND lower(s.name) = lower(staged.name) AND s.location <> staged.location \
                          RETURNING s.id, s.name, s.location, old.location AS before) \
                      INSERT INTO pg_temp.audited \
                      SELECT id::text, jsonb_build_object('name', name, 'location', before), \
                             jsonb_build_object('name', name, 'location', location) FROM updated";
        let updated = tx.execute(update, &meant).await?;
        let insert = "WITH inserted AS ( \
                          INSERT INTO stores (name, location) SELECT name, location FROM staged \
                          WHERE reason IS NULL AND line BETWEEN $1 AND $2 \
                          AND NOT EXISTS (SELECT FROM stores s WHERE lower(s.name) = lower(staged.name)) \
                          ORDER BY line RETURNING id, name, location) \
                      INSERT INTO pg_temp.audited \
                      SELECT id::text, NULL, jsonb_build_object('name', name, 'location', location) FROM inserted";
        let inserted = tx.execute(insert, &meant).await?;
        audit::record_staged(tx, actor, Action::Import, "store").await?;
        Ok(Outcome { inserted, updated, unchanged: rows - inserted - updated })
    }
}
