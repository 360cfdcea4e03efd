//! Errors as pages.

use accounts::{Role, Session};
use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use actix_web::{HttpResponse, ResponseError};
use askama::Template;
use web::{Code, Coded};

use crate::render::HTML;

/// What a page answers instead of what was asked for.
#[derive(Debug)]
pub(crate) struct Trouble(web::Error, Option<String>);

impl Trouble {
    /// Of this kind, with a sentence for whoever is in front of it.
    pub(crate) fn new(code: Code, detail: &str) -> Self {
        Self(web::Error::new(code), Some(detail.to_owned()))
    }

    /// There is nothing at this address.
    pub(crate) fn nothing() -> Self {
        Self::new(Code::NotFound, "There is nothing at this address.")
    }

    /// Of somebody whose role is too small.
    pub(crate) fn too_low(needed: Role) -> Self {
        Self::new(Code::Forbidden, &format!("This needs the role {needed}. Ask an owner."))
    }

    /// Of a form that does not belong to this session.
    pub(crate) fn foreign(session: Option<&Session>) -> Self {
        match session {
            Some(_) => Self::new(Code::Forbidden, "This form belongs to another session. Open the page again."),
            None => Self::new(Code::Unauthorized, "You are no longer signed in. Nothing was changed."),
        }
    }

    /// What whoever is in front of it may read.
    pub(crate) fn detail(&self) -> String {
        self.1.clone().unwrap_or_else(|| self.0.code().title().to_owned())
    }
}

impl<E: Coded> From<E> for Trouble {
    fn from(error: E) -> Self {
        let detail = error.detail();
        Self(error.into(), detail)
    }
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

#[derive(Template)]
#[template(path = "trouble.html")]
struct Page<'a> {
    title: &'a str,
    detail: &'a str,
    is_ours: bool,
    assets: &'static str,
}

impl ResponseError for Trouble {
    fn status_code(&self) -> StatusCode {
        self.0.code().status()
    }

    fn error_response(&self) -> HttpResponse {
        let status = self.status_code();
        let title = match self.0.code() {
            Code::Unauthorized => "Sign in again",
            Code::Forbidden => "This is not yours to do",
            code => code.title(),
        };
        let is_ours = status.is_server_error();
        let nothing_more = if is_ours { "It was noted. Try again in a moment." } else { "" };
        let detail = self.1.as_deref().unwrap_or(nothing_more);
        let page = Page { title, detail, is_ours, assets: crate::assets::version() };
        // What the API says with it, such as when to come again, holds here as well; the body is ours.
        let said = self.0.error_response();
        let mut answer = HttpResponse::build(status);
        if let Some(seconds) = said.headers().get(RETRY_AFTER) {
            answer.insert_header((RETRY_AFTER, seconds));
        }
        answer.content_type(HTML).body(page.render().unwrap_or_default())
    }
}

/// That a template could not be rendered: a fault of ours.
#[derive(Debug, thiserror::Error)]
#[error("a page could not be rendered: {0}")]
pub(crate) struct Unrendered(#[from] pub(crate) askama::Error);

impl Coded for Unrendered {
    fn code(&self) -> Code {
        Code::Internal
    }
}

/// For an answer that fails under way.
impl std::error::Error for Trouble {}
