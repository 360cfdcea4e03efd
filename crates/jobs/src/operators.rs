//! What operators see and do: how much waits, what was given up, have it tried again. What is thrown away is the
//! business of whom it concerns.

use db::{Database, Error, Tx};
pub use outbox::{Backlog, Parked, Which};

/// Events that are redriven or discarded in one transaction.
pub const BATCH: i64 = 500;

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
pub async fn redrive(tx: &mut Tx, which: &Which, most: i64) -> Result<Vec<i64>, Error> {
    outbox::redrive(tx, which, most.min(BATCH)).await
}
