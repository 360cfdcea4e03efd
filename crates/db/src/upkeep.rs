//! Filling an empty table without its upkeep: an index costs a row several times as much while the table grows as when
//! it is built over all rows at once, and so does a trigger that only notes that something changed.

use crate::Error;
use crate::copy::BulkTx;

/// What was put aside of a table.
#[must_use = "the table has no indexes and no triggers until they are put back"]
pub struct Upkeep {
    table: &'static str,
    /// Makes the indexes again, with their comments.
    indexes: Vec<String>,
}

impl Upkeep {
    /// Puts the table's triggers aside, and its indexes but for those that keep it free of duplicates. Others see nothing
    /// of this, but wait for the end of the transaction when they read or write the table. Foreign keys and constraints
    /// go on holding.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn suspend(tx: &BulkTx<'_>, table: &'static str) -> Result<Self, Error> {
        tx.batch_execute(&format!("ALTER TABLE {table} DISABLE TRIGGER USER")).await?;
        let indexes = "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid), \
                              format('COMMENT ON INDEX %s IS %L', indexrelid::regclass, \
                                     obj_description(indexrelid, 'pg_class')) \
                       FROM pg_index WHERE indrelid = $1::text::regclass AND NOT indisunique ORDER BY indexrelid";
        let mut upkeep = Self { table, indexes: Vec::new() };
        for index in tx.query(indexes, &[&table]).await? {
            let [name, definition, comment] = [0, 1, 2].map(|column| index.get::<_, String>(column));
            tx.batch_execute(&format!("DROP INDEX {name}")).await?;
            upkeep.indexes.push(format!("{definition}; {comment}"));
        }
        Ok(upkeep)
    }

    /// Puts everything back. Who follows the table by its triggers has to be told that all of it changed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn resume(self, tx: &BulkTx<'_>) -> Result<(), Error> {
        tx.batch_execute("SET LOCAL maintenance_work_mem = '256MB'").await?;
        for index in &self.indexes {
            tx.batch_execute(index).await?;
        }
        Ok(tx.batch_execute(&format!("ALTER TABLE {} ENABLE TRIGGER USER", self.table)).await?)
    }
}
