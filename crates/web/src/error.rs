//! From any error to an answer.

use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use actix_web::{HttpResponse, ResponseError};

use crate::{Code, Fault, Problem};

/// An error of a domain that knows which [`Code`] it is. The conversion into [`Error`] is written once, here.
pub trait Coded: std::error::Error + Send + Sync + 'static {
    /// The kind of problem.
    fn code(&self) -> Code;

    /// What the client may read: a sentence that a person can act on. By default the error's own words, or nothing
    /// where the fault is ours.
    fn detail(&self) -> Option<String> {
        (!self.code().status().is_server_error()).then(|| self.to_string())
    }

    /// The places in the request that are at fault, if it is the request.
    fn faults(&self) -> Vec<Fault> {
        Vec::new()
    }
}

/// What a handler answers instead of what was asked for.
#[derive(Debug)]
pub struct Error {
    code: Code,
    detail: Option<String>,
    faults: Vec<Fault>,
    headers: Vec<(&'static str, String)>,
    cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of this kind, with no more to say.
    pub fn new(code: Code) -> Self {
        Self { code, detail: None, faults: Vec::new(), headers: Vec::new(), cause: None }
    }

    /// A request that is wrong in these places.
    pub fn invalid(faults: Vec<Fault>) -> Self {
        Self { faults, ..Self::new(Code::Invalid) }
    }

    /// Adds a sentence for the client.
    #[must_use]
    pub fn with_detail(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The kind of problem.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The places that are at fault.
    pub(crate) fn into_faults(self) -> Vec<Fault> {
        self.faults
    }

    /// What the log gets, and the client never does.
    pub fn cause(&self) -> Option<&(dyn std::error::Error + Send + Sync)> {
        self.cause.as_deref()
    }
}

impl<E: Coded> From<E> for Error {
    fn from(error: E) -> Self {
        Self {
            code: error.code(),
            detail: error.detail(),
            faults: error.faults(),
            headers: Vec::new(),
            cause: Some(Box::new(error)),
        }
    }
}

impl Coded for db::Error {
    fn code(&self) -> Code {
        match self {
            db::Error::Unavailable(_) | db::Error::Away(_) | db::Error::Conflict(_) | db::Error::Timeout(_) => {
                Code::Unavailable
            }
            db::Error::Query(_) => Code::Internal,
        }
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.cause {
            Some(cause) => write!(f, "{}: {cause}", self.code.as_str()),
            None => write!(f, "{}: {}", self.code.as_str(), self.detail.as_deref().unwrap_or(self.code.title())),
        }
    }
}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        self.code.status()
    }

    /// The problem, not yet with what only the middleware knows; [`edge`](crate::edge) writes the final body.
    fn error_response(&self) -> HttpResponse {
        let mut answer = HttpResponse::build(self.status_code());
        for (name, value) in &self.headers {
            answer.insert_header((*name, value.as_str()));
        }
        if matches!(self.code, Code::Unavailable | Code::IdempotencyKeyInFlight) {
            answer.insert_header((RETRY_AFTER, "1"));
        }
        let challenges = self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("www-authenticate"));
        if self.code == Code::Unauthorized && !challenges {
            answer.insert_header(("WWW-Authenticate", "Bearer"));
        }
        Problem::new(self.code, self.detail.clone(), &self.faults).finish(answer)
    }
}
