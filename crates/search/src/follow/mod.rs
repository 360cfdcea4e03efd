//! Keeps the index in step with PostgreSQL.
//!
//! Triggers write what changes into `search_changes`. A task of each process looks there ten times a second for what
//! its index does not hold yet ([`position`] says how nothing can be missed), reads the products concerned as they are
//! in one snapshot, replaces them in the index, and commits that together with the snapshot. Applying a change twice
//! changes nothing, so nothing but the last commit matters after a crash. Processes follow each on their own, on one
//! connection: when it breaks, the server may have crashed or been replaced by another, and what is doubtful then is
//! looked at again.
//!
//! Metrics: `search_behind_seconds` since the index last held everything, `search_products`, `search_segments` and `search_bytes`
//! in it, `search_changes_applied_total`, `search_failures_total`.
//!
//! An index is built anew, beside the one that serves meanwhile, where there is none, where it is damaged or of another
//! database, where more has changed than it is worth following, or where what it lacks is gone from the log. Where
//! somebody asks for a new one, or a table was emptied, the old one is followed until the new one holds as much.

mod build;
mod changes;
mod position;
pub(crate) mod source;
mod task;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use db::Database;
use tantivy::TantivyError;
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;

use crate::index::View;
pub(crate) use position::Position;

/// The index as of one moment.
pub(crate) struct Current {
    pub(crate) view: View,
    /// How often titles had changed by then.
    pub(crate) generation: i64,
    position: Position,
    /// Whether everything is said to have changed since it was built: what takes its place is being built.
    pub(crate) is_outdated: bool,
}

/// The task that follows, for as long as this lives.
pub(crate) struct Follower {
    database: Database,
    current: watch::Receiver<Option<Arc<Current>>>,
    wake: Arc<Notify>,
    has_caught_up: watch::Receiver<bool>,
    task: AbortHandle,
}

/// What can go wrong while following.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FollowError {
    #[error(transparent)]
    Database(#[from] db::Error),
    #[error("the index: {0}")]
    Index(#[from] TantivyError),
}

impl From<diesel::result::Error> for FollowError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(error.into())
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Follower {
    /// Begins to follow, on the current runtime and a connection of its own, with the index in `folder` or in memory.
    pub(crate) fn start(database: &Database, folder: Option<PathBuf>) -> Result<Self, db::Error> {
        let database = database.apart(1)?;
        let ((sender, current), (catch_up, has_caught_up)) = (watch::channel(None), watch::channel(false));
        let wake = Arc::new(Notify::new());
        let task = task::Task::new(database.clone(), sender, wake.clone(), catch_up);
        let task = tokio::spawn(task.run(folder)).abort_handle();
        Ok(Self { database, current, wake, has_caught_up, task })
    }

    /// The index, or none while it is being opened or built for the first time.
    pub(crate) fn current(&self) -> Option<Arc<Current>> {
        self.current.borrow().clone()
    }

    /// Whether the index has held everything that was committed, at any time since the start.
    pub(crate) fn has_caught_up(&self) -> bool {
        *self.has_caught_up.borrow()
    }

    /// Waits until the index has held everything for the first time, up to `limit`.
    pub(crate) async fn wait(&self, limit: Duration) {
        let mut has_caught_up = self.has_caught_up.clone();
        _ = tokio::time::timeout(limit, has_caught_up.wait_for(|has_caught_up| *has_caught_up)).await;
    }

    /// Waits until the index holds everything that is committed now; where everything is said to have changed, until it
    /// has been built anew.
    ///
    /// # Errors
    /// [`db::Error`] when the database cannot say where it is.
    pub(crate) async fn catch_up(&self) -> Result<(), db::Error> {
        self.wait_for_all(|current| !current.is_outdated).await
    }

    /// Waits until the index holds what has been committed product by product by now.
    ///
    /// # Errors
    /// As [`catch_up`](Self::catch_up).
    pub(crate) async fn follow_up(&self) -> Result<(), db::Error> {
        self.wait_for_all(|_| true).await
    }

    async fn wait_for_all(&self, will_do: impl Fn(&Current) -> bool) -> Result<(), db::Error> {
        let wanted = source::position(&mut self.database.connection().await?).await?;
        self.wake.notify_one();
        let mut current = self.current.clone();
        let is_there = |current: &Arc<Current>| current.position.covers(&wanted) && will_do(current);
        let is_there = |current: &Option<Arc<Current>>| current.as_ref().is_some_and(is_there);
        let there = current.wait_for(is_there).await.map(drop);
        there.map_err(|_| db::Error::Unavailable("the search has stopped".into()))
    }
}
