//! Which workers are alive.
//!
//! Every worker takes a number by chance and holds PostgreSQL's advisory lock of that number, on a connection that does
//! nothing else. The kernel closes the connection of a process that dies, and the server frees the lock within
//! milliseconds. So whoever finds a worker's number in a row can tell whether that attempt ended with its process.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use db::{Connection, Database, Tx};
use diesel::sql_types::{BigInt, Bool};
use diesel_async::RunQueryDsl;
use outbox::Key;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::supervisor::Backoff;

/// How often the connection is looked after.
const CHECK: Duration = Duration::from_millis(500);

/// The longest that the server may take to answer.
const ANSWER: Duration = Duration::from_secs(5);

/// One worker's number.
#[derive(Debug, Clone)]
pub(crate) struct Presence {
    worker: i64,
    held: watch::Sender<bool>,
    begun: Arc<Mutex<HashSet<Key>>>,
}

#[derive(diesel::QueryableByName)]
struct Free {
    #[diesel(sql_type = Bool)]
    free: bool,
}

impl Presence {
    pub(crate) fn new() -> Self {
        Self { worker: rand::random_range(1..i64::MAX), held: watch::Sender::new(false), begun: Arc::default() }
    }

    /// The number.
    pub(crate) fn worker(&self) -> i64 {
        self.worker
    }

    /// Takes note that our number may be in an event's row from now on.
    pub(crate) fn begins(&self, event: Key) {
        self.begun().insert(event);
    }

    /// Takes note that it is there no more.
    pub(crate) fn ends(&self, event: Key) {
        self.begun().remove(&event);
    }

    /// In which rows it may be.
    pub(crate) fn left(&self) -> Vec<Key> {
        self.begun().iter().copied().collect()
    }

    fn begun(&self) -> MutexGuard<'_, HashSet<Key>> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until others can see that we are alive; whether they can within so long.
    pub(crate) async fn is_held_within(&self, limit: Duration) -> bool {
        let mut held = self.held.subscribe();
        // The sender is ours, so it is never gone.
        tokio::time::timeout(limit, held.wait_for(|held| *held)).await.is_ok()
    }

    /// Holds the lock until told to stop, over as many connections as it takes.
    pub(crate) async fn keep(self, database: Database, stop: CancellationToken) {
        let mut backoff = Backoff::new();
        while !stop.is_cancelled() {
            let error = tokio::select! {
                Err(error) = self.hold(&database, &mut backoff) => error,
                () = stop.cancelled() => return,
            };
            self.held.send_replace(false);
            tracing::debug!(%error, "the worker's lock is lost");
            tokio::time::sleep(backoff.next()).await;
        }
    }

    async fn hold(&self, database: &Database, backoff: &mut Backoff) -> Result<std::convert::Infallible, db::Error> {
        // Out of the pool, so that it takes no place there.
        let mut conn = Connection::take(database.connection().await?);
        let lock = diesel::sql_query("SELECT pg_advisory_lock($1)").bind::<BigInt, _>(self.worker);
        answered(lock.execute(&mut conn)).await?;
        self.held.send_replace(true);
        backoff.reset();
        loop {
            tokio::time::sleep(CHECK).await;
            answered(diesel::sql_query("SELECT 1").execute(&mut conn)).await?;
        }
    }
}

async fn answered(query: impl Future<Output = diesel::QueryResult<usize>>) -> Result<(), db::Error> {
    match tokio::time::timeout(ANSWER, query).await {
        Ok(result) => Ok(result.map(drop)?),
        Err(_) => Err(db::Error::Unavailable(format!("no answer within {ANSWER:?}"))),
    }
}

/// Whether the worker of this number is dead. Asks for a shared lock, so that those who ask do not look alive.
pub(crate) async fn is_dead(tx: &mut Tx, worker: i64) -> Result<bool, db::Error> {
    let ask = diesel::sql_query("SELECT pg_try_advisory_xact_lock_shared($1) AS free").bind::<BigInt, _>(worker);
    let answer: Free = ask.get_result(&mut **tx).await?;
    Ok(answer.free)
}

/// Which events are being worked on in this process, so that two deliveries of one event take turns.
#[derive(Debug, Default)]
pub(crate) struct Flights {
    keys: Mutex<HashSet<Key>>,
    left: tokio::sync::Notify,
}

/// An event that is being worked on; ends when dropped.
#[derive(Debug)]
pub(crate) struct Flight {
    flights: Arc<Flights>,
    key: Key,
}

impl Flights {
    /// Waits until nobody else here works on the event.
    pub(crate) async fn enter(self: &Arc<Self>, key: Key) -> Flight {
        loop {
            let mut left = std::pin::pin!(self.left.notified());
            // Listening begins before looking, or a departure between the two would go unheard.
            left.as_mut().enable();
            if self.keys.lock().unwrap_or_else(PoisonError::into_inner).insert(key) {
                return Flight { flights: self.clone(), key };
            }
            left.await;
        }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.flights.keys.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
        self.flights.left.notify_waiters();
    }
}
