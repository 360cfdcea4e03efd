//! Taking events to carry them on.

use std::time::Duration;

use db::{CachedDsl, Tx};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Double, Integer};
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
        .filter(outbox::parked_at.is_null())
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
    let (stores, ids) = keys(events.iter().copied());
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

/// An event that is put off.
#[derive(Debug, Clone, Copy)]
pub struct Postponed<'a> {
    /// Which one.
    pub event: &'a Claimed,
    /// How many attempts it counts from now on.
    pub attempts: i32,
    /// How long nobody shall take it.
    pub delay: Duration,
}

/// Puts events off, each for its own time, and sets how many attempts they count.
///
/// # Errors
/// Those of the database.
pub async fn postpone(tx: &mut Tx, events: &[Postponed<'_>]) -> Result<(), db::Error> {
    let (stores, ids) = keys(events.iter().map(|postponed| postponed.event));
    let attempts: Vec<i32> = events.iter().map(|postponed| postponed.attempts).collect();
    let seconds: Vec<f64> = events.iter().map(|postponed| postponed.delay.as_secs_f64()).collect();
    diesel::sql_query(
        "UPDATE outbox SET attempts = put.attempts, available_at = now() + make_interval(secs => put.seconds) \
         FROM unnest($1, $2, $3, $4) AS put (store_id, id, attempts, seconds) \
         WHERE outbox.store_id = put.store_id AND outbox.id = put.id",
    )
    .bind::<Array<BigInt>, _>(stores)
    .bind::<Array<BigInt>, _>(ids)
    .bind::<Array<Integer>, _>(attempts)
    .bind::<Array<Double>, _>(seconds)
    .cached()
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Gives events up: nobody takes them again until an operator clears `parked_at`.
///
/// # Errors
/// Those of the database.
pub async fn park(tx: &mut Tx, events: &[&Claimed]) -> Result<(), db::Error> {
    let (stores, ids) = keys(events.iter().copied());
    diesel::sql_query(
        "UPDATE outbox SET parked_at = now() FROM unnest($1, $2) AS dead (store_id, id) \
         WHERE outbox.store_id = dead.store_id AND outbox.id = dead.id",
    )
    .bind::<Array<BigInt>, _>(stores)
    .bind::<Array<BigInt>, _>(ids)
    .cached()
    .execute(&mut **tx)
    .await?;
    Ok(())
}

fn keys<'a>(events: impl Iterator<Item = &'a Claimed>) -> (Vec<i64>, Vec<i64>) {
    events.map(|event| (event.store_id, event.id)).unzip()
}
