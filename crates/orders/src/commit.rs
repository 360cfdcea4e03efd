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

/// Whether the marked transaction was committed, given what its last statements and the COMMIT were answered.
///
/// # Errors
/// The answer's own if that says no, or if the transaction was found to be rolled back: then all of it can be tried
/// again. [`PlaceError::Unknown`] when there is no telling in time.
pub(crate) async fn settle(database: &Database, mark: &Mark, answer: Result<(), PlaceError>) -> Result<(), PlaceError> {
    // Only a connection that broke leaves it open: any other error is the server's own word that it refused.
    let Err(lost) = answer else { return Ok(()) };
    if !lost.is_loss() {
        return Err(lost);
    }
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
        Some(false) => Err(lost),
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
        Ok(_) => {}
        // The server crashed, and the transaction with it.
        Err(error) if is_given_out_no_more(&error) => {}
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

/// Whether PostgreSQL does not know the number: `transaction ID 7 is in the future`.
fn is_given_out_no_more(error: &db::Error) -> bool {
    matches!(error, db::Error::Query(refused) if refused.to_string().ends_with("is in the future"))
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};
    use testkit::TestDatabase;

    use super::{Mark, PlaceError, look, settle};

    /// The mark of order 1 of store 1, and that of an order that there is not, both of a transaction that was committed.
    async fn commit(test: &TestDatabase) -> (Mark, Mark) {
        test.build().await.fill(1, 1).await;
        let created_at = DateTime::UNIX_EPOCH;
        let insert = "WITH placed AS (INSERT INTO orders (store_id, id, status, created_at) VALUES (1, 1, 'CONFIRMED', to_timestamp(0))) \
                      SELECT pg_current_xact_id()::text";
        let transaction: String = test.sql().await.query_one(insert, &[]).await.unwrap().get(0);
        let mark = |order_id| Mark { transaction: transaction.clone(), store_id: 1, order_id, created_at };
        (mark(1), mark(2))
    }

    fn lost() -> Result<(), PlaceError> {
        Err(db::Error::Unavailable("the connection broke".into()).into())
    }

    fn assert_rolled_back(answer: Result<(), PlaceError>) {
        let Err(PlaceError::Database(error)) = answer else { panic!("{answer:?}") };
        assert!(matches!(*error, db::Error::Unavailable(_)), "{error}");
    }

    #[tokio::test]
    async fn what_was_committed_counts() {
        let test = TestDatabase::new().await;
        let (committed, _) = commit(&test).await;
        settle(&test, &committed, lost()).await.unwrap();
    }

    #[tokio::test]
    async fn a_number_that_another_transaction_was_given_after_a_crash_proves_nothing() {
        let test = TestDatabase::new().await;
        let (committed, other) = commit(&test).await;
        let earlier = Mark { created_at: DateTime::UNIX_EPOCH - TimeDelta::microseconds(1), ..committed };
        for mark in [other, earlier] {
            assert_rolled_back(settle(&test, &mark, lost()).await);
        }
    }

    #[tokio::test]
    async fn a_number_that_is_not_given_out_was_lost_in_a_crash() {
        let test = TestDatabase::new().await;
        let (_, other) = commit(&test).await;
        let mark = Mark { transaction: "4000000000000".into(), ..other };
        assert_rolled_back(settle(&test, &mark, lost()).await);
    }

    #[tokio::test]
    async fn a_transaction_is_waited_for() {
        let test = TestDatabase::new().await;
        let (_, other) = commit(&test).await;
        let mut sql = test.sql().await;
        let tx = sql.transaction().await.unwrap();
        let transaction: String = tx.query_one("SELECT pg_current_xact_id()::text", &[]).await.unwrap().get(0);
        let mark = Mark { transaction, ..other };
        assert_eq!(look(&test, &mark).await.unwrap(), None);
        let insert =
            "INSERT INTO orders (store_id, id, status, created_at) VALUES (1, 2, 'CONFIRMED', to_timestamp(0))";
        tx.batch_execute(insert).await.unwrap();
        assert_eq!(look(&test, &mark).await.unwrap(), None);
        tx.commit().await.unwrap();
        assert_eq!(look(&test, &mark).await.unwrap(), Some(true));
    }
}
