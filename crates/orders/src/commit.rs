//! Commits that were not answered.
//!
//! When the connection breaks after the COMMIT was sent, nobody can tell by that whether it arrived. So it is waited,
//! on another connection, until PostgreSQL says that the transaction has ended, and then one of its orders is looked
//! for. Every order of a batch shares its fate, those with a key of their client's and those without.
//!
//! What PostgreSQL says of the transaction's number (`pg_xact_status`) is not enough: a server that crashed gives out
//! again the numbers, of transactions and of orders, that it had not written down yet. The order is known by its
//! moment as well.

use std::time::Duration;

use chrono::{DateTime, Utc};
use db::{CachedDsl, Database};
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use diesel_async::RunQueryDsl;
use tokio::time::{Instant, sleep, timeout};

use crate::place::PlaceError;
use crate::schema::orders;

/// How long it is asked for. Longer than the server takes to notice that a client is gone: then it rolls back.
const LIMIT: Duration = Duration::from_secs(8);

/// Between two questions.
const PAUSE: Duration = Duration::from_millis(20);

/// What a transaction is known by.
pub(crate) struct Mark {
    /// Its number, as `pg_xact_status` takes it.
    pub(crate) transaction: String,
    /// One of the orders that it inserts.
    pub(crate) store_id: i64,
    pub(crate) order_id: i64,
    pub(crate) created_at: DateTime<Utc>,
}

#[derive(diesel::QueryableByName)]
struct Row {
    #[diesel(sql_type = Nullable<Text>)]
    status: Option<String>,
}

/// Whether the marked transaction was committed, given what its COMMIT was answered.
///
/// # Errors
/// The answer's own if that says no, or if the transaction was found to be rolled back: then all of it can be tried
/// again. [`PlaceError::Unknown`] when there is no telling in time.
pub(crate) async fn settle(database: &Database, mark: &Mark, answer: Result<(), db::Error>) -> Result<(), PlaceError> {
    // Only a connection that broke leaves it open: any other error is the server's own word that it refused.
    let Err(lost @ db::Error::Unavailable(_)) = answer else { return Ok(answer?) };
    let outcome = find_out(database, mark).await;
    let known = match outcome {
        Some(true) => "committed",
        Some(false) => "rolled back",
        None => "unknown",
    };
    metrics::counter!("orders_commits_settled_total", "outcome" => known).increment(1);
    tracing::warn!(mark.transaction, "the COMMIT was not answered ({lost}): {known}");
    match outcome {
        Some(true) => Ok(()),
        Some(false) => Err(lost.into()),
        None => Err(PlaceError::Unknown),
    }
}

async fn find_out(database: &Database, mark: &Mark) -> Option<bool> {
    let deadline = Instant::now() + LIMIT;
    while Instant::now() < deadline {
        if let Ok(Ok(Some(outcome))) = timeout(Duration::from_secs(1), look(database, mark)).await {
            return Some(outcome);
        }
        sleep(PAUSE).await;
    }
    None
}

/// Whether it was committed; `None` while it is under way.
async fn look(database: &Database, mark: &Mark) -> Result<Option<bool>, db::Error> {
    match status(database, &mark.transaction).await {
        Ok(Some(status)) if status == "in progress" => return Ok(None),
        // A number that is not given out yet: the server crashed, and the transaction with it.
        Ok(_) | Err(db::Error::Query(_)) => {}
        Err(error) => return Err(error),
    }
    let mut conn = database.connection().await?;
    let order = orders::table
        .filter(orders::store_id.eq(mark.store_id))
        .filter(orders::id.eq(mark.order_id))
        .filter(orders::created_at.eq(mark.created_at));
    Ok(Some(diesel::select(exists(order)).get_result(&mut conn).await?))
}

async fn status(database: &Database, transaction: &str) -> Result<Option<String>, db::Error> {
    let mut conn = database.connection().await?;
    let row: Row = diesel::sql_query("SELECT pg_xact_status($1::text::xid8) AS status")
        .bind::<Text, _>(transaction)
        .cached()
        .get_result(&mut conn)
        .await?;
    Ok(row.status)
}
