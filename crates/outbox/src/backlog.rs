//! How much waits, for the gauges.

use db::{CachedDsl, Connection};
use diesel::sql_types::{BigInt, Double};
use diesel_async::RunQueryDsl;

/// What waits in the outbox.
#[derive(Debug, Clone, Copy, PartialEq, diesel::QueryableByName)]
pub struct Backlog {
    /// Events that wait, counted up to 100,000.
    #[diesel(sql_type = BigInt)]
    pub waiting: i64,
    /// Age of the oldest of them in seconds; 0 when none waits.
    #[diesel(sql_type = Double)]
    pub oldest_seconds: f64,
    /// Events that were given up, counted up to 100,000.
    #[diesel(sql_type = BigInt)]
    pub parked: i64,
}

/// Measures the outbox. Costs the same however long it is.
///
/// # Errors
/// Those of the database.
pub async fn backlog(conn: &mut Connection) -> Result<Backlog, db::Error> {
    let query = diesel::sql_query(
        "SELECT (SELECT count(*) FROM (SELECT FROM outbox WHERE parked_at IS NULL LIMIT 100000) AS counted) AS waiting, \
                coalesce((SELECT extract(epoch FROM now() - created_at)::float8 FROM outbox \
                          WHERE parked_at IS NULL ORDER BY id LIMIT 1), 0) AS oldest_seconds, \
                (SELECT count(*) FROM (SELECT FROM outbox WHERE parked_at IS NOT NULL LIMIT 100000) AS counted) AS parked",
    );
    Ok(query.cached().get_result(conn).await?)
}
