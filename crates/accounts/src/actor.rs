//! Who does something.

use std::fmt;

use crate::Identity;

/// Who does something, as the audit log and the ledger of stock name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    name: String,
    pub(crate) staff_id: Option<i64>,
    pub(crate) token_id: Option<i64>,
    request_id: Option<String>,
    traceparent: Option<String>,
}

impl Actor {
    /// A program of ours, such as `manage`.
    pub fn program(name: &str) -> Self {
        Self { name: name.to_owned(), staff_id: None, token_id: None, request_id: None, traceparent: None }
    }

    /// Somebody who sent no token.
    pub fn anonymous() -> Self {
        Self::program("anonymous")
    }

    /// A member of staff.
    pub fn staff(id: i64, email: &str) -> Self {
        Self { staff_id: Some(id), ..Self::program(email) }
    }

    /// The request on whose behalf it is done, for the logs.
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// The same, on behalf of this request.
    #[must_use]
    pub fn in_request(self, request_id: impl Into<String>) -> Self {
        Self { request_id: Some(request_id.into()), ..self }
    }

    /// The trace to which that belongs (W3C Trace Context), for the logs.
    pub fn traceparent(&self) -> Option<&str> {
        self.traceparent.as_deref()
    }

    /// The same, as part of this trace.
    #[must_use]
    pub fn in_trace(self, traceparent: impl Into<String>) -> Self {
        Self { traceparent: Some(traceparent.into()), ..self }
    }
}

impl From<&Identity> for Actor {
    fn from(identity: &Identity) -> Self {
        let name = format!("{} ({})", identity.email, identity.token_name);
        Self { staff_id: Some(identity.staff_id), token_id: Some(identity.token_id), ..Self::program(&name) }
    }
}

/// `ann@shop.example`, `ann@shop.example (till 3)` through a token, `manage`.
impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
