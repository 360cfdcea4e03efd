//! Requests that are made to be taken for others.

use accounts::Scope;
use reqwest::Method;
use reqwest::header::HeaderValue;
use serde_json::json;
use testkit::TestApp;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::authorization::Keys;

#[tokio::test]
async fn a_header_that_is_not_one_token_is_not_passed_over() {
    let app = TestApp::start().await;
    let token = Keys::new(&app).await.token(Scope::ALL).await;
    let good = format!("Bearer {token}");
    let cases: [&[&[u8]]; 9] = [
        &[b"Bearer"],
        &[b"bearer \t "],
        &[b"Bearer \xff\xfe"],
        &[b"Bearer a b"],
        &[good.as_bytes(), good.as_bytes()],
        &[good.as_bytes(), b"Bearer sr_x"],
        &[b"Bearer sr_x", good.as_bytes()],
        &[b"Basic YTpi", good.as_bytes()],
        &[&[good.as_bytes(), b", Bearer sr_x"].concat()],
    ];
    for lines in cases {
        let mut lines_of = reqwest::header::HeaderMap::new();
        for line in lines {
            lines_of.append("Authorization", HeaderValue::from_bytes(line).unwrap());
        }
        for (method, path) in [(Method::GET, "/products/"), (Method::POST, "/categories/")] {
            let answer = app.send(app.request(method.clone(), path).headers(lines_of.clone())).await;
            answer.expect_problem(401, "unauthorized");
            let challenge = answer.header("www-authenticate");
            assert_eq!(challenge, Some(r#"Bearer error="invalid_token""#), "{method} {path} {lines_of:?}");
        }
    }
    let spaced = app.request(Method::GET, "/products/").header("Authorization", format!("BEARER \t {token} "));
    app.send(spaced).await.expect(200);
}

#[tokio::test]
async fn a_token_counts_in_its_header_alone() {
    let app = TestApp::start().await;
    let token = Keys::new(&app).await.token(Scope::ALL).await;
    let body = json!({"name": "Tea", "access_token": token});
    for name in ["access_token", "token", "authorization", "Authorization"] {
        let answer = app.post(&format!("/categories/?{name}={token}"), &body).await;
        answer.expect_problem(401, "unauthorized");
        assert!(!answer.text.contains(&token), "it is not repeated: {}", answer.text);
    }
    for (name, value) in [
        ("Cookie", format!("access_token={token}; Authorization=Bearer {token}")),
        ("Proxy-Authorization", format!("Bearer {token}")),
        ("X-Authorization", format!("Bearer {token}")),
        ("X-Api-Key", token.clone()),
    ] {
        let request = app.request(Method::POST, "/categories/").header(name, value).json(&body);
        app.send(request).await.expect_problem(401, "unauthorized");
    }
    assert_eq!(app.get("/categories/").await.expect(200)["count"], 0);
}

#[tokio::test]
async fn no_header_makes_a_request_another_one() {
    let app = TestApp::start().await;
    let product = app.build().await.product("Oolong Tea", "Tea", "2.50").await;
    let token = Keys::new(&app).await.token(Scope::ALL).await;
    let path = format!("/products/{product}/");
    for (name, value) in [
        ("X-HTTP-Method-Override", "DELETE"),
        ("X-HTTP-Method", "DELETE"),
        ("X-Method-Override", "DELETE"),
        ("X-Original-URL", "/openapi.json"),
        ("X-Rewrite-URL", "/openapi.json"),
    ] {
        let answer = app.send(app.request(Method::GET, &path).bearer_auth(&token).header(name, value)).await;
        assert_eq!(answer.expect(200)["id"], product, "{name}");
    }
    app.get(&format!("{path}?_method=DELETE")).await.expect_problem(400, "invalid");
    app.get(&path).await.expect(200);
}

#[tokio::test]
async fn an_id_is_a_number_that_can_be_one() {
    let app = TestApp::start().await;
    let token = Keys::new(&app).await.token(Scope::ALL).await;
    let ids = ["9223372036854775808", "-9223372036854775809", "0x1", "1e0", "1.0", "%00", "%ff", "1%00", "١", "null"];
    for id in ids {
        for path in [format!("/products/{id}/"), format!("/categories/{id}/"), format!("/stores/{id}/")] {
            for method in [Method::GET, Method::PATCH, Method::DELETE] {
                let request = app.request(method.clone(), &path).bearer_auth(&token).json(&json!({"name": "x"}));
                let answer = app.send(request).await;
                assert_eq!(answer.status, 404, "{method} {path}: {}", answer.text);
            }
        }
    }
    for id in [i64::MAX, i64::MIN, -1, 0] {
        for method in [Method::GET, Method::DELETE] {
            app.send(app.request(method, &format!("/products/{id}/")).bearer_auth(&token))
                .await
                .expect_problem(404, "not_found");
        }
    }
}

/// What the server says to these bytes, sent at once, until it closes the connection or has nothing more to say.
async fn raw(app: &TestApp, request: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(app.base().trim_start_matches("http://")).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let (mut answer, mut part) = (Vec::new(), [0; 4096]);
    let quiet = std::time::Duration::from_secs(1);
    while let Ok(Ok(read @ 1..)) = tokio::time::timeout(quiet, stream.read(&mut part)).await {
        answer.extend_from_slice(&part[..read]);
    }
    String::from_utf8_lossy(&answer).into_owned()
}

/// They never come as far as us: the protocol layer refuses them, and has no body to give.
#[tokio::test]
async fn an_endless_head_is_refused_with_a_status_alone() {
    let app = TestApp::start().await;
    let long = "x".repeat(70_000);
    for (head, status) in [
        (format!("GET /{long} HTTP/1.1\r\nHost: x\r\n\r\n"), 400),
        (format!("GET /{long}{long} HTTP/1.1\r\nHost: x\r\n\r\n"), 431),
        (format!("GET /healthz/ HTTP/1.1\r\nHost: x\r\nA: {long}\r\nB: {long}\r\n\r\n"), 431),
    ] {
        let answer = raw(&app, &head).await.to_ascii_lowercase();
        assert!(answer.starts_with(&format!("http/1.1 {status} ")), "{answer}");
        assert!(answer.contains("content-length: 0\r\n"), "{answer}");
    }
    app.get(&format!("/{}", &long[..60_000])).await.expect_problem(404, "not_found");
}

/// Two proxies that see different ends of one request let a client slip another one in behind it.
#[tokio::test]
async fn a_request_has_one_end() {
    let app = TestApp::start().await;
    let hidden = "GET /healthz/ HTTP/1.1\r\nHost: x\r\n\r\n";
    for framing in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        "Content-Length: 5\r\nContent-Length: 40\r\n\r\nhello",
        "Content-Length: 5, 5\r\n\r\nhello",
        "Content-Length: +5\r\n\r\nhello",
        "Content-Length: -5\r\n\r\nhello",
        "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: identity\r\nContent-Length: 5\r\n\r\nhello",
        "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\nx\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n",
        "Content-Length: 5\r\n folded: yes\r\n\r\nhello",
    ] {
        let head = "POST /categories/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
        let answer = raw(&app, &format!("{head}{framing}{hidden}")).await;
        assert!(!answer.contains("HTTP/1.1 200"), "{framing:?} let another request in: {answer}");
    }
    let two = format!("POST /categories/ HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello{hidden}");
    assert!(raw(&app, &two).await.contains("HTTP/1.1 200"), "two requests one after the other are fine");
}
