//! What was given up, for operators. The database is the truth of it; the broker holds nothing that was given up.

use chrono::{DateTime, Utc};
use db::{CachedDsl, Connection, Tx};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Jsonb, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::schema::outbox;

/// The kind under which messages are parked that cannot be tasks.
pub const UNDECODABLE: &str = "undecodable";

/// An event that was given up.
#[derive(Debug, Clone, PartialEq, diesel::Queryable)]
pub struct Parked {
    /// Its number.
    pub id: i64,
    /// The store that it is about; 0 where the message was none of ours.
    pub store_id: i64,
    /// Its name, or [`UNDECODABLE`].
    pub kind: String,
    /// What happened.
    pub payload: serde_json::Value,
    /// The request that caused it.
    pub request_id: Option<String>,
    /// Attempts that failed.
    pub failures: i32,
    /// Attempts that ended with their process.
    pub crashes: i32,
    /// How the last one failed.
    pub last_error: Option<String>,
    /// When it was given up.
    pub parked_at: Option<DateTime<Utc>>,
    /// When it was recorded.
    pub created_at: DateTime<Utc>,
}

/// Which of the parked events.
#[derive(Debug, Clone, Default)]
pub struct Which {
    /// These numbers alone; none means all.
    pub ids: Option<Vec<i64>>,
    /// This kind alone.
    pub kind: Option<String>,
}

type Columns = (
    outbox::id,
    outbox::store_id,
    outbox::kind,
    outbox::payload,
    outbox::request_id,
    outbox::failures,
    outbox::crashes,
    outbox::last_error,
    outbox::parked_at,
    outbox::created_at,
);

/// The latest event of this kind about a store's object that is still to be done, or was given up: `None` where all are
/// done.
///
/// # Errors
/// Those of the database.
pub async fn standing(
    mut conn: &AsyncPgConnection,
    kind: &str,
    store_id: i64,
    about: &serde_json::Value,
) -> Result<Option<Parked>, db::Error> {
    let found = outbox::table
        .filter(outbox::store_id.eq(store_id))
        .filter(outbox::kind.eq(kind))
        .filter(outbox::payload.contains(about))
        .order_by(outbox::id.desc())
        .select(Columns::default());
    Ok(found.first(&mut conn).await.optional()?)
}

/// Which of these numbers, in the member `name` of their payload, are those of events of this kind that were given up.
///
/// # Errors
/// Those of the database.
pub async fn parked_among(
    mut conn: &AsyncPgConnection,
    kind: &str,
    name: &str,
    numbers: &[i64],
) -> Result<Vec<i64>, db::Error> {
    #[derive(QueryableByName)]
    struct Number {
        #[diesel(sql_type = BigInt)]
        number: i64,
    }
    let sql = "SELECT number FROM unnest($1) AS asked (number) WHERE EXISTS ( \
                   SELECT FROM outbox WHERE parked_at IS NOT NULL AND kind = $2 \
                       AND payload @> jsonb_build_object($3, number))";
    let found: Vec<Number> = diesel::sql_query(sql)
        .bind::<Array<BigInt>, _>(numbers)
        .bind::<Text, _>(kind)
        .bind::<Text, _>(name)
        .cached()
        .load(&mut conn)
        .await?;
    Ok(found.into_iter().map(|found| found.number).collect())
}

/// How many events of this kind were given up, counted up to 100,000.
///
/// # Errors
/// Those of the database.
pub async fn count_parked(mut conn: &AsyncPgConnection, kind: &str) -> Result<i64, db::Error> {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        count: i64,
    }
    let sql =
        "SELECT count(*) FROM (SELECT FROM outbox WHERE parked_at IS NOT NULL AND kind = $1 LIMIT 100000) AS counted";
    let count: Count = diesel::sql_query(sql).bind::<Text, _>(kind).cached().get_result(&mut conn).await?;
    Ok(count.count)
}

/// Parked events, oldest first, from the number after `after` on.
///
/// # Errors
/// Those of the database.
pub async fn parked(conn: &mut Connection, which: &Which, after: i64, limit: i64) -> Result<Vec<Parked>, db::Error> {
    let mut query = outbox::table.filter(outbox::parked_at.is_not_null()).filter(outbox::id.gt(after)).into_boxed();
    if let Some(ids) = &which.ids {
        query = query.filter(outbox::id.eq_any(ids));
    }
    if let Some(kind) = &which.kind {
        query = query.filter(outbox::kind.eq(kind));
    }
    Ok(query.order_by(outbox::id).limit(limit).select(Columns::default()).load(conn).await?)
}

/// Whether an event of this kind was given up that has all of `about` in its payload.
///
/// # Errors
/// Those of the database.
pub async fn is_parked(
    mut conn: &AsyncPgConnection,
    store_id: i64,
    kind: &str,
    about: serde_json::Value,
) -> Result<bool, db::Error> {
    let such = outbox::table
        .filter(outbox::parked_at.is_not_null())
        .filter(outbox::store_id.eq(store_id).and(outbox::kind.eq(kind)))
        .filter(outbox::payload.contains(about));
    Ok(diesel::select(diesel::dsl::exists(such)).get_result(&mut conn).await?)
}

/// Has up to `limit` parked events tried again from the beginning; returns their numbers.
///
/// # Errors
/// Those of the database.
pub async fn redrive(tx: &mut Tx, which: &Which, limit: i64) -> Result<Vec<i64>, db::Error> {
    let ids = lock(tx, which, limit).await?;
    let again = diesel::update(outbox::table.filter(outbox::id.eq_any(&ids)).filter(outbox::parked_at.is_not_null()));
    again
        .set((
            outbox::parked_at.eq(None::<DateTime<Utc>>),
            outbox::published_at.eq(None::<DateTime<Utc>>),
            outbox::worker.eq(None::<i64>),
            outbox::available_at.eq(diesel::dsl::now),
            outbox::failures.eq(0),
            outbox::crashes.eq(0),
        ))
        .execute(&mut **tx)
        .await?;
    Ok(ids)
}

/// Deletes up to `limit` parked events for good; returns their numbers.
///
/// # Errors
/// Those of the database.
pub async fn discard(tx: &mut Tx, which: &Which, limit: i64) -> Result<Vec<i64>, db::Error> {
    let ids = lock(tx, which, limit).await?;
    diesel::delete(outbox::table.filter(outbox::id.eq_any(&ids)).filter(outbox::parked_at.is_not_null()))
        .execute(&mut **tx)
        .await?;
    Ok(ids)
}

async fn lock(tx: &mut Tx, which: &Which, limit: i64) -> Result<Vec<i64>, db::Error> {
    let mut query = outbox::table.filter(outbox::parked_at.is_not_null()).into_boxed();
    if let Some(ids) = &which.ids {
        query = query.filter(outbox::id.eq_any(ids));
    }
    if let Some(kind) = &which.kind {
        query = query.filter(outbox::kind.eq(kind));
    }
    Ok(query.order_by(outbox::id).limit(limit).select(outbox::id).load(&mut **tx).await?)
}

/// Parks a message that cannot be a task, with what an operator needs to know of it. Once, however often it is delivered.
///
/// # Errors
/// Those of the database.
pub async fn park_undecodable(tx: &mut Tx, message: &serde_json::Value, error: &str) -> Result<(), db::Error> {
    diesel::sql_query(
        "INSERT INTO outbox (store_id, kind, payload, failures, last_error, parked_at) \
         SELECT 0, $1, $2, 1, $3, now() WHERE NOT EXISTS ( \
             SELECT FROM outbox WHERE parked_at IS NOT NULL AND kind = $1 AND payload @> $2 AND payload = $2)",
    )
    .bind::<Text, _>(UNDECODABLE)
    .bind::<Jsonb, _>(message)
    .bind::<Text, _>(error)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
