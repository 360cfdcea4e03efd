//! Commits that were not answered.
//!
//! When the connection breaks after the COMMIT was sent, nobody can tell by that whether it arrived. PostgreSQL knows
//! what became of every transaction by its number (`pg_xact_status`), so it is asked, on another connection, until it
//! has decided. Every order of a batch shares its fate, those with a key of their client's and those without.

use std::time::Duration;

use db::{CachedDsl, Database};
use diesel::sql_types::{Nullable, Text};
use diesel_async::RunQueryDsl;
use tokio::time::{Instant, sleep, timeout};

use crate::place::PlaceError;

/// How long it is asked for. Longer than the server takes to notice that a client is gone: then it rolls back.
const LIMIT: Duration = Duration::from_secs(8);

/// Between two questions.
const PAUSE: Duration = Duration::from_millis(20);

#[derive(diesel::QueryableByName)]
struct Row {
    #[diesel(sql_type = Nullable<Text>)]
    status: Option<String>,
}

/// Whether `transaction` was committed, given what its COMMIT was answered.
///
/// # Errors
/// The answer's own if that says no, or if the transaction was found to be rolled back: then all of it can be tried
/// again. [`PlaceError::Unknown`] when there is no telling in time.
pub(crate) async fn settle(
    database: &Database,
    transaction: &str,
    answer: Result<(), db::Error>,
) -> Result<(), PlaceError> {
    // Only a connection that broke leaves it open: any other error is the server's own word that it refused.
    let Err(lost @ db::Error::Unavailable(_)) = answer else { return Ok(answer?) };
    let outcome = find_out(database, transaction).await;
    let known = match outcome {
        Some(true) => "committed",
        Some(false) => "rolled back",
        None => "unknown",
    };
    metrics::counter!("orders_commits_settled_total", "outcome" => known).increment(1);
    tracing::warn!(transaction, "the COMMIT was not answered ({lost}): {known}");
    match outcome {
        Some(true) => Ok(()),
        Some(false) => Err(lost.into()),
        None => Err(PlaceError::Unknown),
    }
}

async fn find_out(database: &Database, transaction: &str) -> Option<bool> {
    let deadline = Instant::now() + LIMIT;
    while Instant::now() < deadline {
        if let Ok(Ok(Some(status))) = timeout(Duration::from_secs(1), status(database, transaction)).await {
            match status.as_str() {
                "committed" => return Some(true),
                "aborted" => return Some(false),
                _ => {}
            }
        }
        sleep(PAUSE).await;
    }
    None
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
