//! The `Idempotency-Key` header (IETF draft-ietf-httpapi-idempotency-key-header).

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use crate::{Error, Fault};

const HEADER: &str = "idempotency-key";

/// The client's name for one intended effect: 1 to 255 printable ASCII characters, spaces among them. The draft's
/// quotes around it are taken off, so that `"abc"` and `abc` are the same key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(pub String);

impl IdempotencyKey {
    fn parse(text: &str) -> Option<Self> {
        let key = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
        let legal = (1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
        legal.then(|| Self(key.to_owned()))
    }
}

/// Absent is fine: extract an `Option<IdempotencyKey>`'s worth through [`IdempotencyKey::optional`].
impl IdempotencyKey {
    /// The request's key, if it has one.
    ///
    /// # Errors
    /// [`Code::Invalid`](crate::Code::Invalid) when the header is there and not legal.
    pub fn optional(request: &HttpRequest) -> Result<Option<Self>, Error> {
        let mut values = request.headers().get_all(HEADER);
        let Some(value) = values.next() else { return Ok(None) };
        let fault = |code, detail| Error::invalid(vec![Fault::parameter("Idempotency-Key", code, detail)]);
        // Which of them names the effect is not for us to say.
        if values.next().is_some() {
            return Err(fault("repeated", "Must be given once."));
        }
        let key = value.to_str().ok().and_then(Self::parse);
        key.map(Some).ok_or_else(|| fault("invalid_length", "Must be 1 to 255 printable ASCII characters."))
    }
}

/// The extractor: `Idempotent(None)` without the header.
#[derive(Debug, Clone)]
pub struct Idempotent(pub Option<IdempotencyKey>);

impl FromRequest for Idempotent {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(IdempotencyKey::optional(request).map(Self))
    }
}
