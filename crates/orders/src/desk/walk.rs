//! Walks along the orders of one store or of all, by the moment when they were placed.
//!
//! A page is entered at its place in an index, so it costs the same at any depth and with any number of stores. What no
//! index tells of an order is asked of each in turn, of no more than a stretch of them: where what is wanted lies far
//! apart, a page ends early, and the place where the look ended comes with it.

use chrono::{DateTime, Utc};
use db::{CachedDsl, Rows, Seek};
use diesel::pg::Pg;
use diesel::query_builder::{BoxedSqlQuery, SqlQuery};
use diesel::sql_types::{BigInt, Nullable, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::order::Status;
use crate::read::{SortKey, moment};

/// Orders that one page looks at.
pub(super) const STRETCH: usize = 2_000;

/// Where a walk begins, where it ends, and which way it goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Walk {
    /// Of this store alone.
    store_id: Option<i64>,
    from: Option<DateTime<Utc>>,
    before: Option<DateTime<Utc>>,
    place: SortKey,
    upward: bool,
}

/// Which orders are wanted.
#[derive(Debug, Clone, Copy)]
pub(super) enum Which {
    /// All.
    All,
    /// Those that stand here.
    Of(Status),
    /// Those of which this is so: SQL about `looked`, which has an order's `store_id`, `order_id` and `status`.
    Where(&'static str),
}

impl Which {
    /// Whether an index has these alone.
    fn has_index(self) -> bool {
        matches!(self, Self::All | Self::Of(Status::Pending | Status::Rejected | Status::Cancelled))
    }
}

pub(super) type Statement = BoxedSqlQuery<'static, Pg, SqlQuery>;

#[derive(diesel::QueryableByName)]
struct Place {
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = BigInt)]
    order_id: i64,
}

impl Walk {
    /// From `seek` on, through what was placed from `from` on and before `before`. It is begun where this span begins,
    /// if that comes later on the way: an index is entered at its place, and goes through all that lies before it
    /// otherwise.
    pub(super) fn new(
        store_id: Option<i64>,
        seek: &Seek<SortKey>,
        from: Option<DateTime<Utc>>,
        before: Option<DateTime<Utc>>,
        oldest_first: bool,
    ) -> Self {
        let upward = oldest_first != seek.is_backward();
        let place = match seek {
            Seek::Skip(_) if upward => (i64::MIN, i64::MIN),
            Seek::Skip(_) => (i64::MAX, i64::MAX),
            Seek::After(key) | Seek::Before(key) => *key,
        };
        let edge = |moment: DateTime<Utc>| (moment.timestamp_micros(), i64::MIN);
        let place = match (from.map(edge), before.map(edge)) {
            (Some(from), _) if upward => place.max(from),
            (_, Some(before)) if !upward => place.min(before),
            _ => place,
        };
        Self { store_id, from, before, place, upward }
    }

    /// How places on the way compare with its start, and in which order they come.
    pub(super) fn direction(&self) -> (&'static str, &'static str) {
        if self.upward { (">", "ASC") } else { ("<", "DESC") }
    }

    /// SQL for the first `limit` of what is wanted: `store_id`, `order_id` and `created_at`, in the order of the walk.
    /// Numbers are written into it, since they decide how it is planned.
    pub(super) fn keys(&self, which: Which, limit: usize) -> String {
        let (_, order) = self.direction();
        let condition = match which {
            Which::Where(condition) => condition,
            Which::Of(Status::Confirmed) => "looked.status = 'CONFIRMED'",
            Which::All | Which::Of(_) => "true",
        };
        let stretch = if which.has_index() { limit } else { STRETCH.max(limit) };
        // In the very order of the walk, so that it ends as soon as there are enough.
        format!(
            "SELECT store_id, order_id, created_at FROM ({} LIMIT {stretch}) AS looked \
             WHERE {condition} ORDER BY placed {order}, order_id {order} LIMIT {limit}",
            self.looked(which),
        )
    }

    /// The rows of a page from what a look for `size` of these and one more has found; and the place where it ended, if it
    /// ended early. One that found nothing tells that place in any case, since the way back begins there.
    pub(super) async fn page<T>(
        &self,
        mut conn: &AsyncPgConnection,
        which: Which,
        fetched: Vec<T>,
        size: usize,
        seek: &Seek<SortKey>,
        key: impl Fn(&T) -> SortKey,
    ) -> Result<(Rows<T>, Option<SortKey>), db::Error> {
        let last = fetched.last().map(key);
        let mut rows = Rows::new(fetched, size, seek);
        if which.has_index() || rows.more {
            return Ok((rows, None));
        }
        let stretch = STRETCH.max(size + 1);
        let statement = self.bind(format!("{} LIMIT {}", self.looked(which), stretch + 1));
        let mut looked: Vec<Place> = statement.cached().load(&mut conn).await?;
        rows.more = looked.len() > stretch;
        looked.truncate(stretch);
        let end = looked.last().filter(|_| rows.more || rows.rows.is_empty());
        let end = end.map(|place| (place.created_at.timestamp_micros(), place.order_id));
        // Where so many orders came meanwhile that this look ended before what the first one had found.
        let end = match (end, last) {
            (Some(end), Some(last)) if self.upward => Some(end.max(last)),
            (Some(end), Some(last)) => Some(end.min(last)),
            (end, _) => end,
        };
        Ok((rows, end))
    }

    /// Binds the walk, $1 to $5.
    pub(super) fn bind(&self, sql: String) -> Statement {
        diesel::sql_query(sql)
            .into_boxed()
            .bind::<Nullable<BigInt>, _>(self.store_id)
            .bind::<Timestamptz, _>(self.from.unwrap_or_else(|| moment(i64::MIN)))
            .bind::<Timestamptz, _>(self.before.unwrap_or_else(|| moment(i64::MAX)))
            .bind::<Timestamptz, _>(moment(self.place.0))
            .bind::<BigInt, _>(self.place.1)
    }

    /// SQL for the orders on the way, which a limit is to follow. The orders of one store have an index by moments, those
    /// of all stores one by the same moments in UTC; neither can be planned through the other. One status of all stores
    /// is a span of rows of its index, and sorted as such: given the status as a value, the planner may prefer to walk all
    /// orders in the hope of soon meeting some that have it, or to sort those that it believes are few.
    fn looked(&self, which: Which) -> String {
        let (after, order) = self.direction();
        let utc = |moment: &str| match self.store_id {
            Some(_) => moment.to_owned(),
            None => format!("({moment} AT TIME ZONE 'UTC')"),
        };
        let (placed, from, before, place) = (utc("orders.created_at"), utc("$2"), utc("$3"), utc("$4"));
        // The predicate of both indexes of exceptions, word for word.
        const EXCEPTIONS: &str = "orders.status <> 'CONFIRMED'";
        let status = match which {
            Which::Of(status) if which.has_index() => Some(status.as_str()),
            _ => None,
        };
        let (conditions, sorted) = match (self.store_id, status) {
            (None, Some(status)) => (
                format!(
                    "{EXCEPTIONS} AND (orders.status, {placed}) >= ('{status}', {from}) \
                     AND (orders.status, {placed}) < ('{status}', {before}) \
                     AND (orders.status, {placed}, orders.id) {after} ('{status}', {place}, $5)"
                ),
                format!("orders.status {order}, {placed} {order}, orders.id {order}"),
            ),
            (_, status) => (
                format!(
                    "{placed} >= {from} AND {placed} < {before} AND ({placed}, orders.id) {after} ({place}, $5) {}",
                    status.map(|status| format!("AND {EXCEPTIONS} AND orders.status = '{status}'")).unwrap_or_default()
                ),
                format!("{placed} {order}, orders.id {order}"),
            ),
        };
        let of_store = if self.store_id.is_some() { "orders.store_id = $1" } else { "$1 IS NULL" };
        format!(
            "SELECT orders.store_id, orders.id AS order_id, orders.created_at, orders.status, {placed} AS placed \
             FROM orders WHERE {of_store} AND {conditions} ORDER BY {sorted}"
        )
    }
}
