//! Requests that only an operator may make.

use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpRequest};
use sha2::{Digest, Sha256};

use crate::{Code, Error};

/// The operator's token, or none: then nobody is one. Put it into the `App`'s data.
#[derive(Clone, Default)]
pub struct AdminToken(Option<Arc<[u8; 32]>>);

impl AdminToken {
    /// This token; an empty one is none.
    pub fn new(token: Option<&str>) -> Self {
        Self(token.filter(|token| !token.is_empty()).map(|token| Arc::new(Sha256::digest(token).into())))
    }

    /// Whether this is the token. Takes as long for every wrong one: digests are compared, and to the end.
    fn is(&self, presented: &str) -> bool {
        let Some(token) = &self.0 else { return false };
        let presented: [u8; 32] = Sha256::digest(presented).into();
        token.iter().zip(presented).fold(0, |differences, (known, given)| differences | (known ^ given)) == 0
    }
}

/// The extractor: proof that the request carries `Authorization: Bearer` with the operator's token.
#[derive(Debug, Clone, Copy)]
pub struct Operator(());

impl FromRequest for Operator {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let presented = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let presented = presented.and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
        });
        let known = request.app_data::<AdminToken>();
        ready(match (known, presented) {
            (Some(known), Some(presented)) if known.is(presented) => Ok(Self(())),
            _ => Err(Error::new(Code::Unauthorized)),
        })
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    async fn admitted(token: Option<&str>, header: Option<&str>) -> bool {
        let mut request = TestRequest::default().app_data(AdminToken::new(token));
        if let Some(header) = header {
            request = request.insert_header((AUTHORIZATION, header));
        }
        Operator::extract(&request.to_http_request()).await.is_ok()
    }

    #[actix_web::test]
    async fn only_the_token_opens() {
        assert!(admitted(Some("secret"), Some("Bearer secret")).await);
        assert!(admitted(Some("secret"), Some("bearer  secret")).await);
        for wrong in ["Bearer secre", "Bearer secret2", "Bearer", "Bearer ", "secret", "Basic secret", "Bearer Secret"]
        {
            assert!(!admitted(Some("secret"), Some(wrong)).await, "{wrong}");
        }
        assert!(!admitted(Some("secret"), None).await);
    }

    #[actix_web::test]
    async fn without_a_token_nobody_is_let_in() {
        for token in [None, Some("")] {
            for header in [None, Some("Bearer "), Some("Bearer"), Some("Bearer x")] {
                assert!(!admitted(token, header).await, "{token:?} {header:?}");
            }
        }
    }
}
