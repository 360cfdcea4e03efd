//! Reading the log.

use chrono::{DateTime, Utc};
use db::{CachedDsl, Rows, Seek};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;

use crate::schema::audit_log;

/// Entries that one page looks at. Filters that let little through end a page early, so that none takes long.
const STRIDE: i64 = 5_000;

/// An entry.
#[derive(Debug, Clone, PartialEq, HasQuery, QueryableByName)]
#[diesel(table_name = audit_log, check_for_backend(diesel::pg::Pg))]
pub struct Entry {
    /// Its number.
    pub id: i64,
    /// Who did it, as they were called then.
    pub actor: String,
    /// What they did.
    pub action: String,
    /// Kind of the object.
    pub object_kind: String,
    /// Id of the object.
    pub object_id: String,
    /// The object before; `None` when it was made.
    pub before: Option<Value>,
    /// The object after; `None` when it was deleted.
    pub after: Option<Value>,
    /// The request that did it.
    pub request_id: Option<String>,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// Which entries. All of them by default.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Part of who did it, in any case.
    pub actor: Option<String>,
    /// What was done.
    pub action: Option<String>,
    /// Kind of the object.
    pub kind: Option<String>,
    /// Id of the object.
    pub object: Option<String>,
    /// From this moment on.
    pub from: Option<DateTime<Utc>>,
    /// Before this moment.
    pub before: Option<DateTime<Utc>>,
}

/// Place of an entry in the log.
pub type Place = (DateTime<Utc>, i64);

/// The latest entries about an object, newest first.
///
/// # Errors
/// Those of the database.
pub async fn history(mut conn: &AsyncPgConnection, kind: &str, id: &str, limit: i64) -> Result<Vec<Entry>, db::Error> {
    let about = Entry::query().filter(audit_log::object_kind.eq(kind)).filter(audit_log::object_id.eq(id));
    Ok(about.order_by((audit_log::created_at.desc(), audit_log::id.desc())).limit(limit).load(&mut conn).await?)
}

/// The entry with this number.
///
/// # Errors
/// Those of the database.
pub async fn entry(mut conn: &AsyncPgConnection, id: i64) -> Result<Option<Entry>, db::Error> {
    Ok(Entry::query().filter(audit_log::id.eq(id)).first(&mut conn).await.optional()?)
}

/// A page of the log, newest first unless the oldest are to be. Looks at 5,000 entries at most: where these do not fill
/// the page, the place where the look ended comes with it.
///
/// # Errors
/// Those of the database.
pub async fn browse(
    mut conn: &AsyncPgConnection,
    filter: &Filter,
    oldest_first: bool,
    seek: &Seek<Place>,
    size: usize,
) -> Result<(Rows<Entry>, Option<Place>), db::Error> {
    let upward = oldest_first != seek.is_backward();
    let (after, order) = if upward { (">", "ASC") } else { ("<", "DESC") };
    let start = match seek {
        Seek::Skip(_) if upward => (DateTime::<Utc>::MIN_UTC, i64::MIN),
        Seek::Skip(_) => (DateTime::<Utc>::MAX_UTC, i64::MAX),
        Seek::After(place) | Seek::Before(place) => *place,
    };
    let from = sane(filter.from.unwrap_or(DateTime::<Utc>::MIN_UTC));
    let before = sane(filter.before.unwrap_or(DateTime::<Utc>::MAX_UTC));
    // The index is entered at this place, and goes through all that lies before the span otherwise.
    let start = (sane(start.0), start.1);
    let (start, number) = if upward { start.max((from, i64::MIN)) } else { start.min((before, i64::MIN)) };
    // All of one object lies together in an index of its own.
    let object = match (&filter.kind, &filter.object) {
        (Some(_), Some(_)) => "object_kind = $7 AND object_id = $8 AND",
        _ => "",
    };
    let walked = format!(
        "FROM audit_log WHERE {object} (created_at, id) {after} ($1, $2) AND created_at >= $3 AND created_at < $4 \
         ORDER BY created_at {order}, id {order}"
    );
    let limit = i64::try_from(size + 1).unwrap_or(i64::MAX);
    let page = format!(
        "SELECT * FROM (SELECT * {walked} LIMIT {STRIDE}) AS walked \
         WHERE ($5 IS NULL OR strpos(lower(actor), lower($5)) > 0) AND ($6 IS NULL OR action = $6) \
           AND ($7 IS NULL OR object_kind = $7) AND ($8 IS NULL OR object_id = $8) \
         ORDER BY created_at {order}, id {order} LIMIT $9"
    );
    let fetched: Vec<Entry> = diesel::sql_query(page)
        .bind::<Timestamptz, _>(start)
        .bind::<BigInt, _>(number)
        .bind::<Timestamptz, _>(from)
        .bind::<Timestamptz, _>(before)
        .bind::<Nullable<Text>, _>(&filter.actor)
        .bind::<Nullable<Text>, _>(&filter.action)
        .bind::<Nullable<Text>, _>(&filter.kind)
        .bind::<Nullable<Text>, _>(&filter.object)
        .bind::<BigInt, _>(limit)
        .cached()
        .load(&mut conn)
        .await?;
    let mut rows = Rows::new(fetched, size, seek);
    if rows.more {
        return Ok((rows, None));
    }
    #[derive(QueryableByName)]
    struct End {
        #[diesel(sql_type = Timestamptz)]
        created_at: DateTime<Utc>,
        #[diesel(sql_type = BigInt)]
        id: i64,
    }
    let end = diesel::sql_query(format!("SELECT created_at, id {walked} OFFSET {} LIMIT 1", STRIDE - 1))
        .bind::<Timestamptz, _>(start)
        .bind::<BigInt, _>(number)
        .bind::<Timestamptz, _>(from)
        .bind::<Timestamptz, _>(before)
        .bind::<Nullable<Text>, _>(&filter.actor)
        .bind::<Nullable<Text>, _>(&filter.action)
        .bind::<Nullable<Text>, _>(&filter.kind)
        .bind::<Nullable<Text>, _>(&filter.object)
        .cached()
        .get_result::<End>(&mut conn)
        .await
        .optional()?;
    rows.more = end.is_some();
    Ok((rows, end.map(|end| (end.created_at, end.id))))
}

/// Within the years that PostgreSQL and we both know.
fn sane(moment: DateTime<Utc>) -> DateTime<Utc> {
    const YEAR_1: i64 = -62_135_596_800_000_000;
    const YEAR_9999: i64 = 253_370_764_800_000_000;
    DateTime::from_timestamp_micros(moment.timestamp_micros().clamp(YEAR_1, YEAR_9999)).unwrap_or_default()
}
