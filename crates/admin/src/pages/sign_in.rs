//! Signing in and out.

use accounts::{Accounts, SignIn, SignInError};
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, RETRY_AFTER};
use actix_web::web::Data;
use actix_web::{HttpMessage, HttpRequest};
use askama::Template;
use secrecy::SecretString;
use web::RequestId;

use crate::cookie;
use crate::desk::Desk;
use crate::fields::{Fields, local};
use crate::render::{Answer, go_to_with, page, page_with};
use crate::trouble::Trouble;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct Page<'a> {
    email: &'a str,
    next: &'a str,
    problem: Option<String>,
    notice: Option<&'static str>,
    assets: &'static str,
}

impl<'a> Page<'a> {
    fn new(email: &'a str, next: &'a str, problem: Option<String>) -> Self {
        Self { email, next, problem, notice: None, assets: crate::assets::version() }
    }
}

/// `GET /admin/sign-in/`
pub(crate) async fn show(request: HttpRequest) -> Answer {
    let query = Fields::parse(request.query_string().as_bytes());
    // After a change of one's password that could not sign one in again at once.
    let notice = (query.get("done") == "password").then_some("Your password is changed. Sign in with the new one.");
    page(&Page { notice, ..Page::new("", next_of(&query), None) })
}

/// `POST /admin/sign-in/`
pub(crate) async fn submit(request: HttpRequest, id: RequestId, accounts: Data<Accounts>) -> Answer {
    let client = Desk::client_of(&request);
    let form: Fields = request.extensions_mut().remove().unwrap_or_default();
    let (email, next) = (form.get("email"), next_of(&form));
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
    let shown = Page::new(email, next, Some(refused.to_string()));
    let Some(seconds) = refused.retry_after() else { return page_with(StatusCode::UNAUTHORIZED, &shown) };
    let mut answer = page_with(StatusCode::TOO_MANY_REQUESTS, &shown)?;
    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    Ok(answer)
}

/// `POST /admin/sign-out/`
pub(crate) async fn sign_out(desk: Desk) -> Answer {
    desk.accounts()?.sign_out(&desk.session).await.map_err(Trouble::from)?;
    Ok(go_to_with("/admin/sign-in/", cookie::removed(desk.client().is_secure)))
}

/// A page of the site to go on to; the dashboard where `next` is anything else.
fn next_of(fields: &Fields) -> &str {
    local(fields.get("next")).unwrap_or("/admin/")
}
