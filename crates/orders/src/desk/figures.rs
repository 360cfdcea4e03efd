//! Figures of all stores. They look at every order of their time, so whoever shows them often should keep them.

use chrono::{DateTime, NaiveDate, Utc};
use db::CachedDsl;
use diesel::sql_types::{BigInt, Date, Numeric, Text, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use outbox::Event;
use rust_decimal::Decimal;

use crate::events::OrderConfirmed;

/// Confirmed orders of one day, in UTC.
#[derive(Debug, Clone, PartialEq, Eq, diesel::QueryableByName)]
pub struct Day {
    /// Which.
    #[diesel(sql_type = Date)]
    pub day: NaiveDate,
    /// How many.
    #[diesel(sql_type = BigInt)]
    pub orders: i64,
    /// What they came to.
    #[diesel(sql_type = Numeric)]
    pub revenue: Decimal,
}

/// How many there are of something.
#[derive(Debug, Clone, PartialEq, Eq, diesel::QueryableByName)]
pub struct Count {
    /// Of what.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// How many.
    #[diesel(sql_type = BigInt)]
    pub count: i64,
}

/// Confirmed orders since this moment, by day; days without any are left out.
///
/// # Errors
/// Those of the database.
pub async fn days(mut conn: &AsyncPgConnection, since: DateTime<Utc>) -> Result<Vec<Day>, db::Error> {
    Ok(diesel::sql_query(
        "SELECT (created_at AT TIME ZONE 'UTC')::date AS day, count(*) AS orders, sum(total_price) AS revenue \
         FROM orders WHERE created_at AT TIME ZONE 'UTC' >= $1 AT TIME ZONE 'UTC' AND status = 'CONFIRMED' \
         GROUP BY 1 ORDER BY 1",
    )
    .bind::<Timestamptz, _>(since)
    .cached()
    .load(&mut conn)
    .await?)
}

/// Why lines were refused since this moment, the most frequent reason first.
///
/// # Errors
/// Those of the database.
pub async fn rejections(mut conn: &AsyncPgConnection, since: DateTime<Utc>) -> Result<Vec<Count>, db::Error> {
    Ok(diesel::sql_query(
        "SELECT item.rejection AS name, count(*) FROM ( \
             SELECT store_id, id FROM orders WHERE status = 'REJECTED' AND status <> 'CONFIRMED' \
                 AND created_at AT TIME ZONE 'UTC' >= $1 AT TIME ZONE 'UTC') AS refused \
         CROSS JOIN LATERAL ( \
             SELECT rejection FROM order_items WHERE store_id = refused.store_id AND order_id = refused.id \
                 AND rejection IS NOT NULL OFFSET 0) AS item \
         GROUP BY item.rejection ORDER BY count(*) DESC, name",
    )
    .bind::<Timestamptz, _>(since)
    .cached()
    .load(&mut conn)
    .await?)
}

/// Confirmations that were not sent: those that are still tried, and those that were given up; counted up to 100,000.
///
/// # Errors
/// Those of the database.
pub async fn unsent(mut conn: &AsyncPgConnection) -> Result<(i64, i64), db::Error> {
    let sql = "SELECT state AS name, count(*) \
               FROM (SELECT state FROM confirmations WHERE state <> 'sent' LIMIT 100000) AS counted GROUP BY state";
    let unsent: Vec<Count> = diesel::sql_query(sql).cached().load(&mut conn).await?;
    let count = |name: &str| unsent.iter().find(|state| state.name == name).map_or(0, |state| state.count);
    // What is parked is pending on record, what was discarded has failed.
    let parked = outbox::count_parked(conn, OrderConfirmed::KIND).await?;
    Ok(((count("pending") - parked).max(0), parked + count("failed")))
}
