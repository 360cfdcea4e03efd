//! The life of an event's task, written down: begun, and then done, failed, or given up.
//!
//! A worker writes its number into the row before the effect and takes it out after. So a number that is still there
//! when the event comes round again tells of an attempt without an end.

use std::time::Duration;

use db::{CachedDsl, Tx};
use diesel::dsl;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Double, Integer, Text};
use diesel_async::RunQueryDsl;

use crate::relay::{Key, columns};
use crate::schema::outbox;

/// How an event stands that is about to be worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, diesel::Queryable)]
pub struct Standing {
    /// The worker that runs its task, or did when it died.
    pub worker: Option<i64>,
    /// Attempts that failed.
    pub failures: i32,
    /// Attempts that ended with their process.
    pub crashes: i32,
    /// It failed, nobody runs it, and its time has not come: whoever has a message of it has one too many.
    pub is_early: bool,
}

#[derive(diesel::QueryableByName)]
struct Begun {
    #[diesel(sql_type = BigInt)]
    store_id: i64,
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Integer)]
    failures: i32,
}

/// Less than 50 ms are none: clocks are never quite alike.
const IS_EARLY: &str = "failures > 0 AND worker IS NULL AND available_at > now() + interval '50 ms'";

/// Begins those of the events that are alive, never crashed, run nowhere else, and do not wait after a failure; `limit`
/// is how long the attempt may take. Returns which they are and how often each failed before. For the others there is [`look`].
///
/// # Errors
/// Those of the database.
pub async fn begin(tx: &Tx, events: &[Key], worker: i64, limit: Duration) -> Result<Vec<(Key, i32)>, db::Error> {
    let (stores, ids) = columns(events);
    let begun: Vec<Begun> = diesel::sql_query(
        "UPDATE outbox SET worker = $3, available_at = now() + make_interval(secs => $4) \
         FROM unnest($1, $2) AS asked (store_id, id) \
         WHERE outbox.store_id = asked.store_id AND outbox.id = asked.id \
         AND parked_at IS NULL AND crashes = 0 AND (worker IS NULL OR worker = $3) \
         AND (failures = 0 OR worker IS NOT NULL OR available_at <= now() + interval '50 ms') \
         RETURNING outbox.store_id, outbox.id, failures",
    )
    .bind::<Array<BigInt>, _>(stores)
    .bind::<Array<BigInt>, _>(ids)
    .bind::<BigInt, _>(worker)
    .bind::<Double, _>(limit.as_secs_f64())
    .cached()
    .load(&mut &***tx)
    .await?;
    Ok(begun.into_iter().map(|row| (Key { store_id: row.store_id, id: row.id }, row.failures)).collect())
}

/// How an event stands, which no other transaction changes until `tx` ends; none if it is done or parked.
///
/// # Errors
/// Those of the database.
pub async fn look(tx: &mut Tx, event: Key) -> Result<Option<Standing>, db::Error> {
    let row = outbox::table
        .find((event.store_id, event.id))
        .filter(outbox::parked_at.is_null())
        .select((outbox::worker, outbox::failures, outbox::crashes, dsl::sql::<Bool>(IS_EARLY)))
        .for_update();
    Ok(row.first(&mut **tx).await.optional()?)
}

/// Begins one event whatever its past, and sets how many crashes it counts.
///
/// # Errors
/// Those of the database.
pub async fn hold(tx: &Tx, event: Key, worker: i64, crashes: i32, limit: Duration) -> Result<(), db::Error> {
    diesel::sql_query(
        "UPDATE outbox SET worker = $3, crashes = $4, available_at = now() + make_interval(secs => $5) \
         WHERE store_id = $1 AND id = $2",
    )
    .bind::<BigInt, _>(event.store_id)
    .bind::<BigInt, _>(event.id)
    .bind::<BigInt, _>(worker)
    .bind::<Integer, _>(crashes)
    .bind::<Double, _>(limit.as_secs_f64())
    .cached()
    .execute(&mut &***tx)
    .await?;
    Ok(())
}

/// Keeps events with the worker that runs them for another `limit`.
///
/// # Errors
/// Those of the database.
pub async fn renew(tx: &mut Tx, events: &[Key], worker: i64, limit: Duration) -> Result<(), db::Error> {
    let (stores, ids) = columns(events);
    diesel::sql_query(
        "UPDATE outbox SET available_at = now() + make_interval(secs => $4) \
         FROM unnest($1, $2) AS ours (store_id, id) \
         WHERE outbox.store_id = ours.store_id AND outbox.id = ours.id AND worker = $3",
    )
    .bind::<Array<BigInt>, _>(stores)
    .bind::<Array<BigInt>, _>(ids)
    .bind::<BigInt, _>(worker)
    .bind::<Double, _>(limit.as_secs_f64())
    .cached()
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Deletes events whose tasks are done, whoever did them.
///
/// # Errors
/// Those of the database.
pub async fn finish(tx: &Tx, events: &[Key]) -> Result<(), db::Error> {
    let (stores, ids) = columns(events);
    diesel::sql_query(
        "DELETE FROM outbox USING unnest($1, $2) AS done (store_id, id) \
         WHERE outbox.store_id = done.store_id AND outbox.id = done.id",
    )
    .bind::<Array<BigInt>, _>(stores)
    .bind::<Array<BigInt>, _>(ids)
    .cached()
    .execute(&mut &***tx)
    .await?;
    Ok(())
}

/// What becomes of an event whose attempt did not succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// It comes again after this time.
    Again(Duration),
    /// The same, and the attempt does not count as a failure.
    NotTried(Duration),
    /// It is given up, until an operator has it tried again.
    Park,
}

/// Notes that the attempt of `worker` did not succeed, and why. Returns false, having changed nothing, when the event
/// is no longer this worker's: it is done, or somebody else took it over.
///
/// # Errors
/// Those of the database.
pub async fn fail(tx: &mut Tx, event: Key, worker: i64, next: Next, error: &str) -> Result<bool, db::Error> {
    let (counts, delay, is_parked) = match next {
        Next::Again(delay) => (1, delay, false),
        Next::NotTried(delay) => (0, delay, false),
        Next::Park => (1, Duration::ZERO, true),
    };
    let failed = diesel::sql_query(
        "UPDATE outbox SET worker = NULL, failures = failures + $4, last_error = $5, \
         available_at = now() + make_interval(secs => $6), parked_at = CASE WHEN $7 THEN now() END \
         WHERE store_id = $1 AND id = $2 AND worker = $3",
    )
    .bind::<BigInt, _>(event.store_id)
    .bind::<BigInt, _>(event.id)
    .bind::<BigInt, _>(worker)
    .bind::<Integer, _>(counts)
    .bind::<Text, _>(without_nul(error))
    .bind::<Double, _>(delay.as_secs_f64())
    .bind::<Bool, _>(is_parked)
    .cached()
    .execute(&mut **tx)
    .await?;
    Ok(failed == 1)
}

/// What went wrong, as it can be written down: PostgreSQL's text knows no NUL.
pub(crate) fn without_nul(error: &str) -> String {
    error.replace('\0', "")
}

/// Gives up an event whose attempts ended with their processes.
///
/// # Errors
/// Those of the database.
pub async fn park_crashed(tx: &mut Tx, event: Key, crashes: i32) -> Result<(), db::Error> {
    diesel::sql_query(
        "UPDATE outbox SET worker = NULL, crashes = $3, parked_at = now(), \
         last_error = 'the worker died ' || $3 || ' times while it ran the task' \
         WHERE store_id = $1 AND id = $2",
    )
    .bind::<BigInt, _>(event.store_id)
    .bind::<BigInt, _>(event.id)
    .bind::<Integer, _>(crashes)
    .cached()
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Lets go of those of the events that `worker` still holds: it stops in good order, and has not crashed.
///
/// # Errors
/// Those of the database.
pub async fn release(tx: &mut Tx, events: &[Key], worker: i64) -> Result<(), db::Error> {
    let (stores, ids) = columns(events);
    diesel::sql_query(
        "UPDATE outbox SET worker = NULL, available_at = now() FROM unnest($1, $2) AS begun (store_id, id) \
         WHERE outbox.store_id = begun.store_id AND outbox.id = begun.id AND worker = $3 AND parked_at IS NULL",
    )
    .bind::<Array<BigInt>, _>(stores)
    .bind::<Array<BigInt>, _>(ids)
    .bind::<BigInt, _>(worker)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
