//! What must hold of every route. The routes are those of the router's own table.

use accounts::{Accounts, Config, Role};
use admin::ROUTES;
use chrono::TimeDelta;
use db::Clock;
use reqwest::Method;
use testkit::TestApp;

use crate::browser::{Browser, PASSWORD, Page};

const NOTHING: &[(&str, &str)] = &[];

/// Every route: its method, path and least role.
fn routes() -> impl Iterator<Item = (Method, &'static str, Option<Role>)> {
    ROUTES.iter().map(|(method, path, role)| (method.parse().unwrap(), *path, *role))
}

fn filled(path: &str) -> String {
    let path = ["{id}", "{store}", "{product}"].iter().fold(path.to_owned(), |path, name| path.replace(name, "1"));
    path.replace("{name}", "style.css")
}

fn body(method: &Method) -> Option<&'static [(&'static str, &'static str)]> {
    (*method == Method::POST).then_some(NOTHING)
}

fn hold_to_the_headers(page: &Page, path: &str) {
    let policy = page.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
    assert!(!policy.contains("unsafe") && !policy.contains("http"), "{path}: {policy}");
    assert_eq!(page.header("x-content-type-options"), "nosniff", "{path}");
    assert_eq!(page.header("referrer-policy"), "same-origin", "{path}");
    if !path.contains("/assets/") {
        assert_eq!(page.header("cache-control"), "no-store", "{path}");
    }
}

/// What a viewer may send: about themselves alone, or about tokens that open no more than they may.
const FOR_VIEWERS: [&str; 4] = ["/admin/sign-out/", "/admin/password/", "/admin/tokens/bulk/", "/admin/tokens/new/"];

/// The table says who may do what; this says what it must say.
#[test]
fn only_managers_change_things_and_only_owners_look_after_staff() {
    for (method, path, role) in routes() {
        let expected = match path {
            "/admin/sign-in/" | "/admin/assets/{name}" => None,
            _ if path.starts_with("/admin/staff/") => Some(Role::Owner),
            _ if path.starts_with("/admin/audit/") => Some(Role::Manager),
            _ if method != Method::GET && !FOR_VIEWERS.contains(&path) => Some(Role::Manager),
            _ if method != Method::GET => Some(Role::Viewer),
            _ => Some(role.unwrap_or(Role::Owner)),
        };
        assert_eq!(role, expected, "{method} {path}");
    }
    for path in FOR_VIEWERS {
        assert!(routes().any(|(method, known, _)| known == path && method == Method::POST), "{path} is no route");
    }
}

#[tokio::test]
async fn who_is_not_signed_in_sees_the_sign_in_page() {
    let app = TestApp::start().await;
    assert!(ROUTES.len() > 60);
    for (method, path, role) in routes() {
        for cookie in ["", "session=made-up", "session=", "__Host-session=x"] {
            let (mut browser, path) = (Browser::new(&app), filled(path));
            let page = browser.send(method.clone(), &path, &[("cookie", cookie)], body(&method)).await;
            hold_to_the_headers(&page, &path);
            match (role, method == Method::GET) {
                (None, _) => assert!(page.status == 200 || page.status == 401, "{method} {path}: {}", page.status),
                (Some(_), true) => {
                    let page = page.expect(303);
                    let there = page.location();
                    assert!(there.starts_with("/admin/sign-in/?next=%2Fadmin%2F"), "{path}: {there}");
                }
                (Some(_), false) => {
                    assert!(page.expect(401).text.contains("no longer signed in"), "{path}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_session_that_is_over_opens_nothing() {
    let app = TestApp::start().await;
    let mut browser = Browser::signed_in(&app, Role::Owner).await;
    browser.get("/admin/").await.expect(200);
    let csrf = browser.get("/admin/").await.hidden("csrf");
    let sql = app.database.sql().await;
    sql.batch_execute("UPDATE sessions SET last_used_at = now() - interval '31 minutes'").await.unwrap();
    for (method, path, _) in routes().filter(|(_, _, role)| role.is_some()) {
        let fields = [("csrf", csrf.as_str())];
        let form = (method == Method::POST).then_some(&fields[..]);
        let page = browser.send(method.clone(), &filled(path), &[], form).await;
        assert_eq!(page.status, if form.is_some() { 401 } else { 303 }, "{method} {path}");
    }
    // So does one that has lasted for eight hours, however often it was used.
    let renewed = "UPDATE sessions SET last_used_at = now(), created_at = now() - interval '8 hours'";
    sql.batch_execute(renewed).await.unwrap();
    browser.get("/admin/").await.expect(303);
    assert!(TimeDelta::hours(8) > TimeDelta::minutes(31));
}

#[tokio::test]
async fn a_role_sees_what_it_may_and_no_more() {
    let app = TestApp::start().await;
    for role in Role::ALL {
        let mut browser = Browser::signed_in(&app, role).await;
        for (method, path, needed) in routes().filter(|(_, path, _)| !path.contains("/sign-")) {
            let path = filled(path);
            // A form without its token: who may send it is told so, who may not is told that.
            let page = browser.send(method.clone(), &path, &[], body(&method)).await;
            hold_to_the_headers(&page, &path);
            let said = page.text.contains("This needs the role");
            let may = needed.is_none_or(|needed| needed <= role);
            assert_eq!(said, !may, "{role}: {method} {path}: {}", page.text);
            assert_eq!(page.status == 403, !may || method == Method::POST, "{role}: {method} {path}: {}", page.text);
            assert!(page.status.as_u16() < 500, "{role}: {method} {path}: {}", page.text);
        }
    }
}

#[tokio::test]
async fn forms_of_other_sites_and_sessions_are_refused() {
    let app = TestApp::start().await;
    let mut browser = Browser::signed_in(&app, Role::Owner).await;
    let mut other = Browser::signed_in(&app, Role::Manager).await;
    let foreign = other.get("/admin/").await.hidden("csrf");
    let own = browser.get("/admin/").await.hidden("csrf");
    for (method, path, _) in routes().filter(|(method, _, _)| *method == Method::POST) {
        let path = filled(path);
        for header in
            [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "http://evil.example")]
        {
            let page = browser.send(method.clone(), &path, &[header], Some(&[("csrf", &own)])).await.expect(403);
            assert!(page.text.contains("another site"), "{path}: {}", page.text);
        }
        if path == "/admin/sign-in/" {
            continue;
        }
        for token in ["", "x", &foreign] {
            let page = browser.submit(&path, &[("csrf", token)]).await.expect(403);
            assert!(page.text.contains("another session"), "{path}: {}", page.text);
        }
    }
    browser.get("/admin/").await.expect(200);
}

#[tokio::test]
async fn the_cookie_is_kept_from_scripts_and_other_sites() {
    let app = TestApp::start().await;
    let mut browser = Browser::signed_in(&app, Role::Viewer).await;
    let fields = [("email", "viewer@shop.example"), ("password", PASSWORD), ("next", "/admin/orders/?store=1")];
    let entered = browser.submit("/admin/sign-in/", &fields).await.expect(303);
    assert_eq!(entered.location(), "/admin/orders/?store=1");
    let cookie = entered.header("set-cookie");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict") && cookie.contains("Path=/"), "{cookie}");
    assert!(!cookie.contains("Secure"), "{cookie}");
    for next in ["https://evil.example/", "//evil.example/admin/", "/admin/../\\evil"] {
        let fields = [("email", "viewer@shop.example"), ("password", PASSWORD), ("next", next)];
        assert_eq!(browser.submit("/admin/sign-in/", &fields).await.expect(303).location(), "/admin/", "{next}");
    }
    let tls = TestApp::start_with(|_, settings| settings.public_url = Some("https://shop.example".into())).await;
    let mut browser = Browser::signed_in(&tls, Role::Viewer).await;
    let entered = browser.submit("/admin/sign-in/", &fields[..2]).await.expect(303);
    let cookie = entered.header("set-cookie");
    assert!(cookie.starts_with("__Host-session=") && cookie.contains("Secure"), "{cookie}");
    assert!(entered.header("strict-transport-security").starts_with("max-age="));
}

#[tokio::test]
async fn signing_in_makes_a_new_session_and_signing_out_ends_it() {
    let app = TestApp::start().await;
    let mut browser = Browser::signed_in(&app, Role::Viewer).await;
    let first = browser.cookie().to_owned();
    let fields = [("email", "viewer@shop.example"), ("password", PASSWORD)];
    browser.submit("/admin/sign-in/", &fields).await.expect(303);
    let second = browser.cookie().to_owned();
    assert_ne!(first, second);
    let mut thief = Browser::new(&app);
    thief.send(Method::GET, "/admin/", &[("cookie", &first)], None).await.expect(303);
    let csrf = browser.get("/admin/").await.hidden("csrf");
    browser.submit("/admin/sign-out/", &[("csrf", &csrf)]).await.expect(303);
    thief.send(Method::GET, "/admin/", &[("cookie", &second)], None).await.expect(303);
    let accounts = Accounts::new(app.database.handle(), Clock::system(), Config::default());
    assert!(accounts.list_staff().await.unwrap()[0].last_sign_in_at.is_some());
}

#[tokio::test]
async fn a_wrong_password_is_told_apart_from_nothing() {
    let app = TestApp::start().await;
    Browser::signed_in(&app, Role::Viewer).await;
    let mut browser = Browser::new(&app);
    for (email, password) in [("viewer@shop.example", "wrong"), ("nobody@shop.example", PASSWORD), ("", "")] {
        let page = browser.submit("/admin/sign-in/", &[("email", email), ("password", password)]).await.expect(401);
        assert!(page.text.contains("The e-mail address or the password is wrong."), "{}", page.text);
        assert_eq!(page.header("set-cookie"), "");
        assert!(!page.text.contains(PASSWORD));
    }
    // Each failure makes the next wait longer, so however slow we are, one of them comes too soon.
    for attempt in 1.. {
        let wrong = [("email", "viewer@shop.example"), ("password", "wrong")];
        let page = browser.submit("/admin/sign-in/", &wrong).await;
        if page.status == 429 {
            assert!(attempt >= 5 && page.text.contains("Try again in"), "{attempt}: {}", page.text);
            let seconds: i64 = page.header("retry-after").parse().unwrap();
            assert!(page.text.contains(&format!("in {seconds} second")), "{seconds}: {}", page.text);
            break;
        }
        assert!(attempt < 15, "{attempt} guesses");
    }
}

#[tokio::test]
async fn what_is_not_there_is_told_in_a_page() {
    let app = TestApp::start().await;
    let mut browser = Browser::signed_in(&app, Role::Manager).await;
    for path in
        ["/admin/nothing/", "/admin/products/999/", "/admin/products/tea/", "/admin/orders/999/", "/admin/assets/x"]
    {
        let page = browser.get(path).await.expect(404);
        assert!(page.header("content-type").starts_with("text/html"), "{path}");
        hold_to_the_headers(&page, path);
    }
    let page = browser.send(Method::PUT, "/admin/products/1/", &[], Some(NOTHING)).await.expect(405);
    assert_eq!(page.header("allow"), "GET, POST");
    let csrf = browser.get("/admin/").await.hidden("csrf");
    let large = "x".repeat(3 * 1024 * 1024);
    let page = browser.submit("/admin/categories/new/", &[("csrf", &csrf), ("name", &large)]).await.expect(413);
    assert!(page.text.contains("2048 KiB"), "{}", page.text);
}
