//! What a task looks like on the wire.
//!
//! The body is the event's payload as JSON. The rest travels as properties, so that an operator reads it in any tool
//! and a redelivered or dead-lettered message keeps it:
//!
//! | property | meaning |
//! |---|---|
//! | `type` | the event's kind, such as `order.confirmed` |
//! | `message_id` | the event's number in the outbox |
//! | `correlation_id` | the request that caused it, if known |
//! | header `x-failures` | attempts that failed so far; absent at first |

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable, ShortString};
use outbox::Claimed;

use crate::registry::Delivery;

const FAILURES: &str = "x-failures";
const PERSISTENT: u8 = 2;

/// A message to publish.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) queue: ShortString,
    pub(crate) body: Vec<u8>,
    pub(crate) properties: BasicProperties,
}

/// Why a message can never become a task.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Undecodable {
    #[error("it has no type")]
    NoKind,
    #[error("its body is not JSON")]
    NotJson,
}

/// The message that carries `event` to `queue`.
pub(crate) fn of_event(event: &Claimed, queue: ShortString) -> Message {
    let mut properties = BasicProperties::default()
        .with_content_type("application/json".into())
        .with_delivery_mode(PERSISTENT)
        .with_type(event.kind.as_str().into())
        .with_message_id(event.id.to_string().into());
    if let Some(request_id) = event.request_id.as_deref().filter(|id| id.len() < 256) {
        properties = properties.with_correlation_id(request_id.into());
    }
    Message { queue, body: event.payload.to_string().into_bytes(), properties }
}

/// The same task once more, after `failures` failed attempts. Headers that the broker added stay behind: it would
/// take their traces for a loop.
pub(crate) fn again(received: &lapin::message::Delivery, failures: u32, queue: ShortString) -> Message {
    let mut headers = FieldTable::default();
    headers.insert(FAILURES.into(), AMQPValue::LongUInt(failures));
    let properties = received.properties.clone().with_headers(headers).with_delivery_mode(PERSISTENT);
    Message { queue, body: received.data.clone(), properties }
}

/// The task in a message.
pub(crate) fn decode(received: &lapin::message::Delivery) -> Result<Delivery, Undecodable> {
    let properties = &received.properties;
    let kind = properties.kind().as_ref().ok_or(Undecodable::NoKind)?.as_str().to_owned();
    let payload = serde_json::from_slice(&received.data).map_err(|_| Undecodable::NotJson)?;
    Ok(Delivery {
        kind,
        payload,
        event: properties.message_id().as_ref().map(|id| id.as_str().to_owned()),
        request_id: properties.correlation_id().as_ref().map(|id| id.as_str().to_owned()),
        attempt: failures(received) + 1,
    })
}

fn failures(received: &lapin::message::Delivery) -> u32 {
    let header = received.properties.headers().as_ref().and_then(|headers| headers.inner().get(FAILURES));
    match header {
        Some(AMQPValue::LongUInt(failures)) => *failures,
        // Other clients, such as a management tool that moves messages, write other integers.
        Some(AMQPValue::LongInt(failures)) => u32::try_from(*failures).unwrap_or(0),
        Some(AMQPValue::LongLongInt(failures)) => u32::try_from(*failures).unwrap_or(0),
        _ => 0,
    }
}
