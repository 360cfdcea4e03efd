//! What the worker writes down of its tasks: begun before the effect, done after.
//!
//! Tasks that begin at the same moment share a transaction, and so do those that end, so sixteen at once cost hardly
//! more than one; nobody who begins waits for the disk behind somebody who ends. Each transaction is one round trip. The
//! beginning is committed without waiting for the disk: a crash of the database may forget it, and all that is lost is
//! the count of an attempt which that crash did not harm. What is done is on disk before the message is acknowledged.

use std::time::Duration;

use db::{CachedDsl, Database, Tx};
use diesel_async::RunQueryDsl;
use futures_util::try_join;
use outbox::{Key, Next};
use tokio::sync::{mpsc, oneshot};

use crate::presence::{Presence, is_dead};
use crate::retry::MOST_CRASHES;
use crate::runner::LONGEST;

/// How many tasks share a transaction at most.
const BATCH: usize = 64;

/// The longest that a beginning waits for the worker's lock, without which it would look left behind.
const UNSEEN: Duration = Duration::from_secs(1);

/// The longest that writing may take; the database has limits of its own, and this is for a network that hangs.
const WRITING: Duration = Duration::from_secs(12);

/// Why nothing could be written. Always worth another try.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the outbox cannot be written: {0}")]
pub(crate) struct NotWritten(String);

impl NotWritten {
    pub(crate) fn stopping() -> Self {
        Self("the worker is stopping".into())
    }

    fn unseen() -> Self {
        Self("the worker's lock is lost".into())
    }
}

type Reply<T> = oneshot::Sender<Result<T, NotWritten>>;

/// An event to be written down, and who waits for that.
type Ask<T> = (Key, Reply<T>);

/// How an event stands that could not simply be begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TakenOver {
    /// It is done or parked: there is nothing to do.
    Over,
    /// It failed so often, and its time has not come.
    Early { failures: u32 },
    /// Another worker runs it, and lives.
    Busy,
    /// A process died with it, so it may only begin where no other such runs.
    Suspect,
    /// It is ours now.
    Begun { failures: u32, crashes: u32 },
    /// Its processes died so often that it was given up just now.
    Parked { crashes: u32 },
}

/// Writes down how tasks begin and end. Clones share their transactions.
#[derive(Clone)]
pub(crate) struct Book {
    database: Database,
    presence: Presence,
    begins: mpsc::Sender<Ask<Option<u32>>>,
    ends: mpsc::Sender<Ask<()>>,
}

impl Book {
    /// Opens the book; it closes itself when the last clone is gone.
    pub(crate) fn open(database: Database, presence: Presence) -> Self {
        let ((begins, begun), (ends, ended)) = (mpsc::channel(BATCH), mpsc::channel(BATCH));
        tokio::spawn(write_beginnings(begun, database.clone(), presence.clone()));
        tokio::spawn(write_ends(ended, database.clone()));
        Self { database, presence, begins, ends }
    }

    /// Begins an event that has no past but failures; returns how many. None: see [`take_over`](Self::take_over).
    pub(crate) async fn begin(&self, event: Key) -> Result<Option<u32>, NotWritten> {
        self.presence.begins(event);
        ask(&self.begins, event).await
    }

    /// The event's task is done.
    pub(crate) async fn finish(&self, event: Key) -> Result<(), NotWritten> {
        ask(&self.ends, event).await?;
        self.presence.ends(event);
        Ok(())
    }

    /// Begins an event that ran before: takes it from a worker that died, or, with `force`, from any. One that a process
    /// died with begins only if it `is_alone`.
    pub(crate) async fn take_over(&self, event: Key, force: bool, is_alone: bool) -> Result<TakenOver, NotWritten> {
        if !self.presence.is_held_within(UNSEEN).await {
            return Err(NotWritten::unseen());
        }
        let us = self.presence.worker();
        let taken = self.write(move |tx| Box::pin(take_over(tx, event, us, (force, is_alone)))).await?;
        if matches!(taken, TakenOver::Over | TakenOver::Early { .. } | TakenOver::Parked { .. }) {
            self.presence.ends(event);
        }
        Ok(taken)
    }

    /// The attempt did not succeed. Returns whether the event was still ours.
    pub(crate) async fn fail(&self, event: Key, next: Next, error: String) -> Result<bool, NotWritten> {
        let us = self.presence.worker();
        let failed =
            self.write(move |tx| Box::pin(async move { outbox::fail(tx, event, us, next, &error).await })).await?;
        self.presence.ends(event);
        Ok(failed)
    }

    /// Parks a message that cannot be a task.
    pub(crate) async fn park_undecodable(&self, message: serde_json::Value, error: String) -> Result<(), NotWritten> {
        self.write(move |tx| Box::pin(async move { outbox::park_undecodable(tx, &message, &error).await })).await
    }

    async fn write<T: Send + 'static>(&self, work: impl Work<T>) -> Result<T, NotWritten> {
        written(&self.database, work).await
    }
}

async fn ask<T>(asks: &mpsc::Sender<Ask<T>>, event: Key) -> Result<T, NotWritten> {
    let (reply, answer) = oneshot::channel();
    asks.send((event, reply)).await.map_err(|_| NotWritten::stopping())?;
    answer.await.map_err(|_| NotWritten::stopping())?
}

/// What a transaction does.
trait Work<T>:
    for<'t> FnOnce(&'t mut Tx) -> std::pin::Pin<Box<dyn Future<Output = Result<T, db::Error>> + Send + 't>> + Send + 'static
{
}

impl<T, F> Work<T> for F where
    F: for<'t> FnOnce(&'t mut Tx) -> std::pin::Pin<Box<dyn Future<Output = Result<T, db::Error>> + Send + 't>>
        + Send
        + 'static
{
}

async fn written<T: Send + 'static>(database: &Database, work: impl Work<T>) -> Result<T, NotWritten> {
    let database = database.clone();
    in_a_task(async move { database.transaction(work).await }).await
}

/// In a task of its own, so that a panic fails this transaction and not whoever writes the next one.
async fn in_a_task<T: Send + 'static>(
    writing: impl Future<Output = Result<T, db::Error>> + Send + 'static,
) -> Result<T, NotWritten> {
    match tokio::time::timeout(WRITING, tokio::spawn(writing)).await {
        Ok(Ok(result)) => result.map_err(|error| NotWritten(error.to_string())),
        Ok(Err(panic)) => Err(NotWritten(panic.to_string())),
        Err(_) => Err(NotWritten(format!("no answer within {WRITING:?}"))),
    }
}

async fn take_over(tx: &mut Tx, event: Key, us: i64, (force, is_alone): (bool, bool)) -> Result<TakenOver, db::Error> {
    let Some(standing) = outbox::look(tx, event).await? else { return Ok(TakenOver::Over) };
    if standing.is_early {
        return Ok(TakenOver::Early { failures: count(standing.failures) });
    }
    let crashes = match standing.worker {
        Some(worker) if worker != us => match is_dead(tx, worker).await? {
            true => standing.crashes.saturating_add(1),
            false if force => standing.crashes,
            false => return Ok(TakenOver::Busy),
        },
        _ => standing.crashes,
    };
    if count(crashes) >= MOST_CRASHES {
        outbox::park_crashed(tx, event, crashes).await?;
        return Ok(TakenOver::Parked { crashes: count(crashes) });
    }
    if crashes > 0 && !is_alone {
        return Ok(TakenOver::Suspect);
    }
    outbox::hold(tx, event, us, crashes, LONGEST).await?;
    Ok(TakenOver::Begun { failures: count(standing.failures), crashes: count(crashes) })
}

pub(crate) fn count(number: i32) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

async fn write_beginnings(mut asked: mpsc::Receiver<Ask<Option<u32>>>, database: Database, presence: Presence) {
    let mut batch = Vec::with_capacity(BATCH);
    while asked.recv_many(&mut batch, BATCH).await > 0 {
        let events: Vec<Key> = batch.iter().map(|(event, _)| *event).collect();
        let begun = match presence.is_held_within(UNSEEN).await {
            true => in_a_task(begin(database.clone(), events, presence.worker())).await,
            false => Err(NotWritten::unseen()),
        };
        for (event, reply) in batch.drain(..) {
            // Whoever asked and went away needs no answer.
            _ = reply.send(begun.clone().map(|begun| failures_of(&begun, event)));
        }
    }
}

async fn write_ends(mut asked: mpsc::Receiver<Ask<()>>, database: Database) {
    let mut batch = Vec::with_capacity(BATCH);
    while asked.recv_many(&mut batch, BATCH).await > 0 {
        let events = batch.iter().map(|(event, _)| *event).collect();
        let ended = in_a_task(finish(database.clone(), events)).await;
        for (_, reply) in batch.drain(..) {
            _ = reply.send(ended.clone());
        }
    }
}

fn failures_of(begun: &[(Key, i32)], event: Key) -> Option<u32> {
    begun.iter().find(|(key, _)| *key == event).map(|(_, failures)| count(*failures))
}

async fn begin(database: Database, events: Vec<Key>, us: i64) -> Result<Vec<(Key, i32)>, db::Error> {
    let written = database.begin(move |tx| {
        Box::pin(async move {
            let mut begun = Vec::new();
            let statements = async {
                begun = try_join!(not_waiting_for_the_disk(tx), outbox::begin(tx, &events, us, LONGEST))?.1;
                Ok(())
            };
            tx.commit_with::<db::Error>(statements).await?;
            Ok::<_, db::Error>(begun)
        })
    });
    Ok(written.await?.1)
}

async fn finish(database: Database, events: Vec<Key>) -> Result<(), db::Error> {
    let written = database.begin(move |tx| Box::pin(async move { tx.commit_with(outbox::finish(tx, &events)).await }));
    written.await?;
    Ok(())
}

async fn not_waiting_for_the_disk(tx: &Tx) -> Result<(), db::Error> {
    diesel::sql_query("SET LOCAL synchronous_commit = off").cached().execute(&mut &***tx).await?;
    Ok(())
}
