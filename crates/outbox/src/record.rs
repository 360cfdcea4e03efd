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

/// Records one event in the caller's transaction. `request_id` names the request that caused it, for the logs.
///
/// # Errors
/// Those of the database, and [`diesel::result::Error::SerializationError`] if the event cannot be written as JSON.
pub async fn record<E: Event>(tx: &Tx, event: &E, request_id: Option<&str>) -> Result<(), db::Error> {
    record_all(tx, &[(event, request_id)]).await
}

/// Records events of one kind in the caller's transaction, with one statement whatever their number.
///
/// # Errors
/// As [`record`].
pub async fn record_all<E: Event>(tx: &Tx, events: &[(&E, Option<&str>)]) -> Result<(), db::Error> {
    if events.is_empty() {
        return Ok(());
    }
    let payloads: Vec<serde_json::Value> = events
        .iter()
        .map(|(event, _)| serde_json::to_value(event))
        .collect::<Result<_, _>>()
        .map_err(|error| diesel::result::Error::SerializationError(error.into()))?;
    let stores: Vec<i64> = events.iter().map(|(event, _)| event.store_id()).collect();
    let requests: Vec<Option<&str>> = events.iter().map(|(_, request)| *request).collect();
    diesel::sql_query(
        "INSERT INTO outbox (store_id, kind, payload, request_id) \
         SELECT store_id, $1, payload, request_id \
         FROM unnest($2, $3, $4) AS event (store_id, payload, request_id)",
    )
    .bind::<Text, _>(E::KIND)
    .bind::<Array<BigInt>, _>(stores)
    .bind::<Array<Jsonb>, _>(payloads)
    .bind::<Array<Nullable<Text>>, _>(requests)
    .cached()
    .execute(&mut &***tx)
    .await?;
    Ok(())
}
