//! Loading a file into tables: its rows are staged in a temporary table, judged there, and applied in sets.
//!
//! Staging first makes three things simple. Whatever can be wrong with a row is known before the first one is
//! written, so an all-or-nothing load holds no lock while it reads. Rows that name the same thing twice are found
//! by the database, however large the file, in constant memory here. And locks are taken for a set at a time,
//! in the order of their key.
//!
//! Several sessions load side by side, each a share of the rows: one keeps only one core of the database busy. Rows
//! that name the same thing are of the same share, so that no share needs to know of another.

use std::cell::RefCell;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::marker::PhantomData;
use std::ops::{AddAssign, RangeInclusive};

use futures_util::TryStreamExt;
use futures_util::future::try_join_all;
use tokio_postgres::Client;

use crate::Error;
use crate::copy::{BulkTx, CopyIn, Session};

/// Rows applied in one transaction, about, unless all must be.
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

    /// Rows that name the same thing have the same key.
    fn key(&self) -> &str;

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

/// The staging tables while they are being filled, one in each session.
pub struct Stage<L> {
    copies: Vec<CopyIn>,
    kind: PhantomData<L>,
}

impl<L: Load> Stage<L> {
    /// Makes the tables in `sessions`, which hold one each at a time. There must be a session.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open(sessions: &[Session]) -> Result<Self, Error> {
        let columns: String = L::COLUMNS.iter().map(|(name, kind)| format!(", {name} {kind}")).collect();
        let table = format!(
            "DROP TABLE IF EXISTS pg_temp.staged; \
             CREATE TEMPORARY TABLE staged (line bigint, record text, reason text{columns})"
        );
        let mut copies = Vec::new();
        for session in sessions {
            session.batch_execute(&table).await?;
            copies.push(CopyIn::begin(session, "COPY pg_temp.staged FROM STDIN").await?);
        }
        Ok(Self { copies, kind: PhantomData })
    }

    /// Adds a row that looks sound. `line` must be greater than that of the row before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn accept(&mut self, line: i64, record: &str, row: &L) -> Result<(), Error> {
        let shares = self.copies.len() as u64;
        let share = BuildHasherDefault::<DefaultHasher>::default().hash_one(row.key()) % shares;
        let copy = &mut self.copies[share as usize];
        copy.value(line);
        copy.text(record);
        copy.null();
        row.write(copy);
        copy.end_row().await
    }

    /// Adds a row that is wrong in itself.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn refuse(&mut self, line: i64, record: &str, reason: &str) -> Result<(), Error> {
        let copy = &mut self.copies[0];
        copy.value(line);
        copy.text(record);
        copy.text(reason);
        for _ in L::COLUMNS {
            copy.null();
        }
        copy.end_row().await
    }

    /// Ends the filling and judges what was staged.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn close(self, sessions: &[Session]) -> Result<Staged<L>, Error> {
        let shares = self.copies.into_iter().zip(sessions).map(|(copy, session)| async move {
            let rows = copy.finish().await?;
            session.batch_execute("CREATE UNIQUE INDEX ON pg_temp.staged (line); ANALYZE pg_temp.staged").await?;
            L::judge(session).await?;
            let last: i64 = session.query_one("SELECT coalesce(max(line), 0) FROM staged", &[]).await?.get(0);
            Ok::<_, Error>((rows, last))
        });
        let shares = try_join_all(shares).await?;
        let rows = shares.iter().map(|(rows, _)| rows).sum();
        let last = shares.iter().map(|(_, last)| *last).max().unwrap_or_default();
        Ok(Staged { rows, last, kind: PhantomData })
    }
}

/// Filled staging tables.
pub struct Staged<L> {
    /// How many rows they hold, the refused ones among them.
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
        sessions: &[Session],
        mut each: impl FnMut(Refusal) -> Result<(), E>,
    ) -> Result<u64, E> {
        let refused = "SELECT line, reason, record FROM staged WHERE reason IS NOT NULL ORDER BY line";
        let mut shares = Vec::new();
        for session in sessions {
            let rows = session.query_raw(refused, std::iter::empty::<&i64>()).await.map_err(Error::from)?;
            let mut rows = Box::pin(rows.map_err(Error::from).map_ok(|row| Refusal {
                line: row.get(0),
                reason: row.get(1),
                record: row.get(2),
            }));
            if let Some(first) = rows.try_next().await? {
                shares.push((first, rows));
            }
        }
        let mut count = 0;
        while let Some(next) = (0..shares.len()).min_by_key(|&share| shares[share].0.line) {
            let (first, rows) = &mut shares[next];
            match rows.try_next().await? {
                Some(following) => each(std::mem::replace(first, following))?,
                None => each(shares.swap_remove(next).0)?,
            }
            count += 1;
        }
        Ok(count)
    }

    /// Applies every row without a reason, some thousand rows in a transaction, each tried again when it stood in
    /// another's way. What was committed stays when a later one fails. `progress` hears how far it is, from 0 to 1.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn apply(
        &self,
        sessions: &mut [Session],
        actor: &L::Actor,
        progress: impl FnMut(f64),
    ) -> Result<Outcome, Error> {
        let shares = sessions.len();
        let step = STEP * i64::try_from(shares).unwrap_or(1);
        let steps = (self.last + step - 1) / step * i64::try_from(shares).unwrap_or(1);
        let progress = RefCell::new((0, progress));
        let work = sessions.iter_mut().map(|session| async {
            let mut outcome = Outcome::default();
            let mut first = 1;
            while first <= self.last {
                let end = self.last.min(first + step - 1);
                outcome += Self::apply_lines(session, first..=end, actor).await?;
                let (done, tell) = &mut *progress.borrow_mut();
                *done += 1;
                tell(f64::from(*done) / steps as f64);
                first = end + 1;
            }
            Ok::<_, Error>(outcome)
        });
        let mut outcome = Outcome::default();
        for share in try_join_all(work).await? {
            outcome += share;
        }
        Ok(outcome)
    }

    /// Applies every row without a reason in one transaction, for which all must have been staged in one session.
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
