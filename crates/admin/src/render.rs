//! From templates to answers.

use accounts::Role;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue, LOCATION, SET_COOKIE};
use askama::Template;
use chrono::{DateTime, Utc};

use crate::desk::Desk;
use crate::trouble::{Trouble, Unrendered};

pub(crate) const HTML: &str = "text/html; charset=utf-8";

/// What a handler answers.
pub(crate) type Answer = Result<HttpResponse, Trouble>;

/// What every page of somebody who is signed in shows around itself.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    /// Who is signed in.
    pub(crate) email: String,
    /// Their role.
    pub(crate) role: &'static str,
    /// Whether they may change things.
    pub(crate) may_change: bool,
    /// Goes into every form.
    pub(crate) csrf: String,
    /// A sentence about what was just done.
    pub(crate) notice: Option<String>,
    /// The menu: groups of address, name, and whether we are there.
    pub(crate) menu: Vec<(&'static str, &'static str, bool)>,
    /// Version of the assets.
    pub(crate) assets: &'static str,
}

/// Where one can go: address, name, and who may.
const MENU: &[(&str, &str, Role)] = &[
    ("/admin/", "Dashboard", Role::Viewer),
    ("/admin/orders/", "Orders", Role::Viewer),
    ("/admin/confirmations/", "Confirmations", Role::Viewer),
    ("/admin/jobs/", "Parked jobs", Role::Viewer),
    ("/admin/products/", "Products", Role::Viewer),
    ("/admin/categories/", "Categories", Role::Viewer),
    ("/admin/stores/", "Stores", Role::Viewer),
    ("/admin/inventory/", "Inventory", Role::Viewer),
    ("/admin/import/", "Import", Role::Manager),
    ("/admin/tokens/", "Tokens", Role::Viewer),
    ("/admin/staff/", "Staff", Role::Owner),
    ("/admin/audit/", "Audit log", Role::Manager),
];

impl Frame {
    pub(crate) fn new(desk: &Desk) -> Self {
        let session = &desk.session;
        let path = desk.path();
        let is_here = |at: &str| if at == "/admin/" { path == at } else { path.starts_with(at) };
        let menu = MENU.iter().filter(|(_, _, least)| *least <= session.role);
        Self {
            email: session.email.clone(),
            role: session.role.as_str(),
            may_change: session.role >= Role::Manager,
            csrf: session.csrf_token.clone(),
            notice: notice(desk),
            menu: menu.map(|(at, name, _)| (*at, *name, is_here(at))).collect(),
            assets: crate::assets::version(),
        }
    }
}

/// What the list at this address is called, if there is one in the menu.
pub(crate) fn name_of(address: &str) -> Option<&'static str> {
    let path = address.split('?').next().unwrap_or_default();
    MENU.iter().find(|(at, _, _)| *at == path).map(|(_, name, _)| *name)
}

/// The sentence that the address asks for, one of a few: nobody can put words into our mouth by a link.
fn notice(desk: &Desk) -> Option<String> {
    let done = match desk.query.get("done") {
        "saved" => "Saved.",
        "created" => "Created.",
        "deleted" => "Deleted.",
        "cancelled" => "The order is cancelled, its stock is back.",
        "resent" => "The confirmation is on its way.",
        "redriven" => "The job is tried again.",
        "password" => "The password is changed.",
        "revoked" => "The token is revoked.",
        "stock" => "The stock is changed.",
        "imported" => return Some(format!("Imported: {}.", desk.query.number("count").unwrap_or(0))),
        "bulk" => return Some(format!("Done, for {}.", desk.query.number("count").unwrap_or(0))),
        _ => return None,
    };
    Some(done.to_owned())
}

/// A page.
pub(crate) fn page(template: &impl Template) -> Answer {
    page_with(StatusCode::OK, template)
}

/// A page with another status.
pub(crate) fn page_with(status: StatusCode, template: &impl Template) -> Answer {
    Ok(HttpResponse::build(status).content_type(HTML).body(template.render().map_err(Unrendered)?))
}

/// Sends the browser to a page of ours, by GET.
pub(crate) fn go_to(path: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, path)).finish()
}

/// The same, with a cookie.
pub(crate) fn go_to_with(path: &str, cookie: String) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, path)).insert_header((SET_COOKIE, cookie)).finish()
}

/// A moment, for people: to the second, in UTC.
pub(crate) fn moment(moment: DateTime<Utc>) -> String {
    moment.format("%Y-%m-%d %H:%M:%S").to_string()
}

/// What goes with every answer of the site: nothing from elsewhere runs, shows or frames here, and nothing but assets is
/// kept. What goes with every answer of ours, [`web::edge`] adds.
pub(crate) fn protect(headers: &mut HeaderMap) {
    let policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; \
                  frame-ancestors 'none'; base-uri 'none'";
    let mut set = |name: &'static str, value: &'static str| {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    };
    set("content-security-policy", policy);
    set("x-frame-options", "DENY");
    set("cross-origin-opener-policy", "same-origin");
    if !headers.contains_key("cache-control") {
        headers.insert(HeaderName::from_static("cache-control"), HeaderValue::from_static("no-store"));
    }
}
