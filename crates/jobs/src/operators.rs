//! What operators see and do: how much waits, what was given up, have it tried again or throw it away.

use db::{Database, Error};
pub use outbox::{Backlog, Parked, Which};

/// Events that are redriven or discarded in one transaction.
const BATCH: i64 = 500;

/// How much waits.
///
/// # Errors
/// Those of the database.
pub async fn backlog(database: &Database) -> Result<Backlog, Error> {
    outbox::backlog(&mut database.connection().await?).await
}

/// Parked events, oldest first, from the number after `after` on.
///
/// # Errors
/// Those of the database.
pub async fn parked(database: &Database, which: &Which, after: i64, limit: i64) -> Result<Vec<Parked>, Error> {
    outbox::parked(&mut database.connection().await?, which, after, limit).await
}

/// Has some parked events tried again from the beginning; returns their numbers, none when there are no more. Call it
/// until then.
///
/// # Errors
/// Those of the database.
pub async fn redrive(database: &Database, which: &Which, most: i64) -> Result<Vec<i64>, Error> {
    let (which, most) = (which.clone(), most.min(BATCH));
    database.transaction(move |tx| Box::pin(async move { outbox::redrive(tx, &which, most).await })).await
}

/// Deletes some parked events for good; returns their numbers, none when there are no more. Call it until then.
///
/// # Errors
/// Those of the database.
pub async fn discard(database: &Database, which: &Which) -> Result<Vec<i64>, Error> {
    let which = which.clone();
    database.transaction(move |tx| Box::pin(async move { outbox::discard(tx, &which, BATCH).await })).await
}
