//! How much waits, for the gauges.

use db::{CachedDsl, Connection};
use diesel::sql_types::{BigInt, Double};
use diesel_async::RunQueryDsl;

/// What is in the outbox. Numbers are counted up to 100,000.
#[derive(Debug, Clone, Copy, Default, PartialEq, diesel::QueryableByName)]
pub struct Backlog {
    /// Events that wait to be carried on.
    #[diesel(sql_type = BigInt)]
    pub waiting: i64,
    /// Those of them whose time has come: without a broker, the others run or wait after a failure.
    #[diesel(sql_type = BigInt)]
    pub due: i64,
    /// Events that the broker has, or that a worker took from it: their tasks are not done yet.
    #[diesel(sql_type = BigInt)]
    pub published: i64,
    /// Age in seconds of the oldest event whose task is not done and has not failed yet; 0 when there is none.
    #[diesel(sql_type = Double)]
    pub oldest_seconds: f64,
    /// Events whose task failed and comes again.
    #[diesel(sql_type = BigInt)]
    pub retrying: i64,
    /// Events that were given up.
    #[diesel(sql_type = BigInt)]
    pub parked: i64,
}

/// Measures the outbox. Costs no more, however long it is, than counting as far as the numbers go.
///
/// # Errors
/// Those of the database.
pub async fn backlog(conn: &mut Connection) -> Result<Backlog, db::Error> {
    let query = diesel::sql_query(
        "WITH waiting AS (SELECT created_at, failures, available_at <= now() AS is_due FROM outbox \
                          WHERE parked_at IS NULL AND published_at IS NULL ORDER BY id LIMIT 100000), \
              published AS (SELECT created_at, failures, false AS is_due FROM outbox \
                            WHERE parked_at IS NULL AND published_at IS NOT NULL ORDER BY id LIMIT 100000), \
              alive AS (SELECT * FROM waiting UNION ALL SELECT * FROM published) \
         SELECT (SELECT count(*) FROM waiting) AS waiting, \
                (SELECT count(*) FROM waiting WHERE is_due) AS due, \
                (SELECT count(*) FROM published) AS published, \
                coalesce((SELECT extract(epoch FROM now() - min(created_at))::float8 FROM alive \
                          WHERE failures = 0), 0) AS oldest_seconds, \
                (SELECT count(*) FROM alive WHERE failures > 0) AS retrying, \
                (SELECT count(*) FROM (SELECT FROM outbox WHERE parked_at IS NOT NULL LIMIT 100000) AS counted) AS parked",
    );
    Ok(query.cached().get_result(conn).await?)
}
