//! What a task looks like on the wire.
//!
//! The body is the event's payload as JSON. The rest travels as properties, so that an operator reads it in any tool
//! and a redelivered message keeps it. How often it was tried is not among them: that stands in the outbox.
//!
//! | property | meaning |
//! |---|---|
//! | `type` | the event's kind, such as `order.confirmed` |
//! | `message_id` | the event's number in the outbox |
//! | header `store` | the store that it is about |
//! | `correlation_id` | the request that caused it, if known |
//! | header `traceparent` | the trace that it belongs to (W3C Trace Context), if known |

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable, ShortString};
use outbox::{Claimed, Key};
use serde_json::{Value, json};

use crate::registry::Delivery;

const STORE: &str = "store";
const TRACE: &str = "traceparent";
const PERSISTENT: u8 = 2;

/// How much of a text is shown that nobody can read.
const EXCERPT: usize = 2_000;

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
    #[error("it does not say which event of which store it is")]
    NoKey,
    #[error("its body is not JSON")]
    NotJson,
}

/// The message that carries `event` to `queue`.
pub(crate) fn of_event(event: &Claimed, queue: ShortString) -> Message {
    let mut headers = FieldTable::default();
    headers.insert(STORE.into(), AMQPValue::LongLongInt(event.store_id));
    if let Some(trace) = &event.traceparent {
        headers.insert(TRACE.into(), AMQPValue::LongString(trace.as_str().into()));
    }
    let mut properties = BasicProperties::default()
        .with_content_type("application/json".into())
        .with_delivery_mode(PERSISTENT)
        .with_type(event.kind.as_str().into())
        .with_message_id(event.id.to_string().into())
        .with_headers(headers);
    if let Some(request_id) = event.request_id.as_deref().filter(|id| id.len() < 256) {
        properties = properties.with_correlation_id(request_id.into());
    }
    Message { queue, body: event.payload.to_string().into_bytes(), properties }
}

/// The same task once more, by way of `queue`. Headers that the broker added stay behind: it would take their traces
/// for a loop.
pub(crate) fn again(received: &lapin::message::Delivery, queue: ShortString) -> Message {
    let mut headers = FieldTable::default();
    for name in [STORE, TRACE] {
        if let Some(value) = header(received, name) {
            headers.insert(name.into(), value.clone());
        }
    }
    let properties = received.properties.clone().with_headers(headers).with_delivery_mode(PERSISTENT);
    Message { queue, body: received.data.clone(), properties }
}

/// The task in a message.
pub(crate) fn decode(received: &lapin::message::Delivery) -> Result<(Key, Delivery), Undecodable> {
    let properties = &received.properties;
    let kind = properties.kind().as_ref().ok_or(Undecodable::NoKind)?.as_str().to_owned();
    let id: Option<i64> = properties.message_id().as_ref().and_then(|id| id.as_str().parse().ok());
    let (Some(id), Some(store_id)) = (id, store(received)) else { return Err(Undecodable::NoKey) };
    let payload = serde_json::from_slice(&received.data).map_err(|_| Undecodable::NotJson)?;
    let delivery = Delivery {
        kind,
        payload,
        event: id,
        request_id: properties.correlation_id().as_ref().map(|id| id.as_str().to_owned()),
        traceparent: header(received, TRACE).and_then(text),
        attempt: 1,
    };
    Ok((Key { store_id, id }, delivery))
}

/// What an operator is told of a message that is no task.
pub(crate) fn describe(received: &lapin::message::Delivery) -> Value {
    let properties = &received.properties;
    json!({
        "type": properties.kind().as_ref().map(|kind| excerpt(kind.as_str())),
        "message_id": properties.message_id().as_ref().map(|id| excerpt(id.as_str())),
        "bytes": received.data.len(),
        "body": excerpt(&String::from_utf8_lossy(&received.data)),
    })
}

/// The beginning of a text, without NUL: PostgreSQL's JSON knows none.
fn excerpt(text: &str) -> String {
    text.chars().filter(|letter| *letter != '\0').take(EXCERPT).collect()
}

fn header<'a>(received: &'a lapin::message::Delivery, name: &str) -> Option<&'a AMQPValue> {
    received.properties.headers().as_ref().and_then(|headers| headers.inner().get(name))
}

fn store(received: &lapin::message::Delivery) -> Option<i64> {
    match header(received, STORE)? {
        AMQPValue::LongLongInt(store) => Some(*store),
        // Other clients, such as a management tool that moves messages, write other integers.
        AMQPValue::LongInt(store) => Some(i64::from(*store)),
        AMQPValue::LongUInt(store) => Some(i64::from(*store)),
        _ => None,
    }
}

fn text(value: &AMQPValue) -> Option<String> {
    match value {
        AMQPValue::LongString(text) => Some(text.to_string()),
        _ => None,
    }
}
