//! Who goes on, decided here for every route, before a handler sees the request.

use accounts::{Accounts, Session};
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::Method;
use actix_web::http::header::{ALLOW, HOST, HeaderMap, ORIGIN};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage, ResponseError};
use url::Url;
use web::{Client, Code, PublicUrl};

use crate::body::{self, MOST};
use crate::cookie;
use crate::desk::Admitted;
use crate::fields::{Fields, encoded};
use crate::render::{go_to, protect};
use crate::routes::{Access, access};
use crate::trouble::Trouble;

/// Bytes of the form to sign in with, the only one that anybody may send.
const MOST_OF_ANYBODY: usize = 16 * 1024;

/// Middleware of the whole site.
///
/// # Errors
/// Those of inner middleware.
pub(crate) async fn guard(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let secure = request.extensions().get::<Client>().is_some_and(|client| client.is_secure);
    let mut answer = match admit(&mut request, secure).await {
        Ok(()) => next.call(request).await?.map_into_boxed_body(),
        Err(refusal) => request.error_response(refusal),
    };
    protect(answer.headers_mut());
    Ok(answer)
}

/// Leaves what the handler may have in the request's extensions; fails with the answer where it goes no further.
async fn admit(request: &mut ServiceRequest, secure: bool) -> Result<(), Error> {
    let is_read = *request.method() == Method::GET;
    let public = request.app_data::<PublicUrl>().and_then(|url| Url::parse(&url.0).ok());
    let public = public.map(|url| url.origin().ascii_serialization());
    if !is_read && !is_from_here(request.headers(), public.as_deref()) {
        return Err(Trouble::new(Code::Forbidden, "This form was sent from another site.").into());
    }
    let needed = match access(request.method(), request.match_pattern().as_deref()) {
        Access::Role(role) => role,
        Access::Everybody if is_read => return Ok(()),
        Access::Everybody => {
            let form = form(request, MOST_OF_ANYBODY).await?;
            request.extensions_mut().insert(form);
            return Ok(());
        }
        Access::Other(methods) => {
            let trouble = Trouble::new(Code::MethodNotAllowed, "This address takes no such request.");
            let mut answer = trouble.error_response();
            answer.headers_mut().insert(ALLOW, methods);
            return Err(InternalError::from_response(trouble, answer).into());
        }
    };
    let session = match session(request, secure).await.map_err(Trouble::from)? {
        Some(session) if session.role < needed => return Err(Trouble::too_low(needed).into()),
        Some(session) => session,
        None if is_read => {
            let answer = go_to(&sign_in_address(request));
            return Err(InternalError::from_response(Trouble::foreign(None), answer).into());
        }
        None => return Err(Trouble::foreign(None).into()),
    };
    let form = if is_read { Fields::default() } else { form(request, MOST).await? };
    if !is_read && !are_same(&session.csrf_token, form.get("csrf")) {
        return Err(Trouble::foreign(Some(&session)).into());
    }
    request.extensions_mut().insert(Admitted { session, form });
    Ok(())
}

async fn form(request: &mut ServiceRequest, most: usize) -> Result<Fields, Trouble> {
    let payload = request.take_payload();
    body::read(request.headers(), payload, most).await
}

async fn session(request: &ServiceRequest, secure: bool) -> Result<Option<Session>, db::Error> {
    match (cookie::read(request.headers(), secure), request.app_data::<Data<Accounts>>()) {
        (Some(presented), Some(accounts)) => accounts.session(&presented).await,
        _ => Ok(None),
    }
}

fn sign_in_address(request: &ServiceRequest) -> String {
    let asked = request.uri().path_and_query().map_or("/admin/", |asked| asked.as_str());
    format!("/admin/sign-in/?next={}", encoded(asked))
}

/// Whether a form was sent by a page of ours. Browsers say so in `Sec-Fetch-Site`, older ones in `Origin`; a client
/// that sends neither is no browser, and has no cookie that somebody else could misuse. A proxy may have written its own
/// `Host`, so the address that the site is known by counts as well.
fn is_from_here(headers: &HeaderMap, public: Option<&str>) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    if let Some(site) = text("sec-fetch-site") {
        return site == "same-origin" || site == "none";
    }
    match (text(ORIGIN.as_str()), text(HOST.as_str())) {
        (None, _) => true,
        (Some(origin), _) if public == Some(origin) => true,
        (Some(origin), Some(host)) => origin.split_once("://").is_some_and(|(_, authority)| authority == host),
        (Some(_), None) => false,
    }
}

/// Compares to the end, so that the time it takes tells nothing.
fn are_same(one: &str, other: &str) -> bool {
    one.len() == other.len() && one.bytes().zip(other.bytes()).fold(0, |all, (one, other)| all | (one ^ other)) == 0
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn forms_come_from_our_own_pages() {
        let from = |public: Option<&str>, pairs: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
            }
            is_from_here(&headers, public)
        };
        let proxied = [("origin", "https://shop.example"), ("host", "10.0.0.7:8000")];
        assert!(from(Some("https://shop.example"), &proxied) && !from(None, &proxied));
        assert!(!from(Some("https://shop.example"), &[("origin", "http://shop.example"), ("host", "10.0.0.7:8000")]));
        let is_from_here = |pairs: &[(&'static str, &'static str)]| from(None, pairs);
        assert!(is_from_here(&[("sec-fetch-site", "same-origin"), ("origin", "https://x"), ("host", "y")]));
        assert!(is_from_here(&[("origin", "http://127.0.0.1:8000"), ("host", "127.0.0.1:8000")]));
        assert!(is_from_here(&[("host", "127.0.0.1:8000")]));
        for foreign in [
            &[("sec-fetch-site", "cross-site"), ("host", "shop")][..],
            &[("sec-fetch-site", "same-site"), ("origin", "http://shop"), ("host", "shop")],
            &[("origin", "http://evil"), ("host", "shop")],
            &[("origin", "http://shop.evil"), ("host", "shop")],
            &[("origin", "null"), ("host", "shop")],
            &[("origin", "http://shop")],
        ] {
            assert!(!is_from_here(foreign), "{foreign:?}");
        }
    }
}
