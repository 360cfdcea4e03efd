//! Problem documents (RFC 9457).

use actix_web::{HttpResponse, HttpResponseBuilder};
use serde::Serialize;
use utoipa::ToSchema;

use crate::fault::FaultSchema;
use crate::{Code, Fault};

/// The media type of every error's body.
pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

/// How many faults are named, the first of a flood, so that an answer cannot outgrow its request by much.
const MOST: usize = 1_000;

/// Why a request was not served.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Problem {
    /// Address of the page that explains this kind of problem.
    #[serde(rename = "type")]
    #[schema(format = "uri-reference", example = "/problems/invalid/")]
    kind: String,
    /// The kind of problem, in words.
    #[schema(value_type = String, example = "The request is not valid")]
    title: &'static str,
    /// The HTTP status.
    #[schema(example = 400)]
    status: u16,
    /// What was wrong this time, and what would be right.
    detail: String,
    /// Path of the request.
    #[schema(format = "uri-reference", example = "/orders/")]
    instance: String,
    /// The kind of problem, for programs.
    #[schema(value_type = String, example = "invalid")]
    code: &'static str,
    /// Under which the request is found in our logs; also in the header `X-Request-Id`.
    request_id: String,
    /// Every fault of the request, when it is the request that is at fault.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<FaultSchema>, required = false)]
    errors: Vec<Fault>,
}

impl Problem {
    pub(crate) fn new(code: Code, detail: Option<String>, faults: &[Fault]) -> Self {
        let detail = detail.unwrap_or_else(|| match faults {
            [] => code.help().replace('`', ""),
            [only] => only.detail.clone(),
            flood if flood.len() > MOST => {
                format!("More than {MOST} places in the request are wrong: errors names the first {MOST}.")
            }
            several => format!("{} places in the request are wrong: see errors.", several.len()),
        });
        Self {
            kind: format!("/problems/{}/", code.as_str()),
            title: code.title(),
            status: code.status().as_u16(),
            detail,
            instance: String::new(),
            code: code.as_str(),
            request_id: String::new(),
            errors: faults.iter().take(MOST).cloned().collect(),
        }
    }

    /// Adds what only the middleware knows. `base` makes `type` absolute.
    pub(crate) fn complete(&mut self, base: &str, instance: &str, request_id: &str) {
        self.kind = format!("{base}{}", self.kind);
        instance.clone_into(&mut self.instance);
        request_id.clone_into(&mut self.request_id);
    }

    /// The body, with the problem left in the response's extensions for the middleware to complete.
    pub(crate) fn finish(self, mut answer: HttpResponseBuilder) -> HttpResponse {
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = answer.content_type(MEDIA_TYPE).body(body);
        response.extensions_mut().insert(self);
        response
    }
}
