//! Signing in and out.

use accounts::{Accounts, SignIn, SignInError};
use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpMessage, HttpRequest};
use askama::Template;
use secrecy::SecretString;
use web::RequestId;

use crate::cookie;
use crate::desk::Desk;
use crate::fields::Fields;
use crate::render::{Answer, go_to_with, page, page_with};
use crate::trouble::Trouble;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct Page<'a> {
    email: &'a str,
    next: &'a str,
    problem: Option<String>,
    assets: &'static str,
}

impl<'a> Page<'a> {
    fn new(email: &'a str, next: &'a str, problem: Option<String>) -> Self {
        Self { email, next, problem, assets: crate::assets::version() }
    }
}

/// `GET /admin/sign-in/`
pub(crate) async fn show(request: HttpRequest) -> Answer {
    let query = Fields::parse(request.query_string().as_bytes());
    page(&Page::new("", local(query.get("next")), None))
}

/// `POST /admin/sign-in/`
pub(crate) async fn submit(request: HttpRequest, id: RequestId, accounts: Data<Accounts>) -> Answer {
    let client = Desk::client_of(&request);
    let form: Fields = request.extensions_mut().remove().unwrap_or_default();
    let (email, next) = (form.get("email"), local(form.get("next")));
    let attempt = SignIn {
        email: email.to_owned(),
        password: SecretString::from(form.exactly("password")),
        address: client.address,
        presented: cookie::read(request.headers(), client.is_secure),
        request_id: Some(id.0),
    };
    let refused = match accounts.sign_in(attempt).await {
        Ok(begun) => return Ok(go_to_with(next, cookie::made(&begun.secret, client.is_secure))),
        Err(SignInError::Failed(error)) => return Err(error.into()),
        Err(refused) => refused,
    };
    let status = match refused {
        SignInError::TooSoon(_) => StatusCode::TOO_MANY_REQUESTS,
        _ => StatusCode::UNAUTHORIZED,
    };
    page_with(status, &Page::new(email, next, Some(refused.to_string())))
}

/// `POST /admin/sign-out/`
pub(crate) async fn sign_out(desk: Desk) -> Answer {
    desk.accounts()?.sign_out(&desk.session).await.map_err(Trouble::from)?;
    Ok(go_to_with("/admin/sign-in/", cookie::removed(desk.client().is_secure)))
}

/// A page of the site to go on to; the dashboard where `next` is anything else. So nobody is led elsewhere by a link
/// to the sign-in page.
fn local(next: &str) -> &str {
    let is_plain = next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let is_ours = next.starts_with("/admin/") && is_plain && !next.contains("//") && !next.contains("..");
    if is_ours { next } else { "/admin/" }
}

#[cfg(test)]
mod tests {
    use super::local;

    #[test]
    fn one_goes_on_to_pages_of_the_site_alone() {
        for ours in ["/admin/", "/admin/products/?category=Tea&after=7"] {
            assert_eq!(local(ours), ours);
        }
        for other in [
            "",
            "/",
            "//evil.example/admin/",
            "https://evil.example",
            "/admin",
            "/admin/\\evil",
            "/admin//evil",
            "/admin/../orders/",
            "/admin/\r\nSet-Cookie: a=b",
        ] {
            assert_eq!(local(other), "/admin/", "{other}");
        }
    }
}
