//! What every answer tells browsers, and whose word is taken about who asks.

use reqwest::Method;
use serde_json::json;
use testkit::{Answer, TestApp};

use crate::authorization::operations;

const SWAGGER_UI: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' \
                          data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

fn expect_protection(answer: &Answer, place: &str) {
    for (name, expected) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("content-security-policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
    ] {
        let values: Vec<_> = answer.headers.get_all(name).iter().collect();
        assert_eq!(values, [expected], "{place}: {name}");
    }
    assert_eq!(answer.header("strict-transport-security"), None, "{place}: nobody spoke of TLS");
}

#[tokio::test]
async fn every_answer_is_protected_whatever_it_is() {
    let app = TestApp::start().await;
    for (method, template, _) in operations() {
        let path = template.split('/').map(|part| if part.starts_with('{') { "1" } else { part });
        let path = path.collect::<Vec<_>>().join("/");
        let answer = app.send(app.request(method.clone(), &path)).await;
        expect_protection(&answer, &format!("{method} {path}"));
    }
    for page in ["/", "/problems/", "/problems/invalid/", "/openapi.json", "/nowhere/", "/problems/made-up/"] {
        expect_protection(&app.get(page).await, page);
    }
    for path in ["/healthz/", "/swagger-ui/", "/swagger-ui/made-up.js", "/nowhere"] {
        expect_protection(&app.send(app.request(Method::DELETE, path)).await, path);
    }
    let large = app.request(Method::POST, "/orders/").header("content-type", "application/json");
    let large = app.send(large.body(" ".repeat(300 << 10))).await;
    large.expect_problem(413, "payload_too_large");
    expect_protection(&large, "a large body");
}

#[tokio::test]
async fn swagger_uis_page_has_a_policy_of_its_own() {
    let app = TestApp::start().await;
    for path in ["/swagger-ui/", "/swagger-ui/index.html", "/swagger-ui/swagger-ui-bundle.js"] {
        let answer = app.get(path).await;
        answer.expect(200);
        let policies: Vec<_> = answer.headers.get_all("content-security-policy").iter().collect();
        assert_eq!(policies, [SWAGGER_UI], "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("referrer-policy"), Some("same-origin"), "{path}");
    }
    app.send(app.request(Method::POST, "/swagger-ui/")).await.expect_problem(405, "method_not_allowed");
    expect_protection(&app.get("/swagger-ui/made-up.js").await, "a file that is not there");
}

#[tokio::test]
async fn behind_tls_browsers_are_told_to_stay_there() {
    let app = TestApp::start_with(|_, settings| settings.public_url = Some("https://shop.example".into())).await;
    for path in ["/healthz/", "/nowhere/", "/swagger-ui/"] {
        assert_eq!(app.get(path).await.header("strict-transport-security"), Some("max-age=31536000"), "{path}");
    }
    let proxied = TestApp::start_with(|_, settings| settings.trusted_proxies = "127.0.0.1".parse().unwrap()).await;
    let said = proxied.request(Method::GET, "/nowhere/").header("X-Forwarded-Proto", "https");
    let answer = proxied.send(said).await;
    assert_eq!(answer.header("strict-transport-security"), Some("max-age=31536000"));
    assert!(answer.json()["type"].as_str().unwrap().starts_with("https://127.0.0.1"), "{}", answer.text);
    let unknown = TestApp::start().await;
    let answer = unknown.send(unknown.request(Method::GET, "/nowhere/").header("X-Forwarded-Proto", "https")).await;
    expect_protection(&answer, "anybody's word");
    assert!(answer.json()["type"].as_str().unwrap().starts_with("http://127.0.0.1"), "{}", answer.text);
}

/// Suggestions that clients are left with who say of themselves that they are these.
async fn left(app: &TestApp, forwarded_for: &[&str]) -> Vec<String> {
    let mut left = Vec::new();
    for client in forwarded_for {
        let request = app.request(Method::GET, "/api/search/suggest/?q=tea").header("X-Forwarded-For", *client);
        let answer = app.send(request).await;
        assert_eq!(answer.expect(200), json!({"results": []}));
        left.push(answer.header("ratelimit").unwrap().split(';').nth(1).unwrap().to_owned());
    }
    left
}

#[tokio::test]
async fn a_client_is_who_a_trusted_proxy_says_and_nobody_else() {
    let limit = std::num::NonZeroU32::new(9);
    let app = TestApp::start_with(|_, settings| {
        settings.search.suggest_rate_limit = limit;
        settings.trusted_proxies = "127.0.0.0/8, 10.0.0.0/8".parse().unwrap();
    })
    .await;
    let clients = ["192.0.2.1", "192.0.2.2", "192.0.2.9, 192.0.2.1", "192.0.2.1, 10.0.0.1", "::ffff:192.0.2.2"];
    assert_eq!(left(&app, &clients).await, ["r=8", "r=8", "r=7", "r=6", "r=7"]);
    let open = TestApp::start_with(|_, settings| settings.search.suggest_rate_limit = limit).await;
    assert_eq!(left(&open, &["192.0.2.1", "192.0.2.2", "192.0.2.3"]).await, ["r=8", "r=7", "r=6"]);
}
