//! Taking events to carry them on.

use std::time::Duration;

use db::{CachedDsl, Tx};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Double};
use diesel_async::RunQueryDsl;

use crate::schema::outbox;

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
    /// How often carrying it on has failed.
    pub attempts: i32,
}

/// Claims up to `limit` events that are due, oldest first, passing over those that other transactions hold. They are
/// free again when `tx` ends, however it ends.
///
/// # Errors
/// Those of the database.
pub async fn claim(tx: &mut Tx, limit: i64) -> Result<Vec<Claimed>, db::Error> {
    Ok(outbox::table
        .filter(outbox::available_at.le(diesel::dsl::now))
        .order_by(outbox::id)
        .limit(limit)
        .select((outbox::id, outbox::store_id, outbox::kind, outbox::payload, outbox::request_id, outbox::attempts))
        .for_update()
        .skip_locked()
        .load(&mut **tx)
        .await?)
}

/// Deletes events whose delivery is assured.
///
/// # Errors
/// Those of the database.
pub async fn delete(tx: &mut Tx, events: &[&Claimed]) -> Result<(), db::Error> {
    let (stores, ids): (Vec<i64>, Vec<i64>) = events.iter().map(|event| (event.store_id, event.id)).unzip();
    diesel::sql_query(
        "DELETE FROM outbox USING unnest($1, $2) AS done (store_id, id) \
         WHERE outbox.store_id = done.store_id AND outbox.id = done.id",
    )
    .bind::<Array<BigInt>, _>(stores)
    .bind::<Array<BigInt>, _>(ids)
    .cached()
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Counts a failed attempt and puts the event off for `delay`.
///
/// # Errors
/// Those of the database.
pub async fn postpone(tx: &mut Tx, event: &Claimed, delay: Duration) -> Result<(), db::Error> {
    diesel::sql_query(
        "UPDATE outbox SET attempts = attempts + 1, available_at = now() + make_interval(secs => $3) \
         WHERE store_id = $1 AND id = $2",
    )
    .bind::<BigInt, _>(event.store_id)
    .bind::<BigInt, _>(event.id)
    .bind::<Double, _>(delay.as_secs_f64())
    .cached()
    .execute(&mut **tx)
    .await?;
    Ok(())
}
