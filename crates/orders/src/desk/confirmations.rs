//! Which customers were told, and which were not.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use db::{CachedDsl, Rows, Seek};
use diesel::OptionalExtension;
use diesel::sql_types::{BigInt, Integer, Nullable, Text, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use outbox::Event;

use super::begin;
use crate::events::OrderConfirmed;
use crate::order::ConfirmationState;
use crate::read::{SortKey, moment};

/// A confirmation in a list.
#[derive(Debug, Clone, PartialEq, Eq, diesel::QueryableByName)]
pub struct Told {
    /// The order's number.
    #[diesel(sql_type = BigInt)]
    pub order_id: i64,
    /// Its store.
    #[diesel(sql_type = BigInt)]
    pub store_id: i64,
    /// The store's name.
    #[diesel(sql_type = Text)]
    pub store: String,
    /// Whether the customer was told.
    #[diesel(sql_type = Text)]
    pub state: ConfirmationState,
    /// How many attempts it took to send it; 0 until then, however many have failed.
    #[diesel(sql_type = Integer)]
    pub attempts: i32,
    /// When it was sent.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub sent_at: Option<DateTime<Utc>>,
    /// When the order was confirmed.
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
}

impl Told {
    /// Its place in the list.
    pub fn key(&self) -> SortKey {
        (self.created_at.timestamp_micros(), self.order_id)
    }
}

/// What became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Outcome {
    /// Whatever it was.
    #[default]
    Any,
    /// Not sent, yet or for good.
    Unsent,
    /// In this state.
    Only(ConfirmationState),
}

/// Which confirmations, the newest first unless the oldest are to be. All of them by default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wanted {
    /// What became of them.
    pub outcome: Outcome,
    /// Of orders from this moment on.
    pub from: Option<DateTime<Utc>>,
    /// Of orders before this moment.
    pub before: Option<DateTime<Utc>>,
    /// Which come first.
    pub oldest_first: bool,
}

impl Wanted {
    /// Whether this is one of them.
    pub fn includes(&self, told: &Told) -> bool {
        let is_such = match self.outcome {
            Outcome::Any => true,
            Outcome::Unsent => told.state != ConfirmationState::Sent,
            Outcome::Only(state) => told.state == state,
        };
        let is_later = self.from.is_none_or(|from| told.created_at >= from);
        is_such && is_later && self.before.is_none_or(|before| told.created_at < before)
    }
}

/// Where a page comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Along {
    /// Store by store along the orders, with all that were confirmed or those alone whose customers were told.
    Orders { sent: bool },
    /// The index of those that were not sent.
    Unsent,
}

/// A walk: where it begins, where it ends, and which way it goes.
#[derive(Debug, Clone, Copy)]
struct Walk {
    from: Option<DateTime<Utc>>,
    before: Option<DateTime<Utc>>,
    place: SortKey,
    upward: bool,
}

/// Confirmations that one page looks at in vain, so that none takes long: those that are not sent have an index, but
/// which of them were given up is known to the outbox alone.
const STRETCH: usize = 1_000;

/// Unsent ones that a page of those that were sent passes over. They are in its way only where nobody sends any.
const UNSENT: i64 = 5_000;

/// A page of confirmations. Nothing is counted, and a page costs the same at any depth: those that were not sent have an
/// index of their own, all of them come along with their orders, of which those that were rejected are passed over. Where
/// what is wanted lies far apart, a page ends early, and the place where the look ended comes with it.
///
/// # Errors
/// Those of the database.
pub async fn confirmations(
    conn: &AsyncPgConnection,
    wanted: &Wanted,
    seek: &Seek<SortKey>,
    size: usize,
) -> Result<(Rows<Told>, Option<SortKey>), db::Error> {
    let upward = wanted.oldest_first != seek.is_backward();
    let place = match seek {
        Seek::Skip(_) if upward => (i64::MIN, i64::MIN),
        Seek::Skip(_) => (i64::MAX, i64::MAX),
        Seek::After(key) | Seek::Before(key) => *key,
    };
    let place = begin(place, wanted.from, wanted.before, upward);
    let walk = Walk { from: wanted.from, before: wanted.before, place, upward };
    let (fetched, reached) = match wanted.outcome {
        Outcome::Any => (walk.page(conn, Along::Orders { sent: false }, size + 1).await?, None),
        Outcome::Unsent => (walk.page(conn, Along::Unsent, size + 1).await?, None),
        Outcome::Only(ConfirmationState::Sent) => {
            let edge = walk.edge(conn).await?;
            let walk = edge.map_or(walk, |edge| walk.until(edge));
            let reached = edge.map(|edge| (edge.timestamp_micros(), if upward { i64::MAX } else { i64::MIN }));
            (walk.page(conn, Along::Orders { sent: true }, size + 1).await?, reached)
        }
        Outcome::Only(_) => {
            let stretch = STRETCH.max(size + 1);
            let mut found = walk.page(conn, Along::Unsent, stretch).await?;
            let reached = found.last().filter(|_| found.len() == stretch).map(Told::key);
            found.retain(|told| wanted.includes(told));
            (found, reached)
        }
    };
    let rows = Rows::new(fetched, size, seek);
    let reached = reached.filter(|_| !rows.more);
    Ok((rows, reached))
}

/// The confirmation of this order; `None` where there is nothing to confirm.
///
/// # Errors
/// Those of the database.
pub async fn confirmation(mut conn: &AsyncPgConnection, order_id: i64) -> Result<Option<Told>, db::Error> {
    let found = shown("SELECT store_id, id AS order_id, created_at FROM orders WHERE id = $1", "ASC");
    let rows = diesel::sql_query(found).bind::<BigInt, _>(order_id).cached().load(&mut conn).await?;
    Ok(with_outcome(conn, rows).await?.pop())
}

impl Walk {
    /// The same, no farther than this moment.
    fn until(self, edge: DateTime<Utc>) -> Self {
        match self.upward {
            true => Self { before: Some(edge + TimeDelta::microseconds(1)), ..self },
            false => Self { from: Some(edge), ..self },
        }
    }

    /// Up to `limit` confirmations, in the direction of the walk.
    async fn page(&self, mut conn: &AsyncPgConnection, along: Along, limit: usize) -> Result<Vec<Told>, db::Error> {
        let (after, order) = self.direction();
        let found = match along {
            // As in the list of orders: only stores with one of the best first rows have a part in the page.
            Along::Orders { sent } => {
                // A value and no join: looked up row by row, along the index of the orders, whatever the planner believes.
                let sent = if sent { "= 'sent'" } else { "IS NOT NULL" };
                let part = |limit: &str| {
                    format!(
                        "SELECT orders.store_id, orders.id AS order_id, orders.created_at FROM orders \
                         WHERE orders.store_id = store.id AND orders.created_at >= $1 AND orders.created_at < $2 \
                           AND (orders.created_at, orders.id) {after} ($3, $4) \
                           AND (SELECT state FROM confirmations WHERE confirmations.store_id = orders.store_id \
                                AND confirmations.order_id = orders.id) {sent} \
                         ORDER BY orders.created_at {order}, orders.id {order} LIMIT {limit}"
                    )
                };
                format!(
                    "SELECT found.* FROM ( \
                         SELECT head.store_id AS id FROM stores AS store CROSS JOIN LATERAL ({}) AS head \
                         ORDER BY head.created_at {order}, head.order_id {order} LIMIT $5) AS store \
                     CROSS JOIN LATERAL ({}) AS found \
                     ORDER BY found.created_at {order}, found.order_id {order} LIMIT $5",
                    part("1"),
                    part("$5")
                )
            }
            Along::Unsent => {
                format!(
                    "SELECT store_id, order_id, created_at FROM confirmations \
                     WHERE state <> 'sent' AND created_at >= $1 AND created_at < $2 AND created_at {after}= $3 \
                       AND (created_at, order_id) {after} ($3, $4) \
                     ORDER BY created_at {order}, order_id {order} LIMIT $5"
                )
            }
        };
        let (from, before) = self.span();
        let rows = diesel::sql_query(shown(&found, order))
            .bind::<Timestamptz, _>(from)
            .bind::<Timestamptz, _>(before)
            .bind::<Timestamptz, _>(moment(self.place.0))
            .bind::<BigInt, _>(self.place.1)
            .bind::<BigInt, _>(i64::try_from(limit).unwrap_or(i64::MAX));
        with_outcome(conn, rows.cached().load(&mut conn).await?).await
    }

    /// The moment at which the walk has passed over so many unsent ones; `None` where there are fewer.
    async fn edge(&self, mut conn: &AsyncPgConnection) -> Result<Option<DateTime<Utc>>, db::Error> {
        #[derive(diesel::QueryableByName)]
        struct Edge {
            #[diesel(sql_type = Timestamptz)]
            created_at: DateTime<Utc>,
        }
        let (after, order) = self.direction();
        let sql = format!(
            "SELECT created_at FROM confirmations \
             WHERE state <> 'sent' AND created_at >= $1 AND created_at < $2 AND created_at {after}= $3 \
             ORDER BY created_at {order} OFFSET {UNSENT} LIMIT 1"
        );
        let (from, before) = self.span();
        let edge = diesel::sql_query(sql)
            .bind::<Timestamptz, _>(from)
            .bind::<Timestamptz, _>(before)
            .bind::<Timestamptz, _>(moment(self.place.0));
        let edge: Option<Edge> = edge.cached().get_result(&mut conn).await.optional()?;
        Ok(edge.map(|edge| edge.created_at))
    }

    fn span(&self) -> (DateTime<Utc>, DateTime<Utc>) {
        (self.from.unwrap_or_else(|| moment(i64::MIN)), self.before.unwrap_or_else(|| moment(i64::MAX)))
    }

    fn direction(&self) -> (&'static str, &'static str) {
        if self.upward { (">", "ASC") } else { ("<", "DESC") }
    }
}

/// The statement for what is shown of the confirmations that `found` has the keys of.
fn shown(found: &str, order: &str) -> String {
    format!(
        "WITH page AS MATERIALIZED ({found}) \
         SELECT confirmations.order_id, confirmations.store_id, stores.name AS store, confirmations.state, \
                confirmations.attempts, confirmations.sent_at, page.created_at \
         FROM page JOIN confirmations \
             ON confirmations.store_id = page.store_id AND confirmations.order_id = page.order_id \
         JOIN stores ON stores.id = page.store_id \
         ORDER BY page.created_at {order}, page.order_id {order}"
    )
}

/// The same rows, with those marked that were given up.
async fn with_outcome(conn: &AsyncPgConnection, mut rows: Vec<Told>) -> Result<Vec<Told>, db::Error> {
    let given_up = given_up(conn, rows.iter().map(|row| (row.order_id, Some(row.state)))).await?;
    for row in rows.iter_mut().filter(|row| given_up.contains(&row.order_id)) {
        row.state = ConfirmationState::Failed;
    }
    Ok(rows)
}

/// Which of these orders' customers nobody tries to tell any more. That is known to the outbox alone.
pub(super) async fn given_up(
    conn: &AsyncPgConnection,
    orders: impl Iterator<Item = (i64, Option<ConfirmationState>)>,
) -> Result<HashSet<i64>, db::Error> {
    let open = orders.filter(|(_, state)| *state == Some(ConfirmationState::Pending)).map(|(order, _)| order);
    let open: Vec<i64> = open.collect();
    match open.is_empty() {
        true => Ok(HashSet::new()),
        false => Ok(outbox::parked_among(conn, OrderConfirmed::KIND, "order_id", &open).await?.into_iter().collect()),
    }
}
