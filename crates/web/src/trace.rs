//! The trace that a request belongs to.

use std::convert::Infallible;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::HeaderMap;
use actix_web::{FromRequest, HttpRequest};

const HEADER: &str = "traceparent";

/// The client's `traceparent` (W3C Trace Context, version 00) where it is a sound one. It travels with what the request
/// causes, so that the logs of all processes can be laid beside the client's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceParent(pub Option<String>);

impl TraceParent {
    /// The one in these headers.
    pub fn of(headers: &HeaderMap) -> Self {
        let sent = headers.get(HEADER).and_then(|value| value.to_str().ok());
        Self(sent.filter(|text| is_sound(text)).map(str::to_owned))
    }

    /// The number of the trace.
    pub(crate) fn trace_id(&self) -> Option<&str> {
        self.0.as_deref().and_then(|text| text.get(3..35))
    }
}

/// `00-<32 hex digits>-<16 hex digits>-<2 hex digits>`, in lower case, and neither number zero.
fn is_sound(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [version, trace, parent, flags] = parts[..] else { return false };
    let is_hex = |part: &str, length| {
        part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    };
    let is_zero = |part: &str| part.bytes().all(|byte| byte == b'0');
    version == "00"
        && is_hex(trace, 32)
        && is_hex(parent, 16)
        && is_hex(flags, 2)
        && !is_zero(trace)
        && !is_zero(parent)
}

impl FromRequest for TraceParent {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::of(request.headers())))
    }
}
