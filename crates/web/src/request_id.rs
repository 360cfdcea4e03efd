//! The name under which a request is found in every log.

use std::convert::Infallible;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::HeaderMap;
use actix_web::{FromRequest, HttpMessage, HttpRequest};

pub(crate) const HEADER: &str = "x-request-id";

/// The client's `X-Request-Id` where it is sane (1 to 128 letters, digits, `.`, `_`, `-`, `:`, `/`, `+`, `=`), else one
/// of our own making.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(pub String);

impl RequestId {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        match headers.get(HEADER).and_then(|value| value.to_str().ok()) {
            Some(text) if is_sane(text) => Self(text.to_owned()),
            _ => Self(format!("{:032x}", rand::random::<u128>())),
        }
    }
}

fn is_sane(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-:/+=".contains(&byte))
}

/// Read from the request's extensions, where the middleware puts it.
impl FromRequest for RequestId {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let known = request.extensions().get::<Self>().cloned();
        ready(Ok(known.unwrap_or_else(|| Self::of(request.headers()))))
    }
}
