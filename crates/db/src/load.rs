//! Loading a file into tables: its rows are staged in a temporary table, judged there, and applied in sets.
//!
//! Staging first makes three things simple. Whatever can be wrong with a row is known before the first one is
//! written, so an all-or-nothing load holds no lock while it reads. Rows that name the same thing twice are found
//! by the database, however large the file, in constant memory here. And locks are taken for a set at a time,
//! in the order of their key.

use std::marker::PhantomData;
use std::ops::{AddAssign, RangeInclusive};

use futures_util::{StreamExt, pin_mut};
use tokio_postgres::Client;

use crate::Error;
use crate::copy::{BulkTx, CopyIn, Session};

/// Lines applied in one transaction, unless all must be.
const STEP: i64 = 10_000;

/// Rows are looked up by key, one by one: reading a whole table for each step would cost the more steps the more the
/// larger the table is.
const BY_KEY: &str = "SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL enable_seqscan = off; \
                      SET LOCAL jit = off";

/// How often a transaction that stood in the way of another is tried.
const TRIES: u32 = 5;

/// A kind of row that can be loaded. Implemented by the owner of its table.
///
/// The staging table is called `staged`: `line bigint`, `record text`, `reason text` (why the row is refused, else
/// null), then [`COLUMNS`](Load::COLUMNS), which are null in refused rows.
pub trait Load: Send + Sync {
    /// On whose behalf rows are applied, as the owner's log names them.
    type Actor: Sync;

    /// The row's columns in the staging table: names and types.
    const COLUMNS: &'static [(&'static str, &'static str)];

    /// Writes the row's fields, in the order of the columns.
    fn write(&self, copy: &mut CopyIn);

    /// Sets the `reason` of staged rows that only the database can see are wrong.
    fn judge(client: &Client) -> impl Future<Output = Result<(), Error>> + Send;

    /// Brings the staged rows of these lines that have no reason into the tables. Must change nothing, and fire no
    /// trigger, for rows that are there already.
    fn apply(
        tx: &BulkTx<'_>,
        lines: RangeInclusive<i64>,
        actor: &Self::Actor,
    ) -> impl Future<Output = Result<Outcome, Error>> + Send;
}

/// What became of the rows that were applied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Rows that were not there.
    pub inserted: u64,
    /// Rows that were there and differed.
    pub updated: u64,
    /// Rows that were there as they are in the file.
    pub unchanged: u64,
}

impl AddAssign for Outcome {
    fn add_assign(&mut self, other: Self) {
        self.inserted += other.inserted;
        self.updated += other.updated;
        self.unchanged += other.unchanged;
    }
}

/// A row that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The line of the file on which its record begins.
    pub line: i64,
    /// Why.
    pub reason: String,
    /// The record as it stands in the file.
    pub record: String,
}

/// The staging table while it is being filled.
pub struct Stage<L> {
    copy: CopyIn,
    kind: PhantomData<L>,
}

impl<L: Load> Stage<L> {
    /// Makes the table in `session`, which holds one at a time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open(session: &Session) -> Result<Self, Error> {
        let columns: String = L::COLUMNS.iter().map(|(name, kind)| format!(", {name} {kind}")).collect();
        session
            .batch_execute(&format!(
                "DROP TABLE IF EXISTS pg_temp.staged; \
                 CREATE TEMPORARY TABLE staged (line bigint, record text, reason text{columns})"
            ))
            .await?;
        let copy = CopyIn::begin(session, "COPY pg_temp.staged FROM STDIN").await?;
        Ok(Self { copy, kind: PhantomData })
    }

    /// Adds a row that looks sound. `line` must be greater than that of the row before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn accept(&mut self, line: i64, record: &str, row: &L) -> Result<(), Error> {
        self.copy.value(line);
        self.copy.text(record);
        self.copy.null();
        row.write(&mut self.copy);
        self.copy.end_row().await
    }

    /// Adds a row that is wrong in itself.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn refuse(&mut self, line: i64, record: &str, reason: &str) -> Result<(), Error> {
        self.copy.value(line);
        self.copy.text(record);
        self.copy.text(reason);
        for _ in L::COLUMNS {
            self.copy.null();
        }
        self.copy.end_row().await
    }

    /// Ends the filling and judges what was staged.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn close(self, session: &Session) -> Result<Staged<L>, Error> {
        let rows = self.copy.finish().await?;
        session.batch_execute("CREATE UNIQUE INDEX ON pg_temp.staged (line); ANALYZE pg_temp.staged").await?;
        L::judge(session).await?;
        let last = session.query_one("SELECT coalesce(max(line), 0) FROM staged", &[]).await?.get(0);
        Ok(Staged { rows, last, kind: PhantomData })
    }
}

/// A filled staging table.
pub struct Staged<L> {
    /// How many rows it holds, the refused ones among them.
    pub rows: u64,
    last: i64,
    kind: PhantomData<L>,
}

impl<L: Load> Staged<L> {
    /// Hands every refused row to `each`, by line; returns how many there were.
    ///
    /// # Errors
    /// Those of `each`, and when the database fails.
    pub async fn refusals<E: From<Error>>(
        &self,
        session: &Session,
        mut each: impl FnMut(Refusal) -> Result<(), E>,
    ) -> Result<u64, E> {
        let refused = "SELECT line, reason, record FROM staged WHERE reason IS NOT NULL ORDER BY line";
        let rows = session.query_raw(refused, std::iter::empty::<&i64>()).await.map_err(Error::from)?;
        pin_mut!(rows);
        let mut count = 0;
        while let Some(row) = rows.next().await {
            let row = row.map_err(Error::from)?;
            each(Refusal { line: row.get(0), reason: row.get(1), record: row.get(2) })?;
            count += 1;
        }
        Ok(count)
    }

    /// Applies every row without a reason, some thousand lines in a transaction, each tried again when it stood in
    /// another's way. What was committed stays when a later one fails. `progress` hears how far it is, from 0 to 1.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn apply(
        &self,
        session: &mut Session,
        actor: &L::Actor,
        mut progress: impl FnMut(f64),
    ) -> Result<Outcome, Error> {
        let mut outcome = Outcome::default();
        let mut first = 1;
        while first <= self.last {
            let end = self.last.min(first + STEP - 1);
            outcome += Self::apply_lines(session, first..=end, actor).await?;
            progress(end as f64 / self.last as f64);
            first = end + 1;
        }
        Ok(outcome)
    }

    /// Applies every row without a reason in one transaction.
    ///
    /// # Errors
    /// When the database fails; nothing is kept then.
    pub async fn apply_at_once(&self, session: &mut Session, actor: &L::Actor) -> Result<Outcome, Error> {
        Self::apply_lines(session, 1..=self.last, actor).await
    }

    async fn apply_lines(
        session: &mut Session,
        lines: RangeInclusive<i64>,
        actor: &L::Actor,
    ) -> Result<Outcome, Error> {
        let mut tries = 0;
        loop {
            tries += 1;
            let tx = session.begin().await?;
            tx.batch_execute(BY_KEY).await?;
            match L::apply(&tx, lines.clone(), actor).await {
                Ok(outcome) => {
                    tx.commit().await?;
                    return Ok(outcome);
                }
                Err(error) if error.is_transient() && tries < TRIES => tracing::debug!(%error, tries, "once more"),
                Err(error) => return Err(error),
            }
        }
    }
}
