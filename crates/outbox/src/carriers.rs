//! Those who carry events on, as far as the database knows of them: for whoever has no connection to the broker.

use db::{CachedDsl, Connection};
use diesel::sql_types::{BigInt, Double, Nullable};
use diesel_async::RunQueryDsl;

/// What can be told of workers and of the broker without asking either.
#[derive(Debug, Clone, Copy, Default, PartialEq, diesel::QueryableByName)]
pub struct Carriers {
    /// Workers that are alive: each holds the advisory lock of its number, on a connection that is open as long as its
    /// process.
    #[diesel(sql_type = BigInt)]
    pub workers: i64,
    /// Seconds since one of them was heard, which is twice a second; `None` where there is none, or where PostgreSQL
    /// does not let us know.
    #[diesel(sql_type = Nullable<Double>)]
    pub seen_seconds: Option<f64>,
    /// Seconds that the event has waited that has been due for longest and nobody has taken; `None` where none is due.
    /// They are taken the oldest first, so nothing else was published for so long.
    #[diesel(sql_type = Nullable<Double>)]
    pub due_seconds: Option<f64>,
    /// Seconds since the broker confirmed one of the latest events whose tasks are not done yet; `None` where all are
    /// done, or there is no broker.
    #[diesel(sql_type = Nullable<Double>)]
    pub published_seconds: Option<f64>,
}

/// Looks at the workers' locks and at both ends of the outbox, which takes no longer the more there is.
///
/// # Errors
/// Those of the database.
pub async fn carriers(conn: &mut Connection) -> Result<Carriers, db::Error> {
    let query = diesel::sql_query(
        "WITH workers AS (SELECT state_change FROM pg_locks JOIN pg_stat_activity USING (pid) \
                          WHERE locktype = 'advisory' AND mode = 'ExclusiveLock' AND granted AND objsubid = 1 \
                            AND database = datid AND datname = current_database() \
                            AND application_name = 'stockroom-worker'), \
              waiting AS (SELECT available_at FROM outbox \
                          WHERE parked_at IS NULL AND published_at IS NULL ORDER BY id LIMIT 1000), \
              published AS (SELECT published_at FROM outbox \
                            WHERE parked_at IS NULL AND published_at IS NOT NULL ORDER BY id DESC LIMIT 1000), \
              moments AS (SELECT (SELECT max(state_change) FROM workers) AS seen, \
                                 (SELECT min(available_at) FROM waiting WHERE available_at <= now()) AS due, \
                                 (SELECT max(published_at) FROM published) AS published) \
         SELECT (SELECT count(*) FROM workers) AS workers, \
                greatest(extract(epoch FROM now() - seen), 0)::float8 AS seen_seconds, \
                extract(epoch FROM now() - due)::float8 AS due_seconds, \
                extract(epoch FROM now() - published)::float8 AS published_seconds \
         FROM moments",
    );
    Ok(query.cached().get_result(conn).await?)
}
