//! Which customers were told, and which were not.

use chrono::{DateTime, Utc};
use db::{CachedDsl, Rows, Seek};
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
    /// How often sending was begun.
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

/// Which confirmations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Every one.
    All,
    /// Those that were not sent, yet or for good.
    Unsent,
}

/// A page of confirmations, the newest first. Nothing is counted, and a page costs the same at any depth: those that
/// were not sent have an index of their own, all of them come along with their orders.
///
/// # Errors
/// Those of the database.
pub async fn confirmations(
    mut conn: &AsyncPgConnection,
    wanted: Wanted,
    from: Option<DateTime<Utc>>,
    before: Option<DateTime<Utc>>,
    seek: &Seek<SortKey>,
    size: usize,
) -> Result<Rows<Told>, db::Error> {
    let (after, order) = if seek.is_backward() { (">", "ASC") } else { ("<", "DESC") };
    let (micros, number) = match seek {
        Seek::Skip(_) => (i64::MAX, i64::MAX),
        Seek::After(key) | Seek::Before(key) => *key,
    };
    let (micros, number) = begin((micros, number), from, before, seek.is_backward());
    let found = match wanted {
        // As in the list of orders: only stores with one of the best first rows have a part in the page.
        Wanted::All => {
            let part = |limit: &str| {
                format!(
                    "SELECT orders.store_id, orders.id AS order_id, orders.created_at FROM orders \
                     JOIN confirmations ON confirmations.store_id = orders.store_id AND confirmations.order_id = orders.id \
                     WHERE orders.store_id = store.id AND orders.created_at >= $1 AND orders.created_at < $2 \
                       AND (orders.created_at, orders.id) {after} ($3, $4) \
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
        Wanted::Unsent => {
            format!(
                "SELECT store_id, order_id, created_at FROM confirmations \
                 WHERE state <> 'sent' AND created_at >= $1 AND created_at < $2 AND created_at {after}= $3 \
                   AND (created_at, order_id) {after} ($3, $4) \
                 ORDER BY created_at {order}, order_id {order} LIMIT $5"
            )
        }
    };
    let sql = format!(
        "WITH page AS MATERIALIZED ({found}) \
         SELECT confirmations.order_id, confirmations.store_id, stores.name AS store, confirmations.state, \
                confirmations.attempts, confirmations.sent_at, page.created_at \
         FROM page JOIN confirmations \
             ON confirmations.store_id = page.store_id AND confirmations.order_id = page.order_id \
         JOIN stores ON stores.id = page.store_id \
         ORDER BY page.created_at {order}, page.order_id {order}"
    );
    let limit = i64::try_from(size + 1).unwrap_or(i64::MAX);
    let rows = diesel::sql_query(sql)
        .bind::<Timestamptz, _>(from.unwrap_or_else(|| moment(i64::MIN)))
        .bind::<Timestamptz, _>(before.unwrap_or_else(|| moment(i64::MAX)))
        .bind::<Timestamptz, _>(moment(micros))
        .bind::<BigInt, _>(number)
        .bind::<BigInt, _>(limit);
    let mut rows: Rows<Told> = Rows::new(rows.cached().load(&mut conn).await?, size, seek);
    let given_up = given_up(conn, rows.rows.iter().map(|row| (row.order_id, Some(row.state)))).await?;
    for row in rows.rows.iter_mut().filter(|row| given_up.contains(&row.order_id)) {
        row.state = ConfirmationState::Failed;
    }
    Ok(rows)
}

/// Which of these orders' customers nobody tries to tell any more. That is known to the outbox alone.
pub(super) async fn given_up(
    conn: &AsyncPgConnection,
    orders: impl Iterator<Item = (i64, Option<ConfirmationState>)>,
) -> Result<Vec<i64>, db::Error> {
    let open = orders.filter(|(_, state)| *state == Some(ConfirmationState::Pending)).map(|(order, _)| order);
    let open: Vec<i64> = open.collect();
    match open.is_empty() {
        true => Ok(open),
        false => outbox::parked_among(conn, OrderConfirmed::KIND, "order_id", &open).await,
    }
}
