//! JSON bodies that name every fault at once.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::rt::time::timeout;
use actix_web::web::BytesMut;
use actix_web::{FromRequest, HttpRequest};
use deserr::{DeserializeError, Deserr, ErrorKind, IntoValue, Value, ValueKind, ValuePointerRef, take_cf_content};
use futures_util::StreamExt;

use crate::{Code, Error, Faults};

/// The largest body that is read, in bytes.
const LIMIT: usize = 256 * 1024;

/// How much of a larger body is read and thrown away, so that the client gets to read the answer instead of a reset.
const DRAINED: usize = 16 * 1024 * 1024;

/// How long a body may take to arrive.
const DEADLINE: Duration = Duration::from_secs(10);

/// Extractor of a JSON body. Unknown fields are ignored.
#[derive(Debug, Clone)]
pub struct Json<T>(pub T);

impl<T: Deserr<Faults> + 'static> FromRequest for Json<T> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (is_json, is_plain) = (is_json(request), is_plain(request));
        let announced = announced(request);
        let payload = payload.take();
        Box::pin(async move {
            if announced > DRAINED {
                return Err(Error::new(Code::TooLarge));
            }
            let late = || Error::new(if announced > LIMIT { Code::TooLarge } else { Code::RequestTimeout });
            let body = timeout(DEADLINE, read(payload)).await.map_err(|_| late())??;
            if !is_json {
                return Err(Error::new(Code::UnsupportedMediaType));
            }
            if !is_plain {
                let refused = Error::new(Code::UnsupportedMediaType).with_header("Accept-Encoding", "identity");
                return Err(
                    refused.with_detail("Send the body as it is, without Content-Encoding: none is undone here.")
                );
            }
            let value: serde_json::Value = serde_json::from_slice(&body).map_err(|error| {
                Error::new(Code::MalformedJson).with_detail(format!("The body cannot be read as JSON: {error}."))
            })?;
            deserr::deserialize(value).map(Self).map_err(|faults: Faults| Error::invalid(faults.0))
        })
    }
}

fn is_json(request: &HttpRequest) -> bool {
    let Some(Ok(value)) = request.headers().get(CONTENT_TYPE).map(|value| value.to_str()) else { return false };
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// Whether the body is sent as it is, with nothing to be unpacked first.
fn is_plain(request: &HttpRequest) -> bool {
    let mut encodings = request.headers().get_all(CONTENT_ENCODING).map(|value| value.as_bytes().trim_ascii());
    encodings.all(|encoding| encoding.is_empty() || encoding.eq_ignore_ascii_case(b"identity"))
}

/// How many bytes the client says that it sends; 0 where it does not say.
fn announced(request: &HttpRequest) -> usize {
    let length = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    length.and_then(|length| length.parse().ok()).unwrap_or_default()
}

async fn read(mut payload: Payload) -> Result<BytesMut, Error> {
    let mut body = BytesMut::new();
    let mut length = 0;
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Error::new(Code::MalformedJson).with_detail("The body ended early."))?;
        length += chunk.len();
        if length > DRAINED {
            break;
        }
        if length <= LIMIT {
            body.extend_from_slice(&chunk);
        }
    }
    if length > LIMIT {
        return Err(Error::new(Code::TooLarge));
    }
    Ok(body)
}

/// 2^63, the first float that no `i64` is.
const PAST_I64: f64 = 9_223_372_036_854_775_808.0;

/// An integer from `MIN` to `MAX`: a JSON integer, never a string or a float. What is too large or too small for it is
/// out of range, however it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounded<const MIN: i64, const MAX: i64>(pub i64);

impl<const MIN: i64, const MAX: i64> Bounded<MIN, MAX> {
    fn spans(whole: f64) -> bool {
        whole.abs() < PAST_I64 && (MIN..=MAX).contains(&(whole as i64))
    }
}

impl<E: DeserializeError, const MIN: i64, const MAX: i64> Deserr<E> for Bounded<MIN, MAX> {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, place: ValuePointerRef) -> Result<Self, E> {
        let number = match value {
            Value::Integer(number) => i64::try_from(number).ok(),
            Value::NegativeInteger(number) => Some(number),
            // An integer past 64 bits arrives as a float, as one with an exponent does.
            Value::Float(number) if number.fract() == 0.0 && !Self::spans(number) => None,
            actual => {
                let kind = ErrorKind::IncorrectValueKind { actual, accepted: &[ValueKind::Integer] };
                return Err(take_cf_content(E::error::<V>(None, kind, place)));
            }
        };
        match number.filter(|number| (MIN..=MAX).contains(number)) {
            Some(number) => Ok(Self(number)),
            None => {
                let msg = format!("Must be an integer from {MIN} to {MAX}.");
                Err(take_cf_content(E::error::<V>(None, ErrorKind::Unexpected { msg }, place)))
            }
        }
    }
}
