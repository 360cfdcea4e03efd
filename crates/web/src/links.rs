//! Absolute addresses of ourselves.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::iter;
use std::str::FromStr;

use actix_web::dev::Payload;
use actix_web::http::header::HOST;
use actix_web::http::uri::Authority;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};
use sha2::{Digest, Sha256};

use crate::Client;
use crate::params::Pairs;

/// Where clients reach us, such as `https://shop.example` (from `PUBLIC_URL`, without a trailing slash). Registered as
/// app data; without it the request's `Host` is taken.
#[derive(Debug, Clone)]
pub struct PublicUrl(pub String);

/// An address that no link could be made of.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no address such as https://shop.example: http or https, a host, perhaps a port, and no path")]
pub struct NotAnAddress(String);

impl FromStr for PublicUrl {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        let wrong = || NotAnAddress(text.to_owned());
        let (scheme, rest) = text.split_once("://").ok_or_else(wrong)?;
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        match ["http", "https"].contains(&scheme) && is_sane(authority) {
            true => Ok(Self(format!("{scheme}://{authority}"))),
            false => Err(wrong()),
        }
    }
}

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
        // A hash that is the same in every build: a cursor that one release gave out is good for the next.
        let mut hasher = Sha256::new();
        for part in iter::once(&self.path).chain(filters.into_iter().flat_map(|(name, value)| [name, value])) {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        let digest: [u8; 32] = hasher.finalize().into();
        u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]])
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
        let query = Pairs::of(request.query_string()).read;
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

/// A host, perhaps with a port, that may be written into a link without a second thought.
fn is_sane(host: &str) -> bool {
    let is_port = |port: &str| port.parse::<u16>().is_ok_and(|port| port > 0);
    (1..=255).contains(&host.len())
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte))
        && host.parse::<Authority>().is_ok_and(|parsed| {
            let port = host.strip_prefix(parsed.host()).unwrap_or(":");
            !parsed.host().is_empty() && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_address_has_a_scheme_and_a_host() {
        for (given, kept) in [
            ("https://shop.example", "https://shop.example"),
            ("https://shop.example/", "https://shop.example"),
            ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
            ("http://[::1]:8000/", "http://[::1]:8000"),
        ] {
            assert_eq!(given.parse::<PublicUrl>().unwrap().0, kept);
        }
        for wrong in [
            "shop.example",
            "//shop.example",
            "ftp://shop.example",
            "https://",
            "https://:8000",
            "https://shop.example:port",
            "https://shop.example:70000",
            "https://shop.example/store",
            "https://shop.example//",
            "https://shop.example?a=b",
            "https://ann:secret@shop.example",
            "https://shop.example#top",
            "https://shop example",
            "HTTPS://shop.example",
        ] {
            assert!(wrong.parse::<PublicUrl>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_host_is_taken_only_if_a_link_can_be_made_of_it() {
        for host in ["shop.example", "shop.example:8000", "[::1]", "[::1]:8000", "127.0.0.1:1", "shop_1"] {
            assert!(is_sane(host), "{host}");
        }
        for host in ["", ":8000", "a:b:c", "[", "[::1", "]", "::1", "shop:", "shop:0", "shop:70000", "shop/x", "a@b"] {
            assert!(!is_sane(host), "{host}");
        }
    }

    /// What clients have in hand must outlive an upgrade of the compiler.
    #[test]
    fn the_name_of_a_list_stays_the_same() {
        let query = [("category", "tea"), ("page_size", "1"), ("cursor", "x")];
        let query = query.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let links = Links { address: String::new(), path: "/products/".into(), query };
        let digest = Sha256::digest(b"\0\0\0\0\0\0\0\x0a/products/\0\0\0\0\0\0\0\x08category\0\0\0\0\0\0\0\x03tea");
        assert_eq!(links.list().to_be_bytes(), digest[..4]);
    }
}
