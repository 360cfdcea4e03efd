//! Rows that somebody else keeps locked.
//!
//! A batch waits for a row as long as one may wait for a lock, and everybody behind it in the lane waits, too. If that
//! was in vain, it is found out which rows are held, and for a while nobody waits for those: they are taken if they
//! are free, and else whoever needs one is refused at once. So one row that is kept costs its lane one wait.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use db::Database;
use stores::stock::{self, Free, Key};
use tokio::time::{Instant, sleep};

/// How long a row counts as stuck after it was last found held.
const REMEMBERED: Duration = Duration::from_secs(1);

/// Between two looks: a row that others lock one after the other, each for a moment, is not stuck.
const BLINK: Duration = Duration::from_millis(20);

/// Rows that are not waited for, and until when.
#[derive(Debug, Default)]
pub(crate) struct Stuck(Mutex<HashMap<Key, Instant>>);

impl Stuck {
    /// Takes those that are stuck out of `rows`.
    pub(super) fn take_from(&self, rows: &mut Vec<Key>) -> Vec<Key> {
        let mut known = self.lock();
        if known.is_empty() {
            return Vec::new();
        }
        let now = Instant::now();
        known.retain(|_, until| *until > now);
        rows.extract_if(.., |row| known.contains_key(row)).collect()
    }

    /// What was found out about rows.
    pub(super) fn learn(&self, held: &HashSet<Key>, freed: &[Key]) {
        if held.is_empty() && freed.is_empty() {
            return;
        }
        let (mut known, until) = (self.lock(), Instant::now() + REMEMBERED);
        known.extend(held.iter().map(|row| (*row, until)));
        freed.iter().for_each(|row| _ = known.remove(row));
    }

    /// Looks which of these rows are held, and remembers them; whether there is one.
    pub(super) async fn look(&self, database: &Database, rows: Vec<Key>) -> Result<bool, db::Error> {
        let (tx, first) = database.begin(|tx| Box::pin(async move { stock::lock_free(tx, &rows).await })).await?;
        let rows: Vec<Key> = first.held.into_iter().collect();
        if !rows.is_empty() {
            sleep(BLINK).await;
        }
        let second = stock::lock_free(&tx, &rows).await;
        tx.roll_back().await;
        let Free { held, .. } = second?;
        if !held.is_empty() {
            metrics::counter!("orders_rows_stuck_total").increment(held.len() as u64);
            tracing::warn!(rows = ?held, "rows of the inventory are kept locked: orders that need them are refused");
        }
        self.learn(&held, &[]);
        Ok(!held.is_empty())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
