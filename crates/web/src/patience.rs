//! How long a client waits at most, whatever hangs behind us.
//!
//! PostgreSQL itself ends statements that take too long. A server that was stopped in the midst of one, or whose
//! network swallows everything, does not: so there is a limit on our side as well, here and nowhere else.

use std::time::Duration;

use actix_web::http::Method;
use actix_web::http::header::{CONTENT_TYPE, HeaderMap};

use crate::{Code, Error};

/// How long it may take until an answer begins; then it is a 503. Registered as app data; without it there is no limit.
#[derive(Debug, Clone, Copy, Default)]
pub struct Patience {
    /// For what only reads.
    pub reading: Option<Duration>,
    /// For what changes something. Uploads of files are left to take their time.
    pub changing: Option<Duration>,
}

impl Patience {
    pub(crate) fn with(&self, method: &Method, headers: &HeaderMap) -> Option<Duration> {
        let is_upload = || headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"multipart/"));
        match method.is_safe() {
            true => self.reading,
            false => self.changing.filter(|_| !is_upload()),
        }
    }
}

/// What is answered when it is over.
pub(crate) fn lost(method: &Method) -> Error {
    let error = Error::new(Code::Unavailable);
    match method.is_safe() {
        true => error,
        false => error
            .with_detail("This took too long, and it is not known whether it was done. Look before you send it again."),
    }
}
