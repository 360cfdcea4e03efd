//! Confirmations that need nothing but a line in the log: those of one moment are marked in one transaction.
//!
//! It is a shorter way for what goes well. Whatever stands out (it was sent before, somebody else holds it, there is no
//! such order, the transaction failed) is left to [`confirm`], one by one, so that nobody suffers for another.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use db::{CachedDsl, Clock, Database, Tx};
use diesel::sql_types::{Array, BigInt, Integer, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use tokio::sync::{mpsc, oneshot};
use tracing::Span;

use super::{HELD_UP, ReactionError, confirm, say_sent};
use crate::events::OrderConfirmed;
use crate::order::ConfirmationState;

/// How many share a transaction at most.
const BATCH: usize = 64;

/// The longest that a batch may take; the database has limits of its own, and this is for a network that hangs.
const LONGEST: Duration = Duration::from_secs(12);

/// Notes in the log that orders are confirmed. Clones share their transactions.
#[derive(Clone)]
pub struct Notices {
    database: Database,
    clock: Clock,
    asks: mpsc::Sender<Ask>,
}

/// A notice, and who waits for it.
#[derive(Debug)]
struct Ask {
    notice: Notice,
    /// Answered once the notice is noted and committed; forgotten where it was not.
    noted: oneshot::Sender<()>,
}

#[derive(Debug, Clone)]
struct Notice {
    event: OrderConfirmed,
    attempt: i32,
    /// The task, for the logs.
    span: Span,
}

#[derive(diesel::QueryableByName)]
struct Marked {
    #[diesel(sql_type = BigInt)]
    store_id: i64,
    #[diesel(sql_type = BigInt)]
    order_id: i64,
}

impl Notices {
    /// Begins to serve them, on the current runtime and until the last clone is gone.
    pub fn open(database: &Database, clock: &Clock) -> Self {
        let (asks, asked) = mpsc::channel(BATCH);
        tokio::spawn(serve(asked, database.clone(), clock.clone()));
        Self { database: database.clone(), clock: clock.clone(), asks }
    }

    /// Marks the confirmation of an order as sent by this attempt (from 1), and says so in the log. Nothing is done about
    /// one that was sent before.
    ///
    /// # Errors
    /// As [`ReactionError`] says.
    pub async fn note(&self, event: &OrderConfirmed, attempt: u32) -> Result<(), ReactionError> {
        let notice =
            Notice { event: *event, attempt: i32::try_from(attempt).unwrap_or(i32::MAX), span: Span::current() };
        let (noted, answer) = oneshot::channel();
        if self.asks.send(Ask { notice, noted }).await.is_ok() && answer.await.is_ok() {
            return Ok(());
        }
        let Some(confirming) = confirm(&self.database, &self.clock, event, attempt).await? else { return Ok(()) };
        match confirming.in_time() {
            Ok(()) => confirming.told("log").await,
            Err(error) => {
                confirming.not_told().await;
                Err(error)
            }
        }
    }
}

async fn serve(mut asked: mpsc::Receiver<Ask>, database: Database, clock: Clock) {
    let mut batch = Vec::with_capacity(BATCH);
    while asked.recv_many(&mut batch, BATCH).await > 0 {
        let notices = batch.iter().map(|ask: &Ask| ask.notice.clone()).collect();
        // In a task of its own, so that a panic ends this batch and not the next one.
        let noting = tokio::spawn(note_all(database.clone(), notices, clock.now()));
        let noted = match tokio::time::timeout(LONGEST, noting).await {
            Ok(Ok(Ok(noted))) => noted,
            Ok(Ok(Err(error))) => {
                tracing::debug!(%error, "confirmations cannot be noted together");
                HashSet::new()
            }
            Ok(Err(_)) | Err(_) => HashSet::new(),
        };
        for Ask { notice, noted: answer } in batch.drain(..) {
            if noted.contains(&key(&notice.event)) {
                // Whoever asked may have gone away.
                _ = answer.send(());
            }
        }
    }
}

fn key(event: &OrderConfirmed) -> (i64, i64) {
    (event.store_id, event.order_id)
}

/// Which of them were marked, noted and committed.
async fn note_all(
    database: Database,
    notices: Vec<Notice>,
    now: DateTime<Utc>,
) -> Result<HashSet<(i64, i64)>, db::Error> {
    let (asked, began) = (notices.clone(), Instant::now());
    let (tx, marked) = database.begin(move |tx| Box::pin(async move { mark_sent(tx, &asked, now).await })).await?;
    if marked.is_empty() || began.elapsed() > HELD_UP {
        tx.roll_back().await;
        return Ok(HashSet::new());
    }
    let mut unsaid = marked.clone();
    for Notice { event, attempt, span } in notices {
        if unsaid.remove(&key(&event)) {
            span.in_scope(|| say_sent(&event, attempt, "log"));
        }
    }
    tx.commit().await?;
    Ok(marked)
}

/// Marks those confirmations sent that are not yet, and that nobody holds; which they were.
async fn mark_sent(tx: &Tx, notices: &[Notice], now: DateTime<Utc>) -> Result<HashSet<(i64, i64)>, db::Error> {
    let marked: Vec<Marked> = diesel::sql_query(
        "UPDATE confirmations SET state = $5, attempts = free.attempt, sent_at = $4 \
         FROM unnest($1, $2, $3) AS asked (store_id, order_id, attempt) CROSS JOIN LATERAL ( \
             SELECT store_id, order_id, asked.attempt FROM confirmations AS held \
             WHERE held.store_id = asked.store_id AND held.order_id = asked.order_id AND state <> $5 \
             FOR UPDATE SKIP LOCKED) AS free \
         WHERE confirmations.store_id = free.store_id AND confirmations.order_id = free.order_id \
         RETURNING confirmations.store_id, confirmations.order_id",
    )
    .bind::<Array<BigInt>, _>(notices.iter().map(|notice| notice.event.store_id).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(notices.iter().map(|notice| notice.event.order_id).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(notices.iter().map(|notice| notice.attempt).collect::<Vec<_>>())
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(ConfirmationState::Sent.as_str())
    .cached()
    .load(&mut &***tx)
    .await?;
    Ok(marked.into_iter().map(|Marked { store_id, order_id }| (store_id, order_id)).collect())
}
