//! What was given up, for operators. The database is the truth of it; the broker holds nothing that was given up.

use chrono::{DateTime, Utc};
use db::{CachedDsl, Connection, Rows, Seek, Tx};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Jsonb, Text, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::schema::outbox;
use crate::task::without_nul;

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
    /// Given up from this moment on.
    pub from: Option<DateTime<Utc>>,
    /// Given up before this moment.
    pub before: Option<DateTime<Utc>>,
}

impl Which {
    /// Whether these are all of them.
    fn is_all(&self) -> bool {
        self.ids.is_none() && self.kind.is_none() && self.from.is_none() && self.before.is_none()
    }

    fn rows(&self) -> outbox::BoxedQuery<'static, Pg> {
        let mut query = outbox::table.filter(outbox::parked_at.is_not_null()).into_boxed();
        if let Some(ids) = &self.ids {
            query = query.filter(outbox::id.eq_any(ids.clone()));
        }
        if let Some(kind) = &self.kind {
            query = query.filter(outbox::kind.eq(kind.clone()));
        }
        if let Some(from) = self.from {
            query = query.filter(outbox::parked_at.ge(from));
        }
        if let Some(before) = self.before {
            query = query.filter(outbox::parked_at.lt(before));
        }
        query
    }
}

/// Parked events that one page looks at. Filters that let little through end a page early, so that none takes long: no
/// index knows of parked events by kind or moment.
const STRETCH: i64 = 5_000;

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
    // Counted, though one is enough: joined, all parked events may be read, and looked for until there is one, they are
    // read in turn in the hope of soon meeting it.
    let sql = "SELECT number FROM unnest($1) AS asked (number) WHERE 0 < ( \
                   SELECT count(*) FROM outbox WHERE parked_at IS NOT NULL AND kind = $2 \
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
    let after = which.rows().filter(outbox::id.gt(after));
    Ok(after.order_by(outbox::id).limit(limit).select(Columns::default()).load(conn).await?)
}

/// A page of parked events by number, the highest first where `descending`. Nothing is counted, and 5,000 are looked at
/// at most: where these do not fill the page, the number at which the look ended comes with it.
///
/// # Errors
/// Those of the database.
pub async fn browse_parked(
    mut conn: &AsyncPgConnection,
    which: &Which,
    descending: bool,
    seek: &Seek<i64>,
    size: usize,
) -> Result<(Rows<Parked>, Option<i64>), db::Error> {
    let upward = descending == seek.is_backward();
    let along = |query: outbox::BoxedQuery<'static, Pg>| match (seek, upward) {
        (Seek::Skip(_), true) => query.order_by(outbox::id.asc()),
        (Seek::Skip(_), false) => query.order_by(outbox::id.desc()),
        (Seek::After(id) | Seek::Before(id), true) => query.filter(outbox::id.gt(*id)).order_by(outbox::id.asc()),
        (Seek::After(id) | Seek::Before(id), false) => query.filter(outbox::id.lt(*id)).order_by(outbox::id.desc()),
    };
    let mut end = None;
    if !which.is_all() {
        let passed = along(Which::default().rows()).select(outbox::id).offset(STRETCH - 1).limit(1);
        end = passed.first::<i64>(&mut conn).await.optional()?;
    }
    let mut page = along(which.rows());
    if let Some(end) = end {
        page = if upward { page.filter(outbox::id.le(end)) } else { page.filter(outbox::id.ge(end)) };
    }
    let limit = i64::try_from(size + 1).unwrap_or(i64::MAX);
    let mut rows = Rows::new(page.limit(limit).select(Columns::default()).load(&mut conn).await?, size, seek);
    let reached = end.filter(|_| !rows.more);
    rows.more |= reached.is_some();
    Ok((rows, reached))
}

/// How many parked events these are, counted up to `most`, and the moment of counting: what is given up after it was not
/// counted.
///
/// # Errors
/// Those of the database.
pub async fn count_which(
    mut conn: &AsyncPgConnection,
    which: &Which,
    most: i64,
) -> Result<(usize, DateTime<Utc>), db::Error> {
    let now = diesel::select(diesel::dsl::now.into_sql::<Timestamptz>()).get_result(&mut conn).await?;
    let ids: Vec<i64> = which.rows().select(outbox::id).limit(most).load(&mut conn).await?;
    Ok((ids.len(), now))
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
    loop {
        let ids = some(tx, which, limit).await?;
        let parked = outbox::table.filter(outbox::id.eq_any(&ids)).filter(outbox::parked_at.is_not_null());
        let again = diesel::update(parked).set((
            outbox::parked_at.eq(None::<DateTime<Utc>>),
            outbox::published_at.eq(None::<DateTime<Utc>>),
            outbox::worker.eq(None::<i64>),
            outbox::available_at.eq(diesel::dsl::now),
            outbox::failures.eq(0),
            outbox::crashes.eq(0),
        ));
        let mut done: Vec<i64> = again.returning(outbox::id).get_results(&mut **tx).await?;
        // Somebody else may have taken them meanwhile: what is returned was done here, and nothing means nothing left.
        if ids.is_empty() || !done.is_empty() {
            done.sort_unstable();
            return Ok(done);
        }
    }
}

/// Deletes up to `limit` parked events for good; returns their numbers.
///
/// # Errors
/// Those of the database.
pub async fn discard(tx: &mut Tx, which: &Which, limit: i64) -> Result<Vec<i64>, db::Error> {
    loop {
        let ids = some(tx, which, limit).await?;
        let parked = outbox::table.filter(outbox::id.eq_any(&ids)).filter(outbox::parked_at.is_not_null());
        let mut done: Vec<i64> = diesel::delete(parked).returning(outbox::id).get_results(&mut **tx).await?;
        // As above.
        if ids.is_empty() || !done.is_empty() {
            done.sort_unstable();
            return Ok(done);
        }
    }
}

async fn some(tx: &mut Tx, which: &Which, limit: i64) -> Result<Vec<i64>, db::Error> {
    Ok(which.rows().order_by(outbox::id).limit(limit).select(outbox::id).load(&mut **tx).await?)
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
    .bind::<Text, _>(without_nul(error))
    .execute(&mut **tx)
    .await?;
    Ok(())
}
