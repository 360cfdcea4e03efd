//! Absolute addresses of ourselves.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::hash::{DefaultHasher, Hash, Hasher};

use actix_web::dev::Payload;
use actix_web::http::header::HOST;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};

use crate::Client;

/// Where clients reach us, such as `https://shop.example` (from `PUBLIC_URL`, without a trailing slash). Registered as
/// app data; without it the request's `Host` is taken.
#[derive(Debug, Clone)]
pub struct PublicUrl(pub String);

/// The address of the current request, to make links to its neighbours.
#[derive(Debug, Clone)]
pub struct Links {
    address: String,
    path: String,
    query: Vec<(String, String)>,
}

impl Links {
    /// A fingerprint of the list that is read here: its path and filters, whatever the page.
    pub(crate) fn list(&self) -> u32 {
        let mut filters: Vec<_> =
            self.query.iter().filter(|(name, _)| !["page", "page_size", "cursor"].contains(&name.as_str())).collect();
        filters.sort();
        let mut hasher = DefaultHasher::new();
        (&self.path, filters).hash(&mut hasher);
        hasher.finish() as u32
    }

    /// The current address with other values for some query parameters; `None` leaves one out.
    pub fn with(&self, changes: &[(&str, Option<String>)]) -> String {
        let kept = self.query.iter().filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
        let kept = kept.map(|(name, value)| (name.as_str(), value.as_str()));
        let changed = changes.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?)));
        let query: Vec<String> =
            kept.chain(changed).map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        match query.is_empty() {
            true => self.address.clone(),
            false => format!("{}?{}", self.address, query.join("&")),
        }
    }
}

/// Everything but RFC 3986's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

fn encode(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, RESERVED)
}

impl FromRequest for Links {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    /// The path is taken in its canonical form, with the trailing slash.
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let address = format!("{}{}", base_url(request), request.path());
        let query = crate::params::pairs(request.query_string()).unwrap_or_default();
        let path = request.path().to_owned();
        ready(Ok(Self { address, path, query: query.into_iter().filter(|(_, value)| !value.is_empty()).collect() }))
    }
}

/// Scheme and authority under which the client knows us, without a trailing slash.
pub(crate) fn base_url(request: &HttpRequest) -> String {
    if let Some(PublicUrl(url)) = request.app_data::<PublicUrl>() {
        return url.clone();
    }
    let host = request.headers().get(HOST).and_then(|value| value.to_str().ok()).filter(|host| is_sane(host));
    let is_secure = request.extensions().get::<Client>().is_some_and(|client| client.is_secure);
    let scheme = if is_secure { "https" } else { "http" };
    format!("{scheme}://{}", host.unwrap_or_else(|| request.app_config().host()))
}

/// A host that may be written into a link without a second thought.
fn is_sane(host: &str) -> bool {
    (1..=255).contains(&host.len())
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte))
}
