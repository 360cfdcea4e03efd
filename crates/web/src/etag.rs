//! Entity tags (RFC 9110): what a client saw, so that it does not overwrite what it did not see.

use std::convert::Infallible;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{HeaderMap, IF_MATCH};
use actix_web::{FromRequest, HttpRequest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::{Code, Error};

/// The tag of one representation: equal for equal ones alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Etag(String);

impl Etag {
    /// The tag of what is answered.
    ///
    /// # Errors
    /// [`Code::Internal`] when it cannot be written as JSON.
    pub fn of(view: &impl Serialize) -> Result<Self, Error> {
        let json = serde_json::to_vec(view).map_err(|_| Error::new(Code::Internal))?;
        Ok(Self(format!("\"{}\"", URL_SAFE_NO_PAD.encode(&Sha256::digest(&json)[..16]))))
    }

    /// The value of the header `ETag`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Extractor of `If-Match`: the tags of which one must still be right, if the client sent any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IfMatch(Option<Vec<String>>);

impl IfMatch {
    /// Whether the object is one that the client saw, or the client does not care.
    pub fn allows(&self, current: &Etag) -> bool {
        self.0.as_ref().is_none_or(|tags| tags.iter().any(|tag| tag == "*" || *tag == current.0))
    }

    fn read(headers: &HeaderMap) -> Self {
        let mut values = headers.get_all(IF_MATCH).peekable();
        if values.peek().is_none() {
            return Self(None);
        }
        // Our tags hold no commas. A weak one (`W/…`) never matches here, and so needs no parsing.
        let tags = values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
        Self(Some(tags.map(|tag| tag.trim().to_owned()).collect()))
    }
}

impl FromRequest for IfMatch {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::read(request.headers())))
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn one_of_the_tags_must_be_the_current_one() {
        let current = Etag::of(&"now").unwrap();
        let allows = |header: &str| {
            let request = TestRequest::get().insert_header((IF_MATCH, header)).to_http_request();
            IfMatch::read(request.headers()).allows(&current)
        };
        assert!(IfMatch::default().allows(&current), "nobody asked");
        assert!(allows("*") && allows(current.as_str()) && allows(&format!("\"old\", {}", current.as_str())));
        for other in ["", "\"old\"", &format!("W/{}", current.as_str()), current.as_str().trim_matches('"')] {
            assert!(!allows(other), "{other}");
        }
        assert_ne!(Etag::of(&"then").unwrap(), current);
    }
}
