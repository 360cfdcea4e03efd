//! Which customers were told, and which were not.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use db::{CachedDsl, Rows, Seek};
use diesel::sql_types::{BigInt, Integer, Nullable, Text, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use outbox::Event;

use super::walk::{STRETCH, Walk, Which};
use crate::events::OrderConfirmed;
use crate::order::ConfirmationState;
use crate::read::SortKey;

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

/// A page of confirmations. Nothing is counted. Those that were not sent have an index of their own, all of them come along
/// with their orders. Where what is wanted lies far apart, a page ends early, and the place where the look ended comes
/// with it: no index tells which orders have a confirmation that was sent, nor which were given up, which the outbox
/// alone knows.
///
/// # Errors
/// Those of the database.
pub async fn confirmations(
    conn: &AsyncPgConnection,
    wanted: &Wanted,
    seek: &Seek<SortKey>,
    size: usize,
) -> Result<(Rows<Told>, Option<SortKey>), db::Error> {
    let walk = Walk::new(None, seek, wanted.from, wanted.before, wanted.oldest_first);
    let of_orders = async |which| {
        let (_, order) = walk.direction();
        let found = walk.bind(shown(&walk.keys(which, size + 1), order)).cached().load(&mut &*conn).await?;
        walk.page(conn, which, with_outcome(conn, found).await?, size, seek, Told::key).await
    };
    match wanted.outcome {
        Outcome::Any => of_orders(CONFIRMED).await,
        Outcome::Only(ConfirmationState::Sent) => of_orders(SENT).await,
        Outcome::Unsent => Ok((Rows::new(unsent(conn, &walk, size + 1).await?, size, seek), None)),
        Outcome::Only(_) => {
            let stretch = STRETCH.max(size + 1);
            let mut found = unsent(conn, &walk, stretch).await?;
            let (end, ends_early) = (found.last().map(Told::key), found.len() == stretch);
            found.retain(|told| wanted.includes(told));
            let mut rows = Rows::new(found, size, seek);
            let reached = end.filter(|_| !rows.more && (ends_early || rows.rows.is_empty()));
            rows.more |= ends_early;
            Ok((rows, reached))
        }
    }
}

/// Orders that have a confirmation, and those of which it was sent. A value and no join: it is looked up order by order,
/// whatever the planner believes.
const CONFIRMED: Which = Which::Where(
    "looked.status <> 'REJECTED' AND (SELECT state FROM confirmations \
         WHERE confirmations.store_id = looked.store_id AND confirmations.order_id = looked.order_id) IS NOT NULL",
);
const SENT: Which = Which::Where(
    "looked.status <> 'REJECTED' AND (SELECT state FROM confirmations \
         WHERE confirmations.store_id = looked.store_id AND confirmations.order_id = looked.order_id) = 'sent'",
);

/// The confirmation of this order; `None` where there is nothing to confirm.
///
/// # Errors
/// Those of the database.
pub async fn confirmation(mut conn: &AsyncPgConnection, order_id: i64) -> Result<Option<Told>, db::Error> {
    let found = shown("SELECT store_id, id AS order_id, created_at FROM orders WHERE id = $1", "ASC");
    let rows = diesel::sql_query(found).bind::<BigInt, _>(order_id).cached().load(&mut conn).await?;
    Ok(with_outcome(conn, rows).await?.pop())
}

/// Up to `limit` confirmations that were not sent.
async fn unsent(mut conn: &AsyncPgConnection, walk: &Walk, limit: usize) -> Result<Vec<Told>, db::Error> {
    let (after, order) = walk.direction();
    let found = format!(
        "SELECT store_id, order_id, created_at FROM confirmations \
         WHERE $1 IS NULL AND state <> 'sent' AND created_at >= $2 AND created_at < $3 AND created_at {after}= $4 \
           AND (created_at, order_id) {after} ($4, $5) \
         ORDER BY created_at {order}, order_id {order} LIMIT $6"
    );
    // Bound, unlike the limits of other walks: the index has the moments alone, and a plan for so many rows as a stretch
    // would sort all that there are.
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let found = walk.bind(shown(&found, order)).bind::<BigInt, _>(limit).cached().load(&mut conn).await?;
    with_outcome(conn, found).await
}

/// The statement for what is shown of the confirmations that `found` has the keys of. Each is looked up by its key,
/// whatever the planner believes: hence `OFFSET 0`.
fn shown(found: &str, order: &str) -> String {
    format!(
        "WITH page AS MATERIALIZED ({found}) \
         SELECT page.order_id, page.store_id, stores.name AS store, told.state, told.attempts, told.sent_at, \
                page.created_at \
         FROM page CROSS JOIN LATERAL ( \
             SELECT state, attempts, sent_at FROM confirmations \
             WHERE confirmations.store_id = page.store_id AND confirmations.order_id = page.order_id OFFSET 0) AS told \
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
