//! What every answer tells browsers not to do with it.

use actix_web::http::header::{
    CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS,
};

/// For what is data and not a page: it loads nothing, runs nothing, is shown inside of nothing. A page that needs more
/// sets a policy of its own.
const POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");

/// Addresses of ours are told to nobody else. Forms of ours still send their `Origin`, which `no-referrer` would hide.
const REFERRER: HeaderValue = HeaderValue::from_static("same-origin");

/// A year.
const TRANSPORT: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Adds the fields to an answer; what a page has said for itself stands.
pub(crate) fn protect(headers: &mut HeaderMap, is_secure: bool) {
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    keep_or_insert(headers, CONTENT_SECURITY_POLICY, POLICY);
    keep_or_insert(headers, REFERRER_POLICY, REFERRER);
    if is_secure {
        headers.insert(STRICT_TRANSPORT_SECURITY, TRANSPORT);
    }
}

fn keep_or_insert(headers: &mut HeaderMap, name: HeaderName, value: HeaderValue) {
    if !headers.contains_key(&name) {
        headers.insert(name, value);
    }
}
