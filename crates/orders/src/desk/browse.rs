//! Orders of one store or of all, newest first or oldest first.

use chrono::{DateTime, Utc};
use db::{CachedDsl, Rows, Seek};
use diesel::sql_types::{BigInt, Nullable, Numeric, Text, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use rust_decimal::Decimal;

use super::begin;
use super::confirmations::given_up;
use crate::order::{ConfirmationState, Status};
use crate::read::{Filter, SortKey, moment};

/// An order in a list.
#[derive(Debug, Clone, PartialEq, Eq, diesel::QueryableByName)]
pub struct Browsed {
    /// Its number.
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    /// Its store.
    #[diesel(sql_type = BigInt)]
    pub store_id: i64,
    /// The store's name.
    #[diesel(sql_type = Text)]
    pub store: String,
    /// Where it stands.
    #[diesel(sql_type = Text)]
    pub status: Status,
    /// When it was decided.
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    /// Sum of the lines' quantities.
    #[diesel(sql_type = BigInt)]
    pub total_items: i64,
    /// Sum of quantity times unit price.
    #[diesel(sql_type = Numeric)]
    pub total_price: Decimal,
    /// Whether its customer was told; `None` where there is nothing to tell.
    #[diesel(sql_type = Nullable<Text>)]
    pub confirmation: Option<ConfirmationState>,
}

impl Browsed {
    /// Its place in the list.
    pub fn key(&self) -> SortKey {
        (self.created_at.timestamp_micros(), self.id)
    }
}

/// A page of orders, of one store or of all. Nothing is counted.
///
/// Each store's index gives its part of the page, and the page is the best of these: so it costs the same at any depth,
/// whatever narrows it, and grows with the number of stores alone. Only stores whose first row is among the best first
/// rows can have a part in it, so of all others no more than that one is read.
///
/// # Errors
/// Those of the database.
pub async fn browse(
    mut conn: &AsyncPgConnection,
    store_id: Option<i64>,
    filter: &Filter,
    oldest_first: bool,
    seek: &Seek<SortKey>,
    size: usize,
) -> Result<Rows<Browsed>, db::Error> {
    let upward = oldest_first != seek.is_backward();
    let (after, order) = if upward { (">", "ASC") } else { ("<", "DESC") };
    let (micros, number) = match seek {
        Seek::Skip(_) if upward => (i64::MIN, i64::MIN),
        Seek::Skip(_) => (i64::MAX, i64::MAX),
        Seek::After(key) | Seek::Before(key) => *key,
    };
    let (micros, number) = begin((micros, number), filter.created_after, filter.created_before, upward);
    // The text is one of a few; the second half is the predicate of orders_exceptions_idx, word for word.
    let status = match filter.status {
        None => String::new(),
        Some(Status::Confirmed) => "AND status = 'CONFIRMED'".to_owned(),
        Some(status) => format!("AND status = '{}' AND status <> 'CONFIRMED'", status.as_str()),
    };
    let part = |limit: &str| {
        format!(
            "SELECT store_id, id, created_at FROM orders \
             WHERE store_id = store.id {status} AND created_at >= $2 AND created_at < $3 \
               AND (created_at, id) {after} ($4, $5) \
             ORDER BY created_at {order}, id {order} LIMIT {limit}"
        )
    };
    let sql = format!(
        "WITH heads AS MATERIALIZED ( \
             SELECT head.store_id AS id FROM (SELECT id FROM stores WHERE $1 IS NULL OR id = $1) AS store \
             CROSS JOIN LATERAL ({}) AS head \
             ORDER BY head.created_at {order}, head.id {order} LIMIT $6), \
         page AS MATERIALIZED ( \
             SELECT found.* FROM heads AS store CROSS JOIN LATERAL ({}) AS found \
             ORDER BY found.created_at {order}, found.id {order} LIMIT $6) \
         SELECT orders.id, orders.store_id, stores.name AS store, orders.status, orders.created_at, \
                orders.total_items, orders.total_price, confirmations.state AS confirmation \
         FROM page JOIN orders ON orders.store_id = page.store_id AND orders.id = page.id \
         JOIN stores ON stores.id = page.store_id \
         LEFT JOIN confirmations ON confirmations.store_id = page.store_id AND confirmations.order_id = page.id \
         ORDER BY orders.created_at {order}, orders.id {order}",
        part("1"),
        part("$6")
    );
    let limit = i64::try_from(size + 1).unwrap_or(i64::MAX);
    let rows = diesel::sql_query(sql)
        .bind::<Nullable<BigInt>, _>(store_id)
        .bind::<Timestamptz, _>(filter.created_after.unwrap_or_else(|| moment(i64::MIN)))
        .bind::<Timestamptz, _>(filter.created_before.unwrap_or_else(|| moment(i64::MAX)))
        .bind::<Timestamptz, _>(moment(micros))
        .bind::<BigInt, _>(number)
        .bind::<BigInt, _>(limit);
    let mut rows: Rows<Browsed> = Rows::new(rows.cached().load(&mut conn).await?, size, seek);
    let given_up = given_up(conn, rows.rows.iter().map(|row| (row.id, row.confirmation))).await?;
    for row in rows.rows.iter_mut().filter(|row| given_up.contains(&row.id)) {
        row.confirmation = Some(ConfirmationState::Failed);
    }
    Ok(rows)
}
