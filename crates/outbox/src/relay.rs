//! Taking events to carry them on.

use std::time::Duration;

use db::{CachedDsl, Connection, Tx};
use diesel::dsl;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Double, Jsonb, Text};
use diesel_async::RunQueryDsl;

use crate::schema::outbox;

/// Which event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The store that it is about.
    pub store_id: i64,
    /// Its number: the later one was recorded later, or nearly so.
    pub id: i64,
}

/// An event that this transaction alone may carry on.
#[derive(Debug, Clone, PartialEq, diesel::Queryable)]
pub struct Claimed {
    /// Its number: the later one was recorded later, or nearly so.
    pub id: i64,
    /// The store that it is about.
    pub store_id: i64,
    /// Its name, as in [`Event::KIND`](crate::Event::KIND).
    pub kind: String,
    /// What happened.
    pub payload: serde_json::Value,
    /// The request that caused it.
    pub request_id: Option<String>,
    /// The trace that it belongs to.
    pub traceparent: Option<String>,
    /// The worker that ran its task and did not say how that ended.
    pub worker: Option<i64>,
    /// Attempts that failed.
    pub failures: i32,
    /// Attempts that ended with their process.
    pub crashes: i32,
    /// How long it has been due, in seconds.
    pub waited_seconds: f64,
}

impl Claimed {
    /// Which event it is.
    pub fn key(&self) -> Key {
        Key { store_id: self.store_id, id: self.id }
    }
}

/// Which events to claim.
#[derive(Debug, Clone, Copy, Default)]
pub struct Among<'a> {
    /// Some kinds, each with members of the payload.
    pub asides: &'a [(&'a str, &'a serde_json::Value)],
    /// Whether to take those that fit one of them; else those that fit none, which are all where there is none.
    pub is_aside: bool,
    /// Those alone that nobody ever left behind.
    pub is_fresh: bool,
}

/// Claims up to `limit` events that are due and not with the broker, oldest first, passing over those that other
/// transactions hold. They are free again when `tx` ends, however it ends.
///
/// # Errors
/// Those of the database.
pub async fn claim(tx: &mut Tx, limit: i64, among: Among<'_>) -> Result<Vec<Claimed>, db::Error> {
    let (kinds, likes): (Vec<&str>, Vec<&serde_json::Value>) = among.asides.iter().copied().unzip();
    let is_wanted = dsl::sql::<Bool>("EXISTS (SELECT FROM unnest(")
        .bind::<Array<Text>, _>(kinds)
        .sql(", ")
        .bind::<Array<Jsonb>, _>(likes)
        .sql(") AS aside (kind, alike) WHERE aside.kind = outbox.kind AND outbox.payload @> aside.alike) = ")
        .bind::<Bool, _>(among.is_aside);
    let is_fresh_if_asked =
        dsl::sql::<Bool>("(crashes = 0 AND worker IS NULL OR NOT ").bind::<Bool, _>(among.is_fresh).sql(")");
    Ok(outbox::table
        .filter(is_wanted)
        .filter(is_fresh_if_asked)
        .filter(outbox::parked_at.is_null())
        .filter(outbox::published_at.is_null())
        .filter(outbox::available_at.le(dsl::now))
        .order_by(outbox::id)
        .limit(limit)
        .select((
            outbox::id,
            outbox::store_id,
            outbox::kind,
            outbox::payload,
            outbox::request_id,
            outbox::traceparent,
            outbox::worker,
            outbox::failures,
            outbox::crashes,
            dsl::sql::<Double>("extract(epoch FROM clock_timestamp() - available_at)::float8"),
        ))
        .for_update()
        .skip_locked()
        .cached()
        .load(&mut **tx)
        .await?)
}

/// Notes that the broker has confirmed these events: no relay takes them again.
///
/// # Errors
/// Those of the database.
pub async fn mark_published(tx: &mut Tx, events: &[Key]) -> Result<(), db::Error> {
    let (stores, ids) = columns(events);
    diesel::sql_query(
        "UPDATE outbox SET published_at = now(), available_at = now() \
         FROM unnest($1, $2) AS done (store_id, id) \
         WHERE outbox.store_id = done.store_id AND outbox.id = done.id",
    )
    .bind::<Array<BigInt>, _>(stores)
    .bind::<Array<BigInt>, _>(ids)
    .cached()
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Has events published again whose next step is overdue by `late`: the broker must have lost them. Takes up to
/// `limit`, passes over those that other transactions hold, and returns how many there were.
///
/// # Errors
/// Those of the database.
pub async fn recall(tx: &mut Tx, late: Duration, limit: i64) -> Result<usize, db::Error> {
    let recalled = diesel::sql_query(
        "UPDATE outbox SET published_at = NULL, available_at = now() \
         FROM (SELECT store_id, id FROM outbox WHERE parked_at IS NULL AND published_at IS NOT NULL \
               AND available_at < now() - make_interval(secs => $1) \
               ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED) AS late \
         WHERE outbox.store_id = late.store_id AND outbox.id = late.id",
    )
    .bind::<Double, _>(late.as_secs_f64())
    .bind::<BigInt, _>(limit)
    .cached()
    .execute(&mut **tx)
    .await?;
    Ok(recalled)
}

/// How many events are overdue by `late` that the broker has or a worker, counted up to 100,000.
///
/// # Errors
/// Those of the database.
pub async fn count_overdue(conn: &mut Connection, late: Duration) -> Result<i64, db::Error> {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        count: i64,
    }
    let query = diesel::sql_query(
        "SELECT count(*) FROM (SELECT FROM outbox WHERE parked_at IS NULL AND published_at IS NOT NULL \
                               AND available_at < now() - make_interval(secs => $1) LIMIT 100000) AS counted",
    );
    Ok(query.bind::<Double, _>(late.as_secs_f64()).cached().get_result::<Count>(conn).await?.count)
}

pub(crate) fn columns(events: &[Key]) -> (Vec<i64>, Vec<i64>) {
    events.iter().map(|event| (event.store_id, event.id)).unzip()
}
