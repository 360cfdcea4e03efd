//! Writing events down.

use db::{CachedDsl, Tx};
use diesel::sql_types::{Array, BigInt, Jsonb, Nullable, Text};
use diesel_async::RunQueryDsl;
use serde::Serialize;

/// Something that happened, in the past tense of its domain.
pub trait Event: Serialize {
    /// Its name on the wire, such as `order.confirmed`. Never changed once used.
    const KIND: &'static str;

    /// The store that it is about.
    fn store_id(&self) -> i64;
}

impl<E: Event> Event for &E {
    const KIND: &'static str = E::KIND;

    fn store_id(&self) -> i64 {
        E::store_id(self)
    }
}

/// What an event came of, for the logs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cause<'a> {
    /// The request that caused it.
    pub request_id: Option<&'a str>,
    /// The trace that it belongs to (W3C Trace Context).
    pub traceparent: Option<&'a str>,
}

impl<'a> From<Option<&'a str>> for Cause<'a> {
    fn from(request_id: Option<&'a str>) -> Self {
        Self { request_id, traceparent: None }
    }
}

/// Records one event in the caller's transaction.
///
/// # Errors
/// Those of the database, and [`diesel::result::Error::SerializationError`] if the event cannot be written as JSON.
pub async fn record<'a, E: Event>(tx: &Tx, event: &E, cause: impl Into<Cause<'a>> + Copy) -> Result<(), db::Error> {
    record_all(tx, &[(event, cause)]).await
}

/// Records events of one kind in the caller's transaction, with one statement whatever their number.
///
/// # Errors
/// As [`record`].
pub async fn record_all<'a, E: Event>(tx: &Tx, events: &[(E, impl Into<Cause<'a>> + Copy)]) -> Result<(), db::Error> {
    if events.is_empty() {
        return Ok(());
    }
    let payloads: Vec<serde_json::Value> = events
        .iter()
        .map(|(event, _)| serde_json::to_value(event))
        .collect::<Result<_, _>>()
        .map_err(|error| diesel::result::Error::SerializationError(error.into()))?;
    let stores: Vec<i64> = events.iter().map(|(event, _)| event.store_id()).collect();
    let causes: Vec<Cause<'_>> = events.iter().map(|(_, cause)| (*cause).into()).collect();
    let requests: Vec<Option<&str>> = causes.iter().map(|cause| cause.request_id).collect();
    let traces: Vec<Option<&str>> = causes.iter().map(|cause| cause.traceparent).collect();
    diesel::sql_query(
        "INSERT INTO outbox (store_id, kind, payload, request_id, traceparent) \
         SELECT store_id, $1, payload, request_id, traceparent \
         FROM unnest($2, $3, $4, $5) AS event (store_id, payload, request_id, traceparent)",
    )
    .bind::<Text, _>(E::KIND)
    .bind::<Array<BigInt>, _>(stores)
    .bind::<Array<Jsonb>, _>(payloads)
    .bind::<Array<Nullable<Text>>, _>(requests)
    .bind::<Array<Nullable<Text>>, _>(traces)
    .cached()
    .execute(&mut &***tx)
    .await?;
    Ok(())
}
