//! What the contract promises of every address.

use std::time::{Duration, Instant};

use reqwest::Method;
use testkit::TestApp;

#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let app = TestApp::start().await;
    let answer = app.send(app.request(Method::POST, "/healthz/")).await;
    let problem = answer.expect_problem(405, "method_not_allowed");
    assert_eq!(answer.header("allow"), Some("GET, HEAD"));
    assert_eq!(problem["instance"], "/healthz/");
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let app = TestApp::start().await;
    let answer = app.send(app.request(Method::HEAD, "/healthz")).await;
    answer.expect(200);
    assert_eq!(answer.text, "");
}

#[tokio::test]
async fn problems_say_where_to_read_on() {
    let app = TestApp::start().await;
    let problem = app.get("/nowhere").await.expect_problem(404, "not_found");
    assert_eq!(problem["instance"], "/nowhere");
    assert_eq!(problem["status"], 404);
    let page = app.follow(problem["type"].as_str().unwrap()).await;
    page.expect(200);
    assert!(page.text.contains("not_found"));
}

#[tokio::test]
async fn unknown_parameters_are_named_with_the_known_ones() {
    let app = TestApp::start().await;
    let problem = app.get("/healthz/?made=up&and=another").await.expect_problem(400, "invalid");
    assert_eq!(problem["errors"].as_array().unwrap().len(), 2);
    assert_eq!(problem["errors"][0]["parameter"], "made");
}

#[tokio::test]
async fn query_strings_that_are_no_text_are_refused() {
    let app = TestApp::start().await;
    for query in ["a=%00", "a=%ff", "%ff=1", "a=%C3%28"] {
        app.get(&format!("/healthz/?{query}")).await.expect_problem(400, "invalid");
    }
}

#[tokio::test]
async fn what_is_no_text_hides_no_other_fault() {
    let app = TestApp::start().await;
    let parameters = async |path: &str| {
        let problem = app.get(path).await.expect_problem(400, "invalid");
        let faults = problem["errors"].as_array().unwrap().clone();
        let named = |fault: &serde_json::Value| format!("{}: {}", fault["parameter"], fault["code"]).replace('"', "");
        faults.iter().map(named).collect::<Vec<_>>()
    };
    assert_eq!(
        parameters("/api/search/products/?q=%00&page_size=abc&%ff=1").await,
        ["q: invalid_text", "?: invalid_text", "page_size: out_of_range"]
    );
    assert_eq!(parameters("/api/search/suggest/?made_up=1").await, ["q: required", "made_up: unknown_parameter"]);
    assert_eq!(parameters("/api/search/suggest/?q=te&made_up=1").await, ["q: too_short", "made_up: unknown_parameter"]);
    assert_eq!(parameters("/api/search/suggest/?q=%00").await, ["q: invalid_text"]);
    // What is given twice has each fault once.
    assert_eq!(parameters("/api/search/suggest/?q=a&q=b").await, ["q: too_short", "q: repeated"]);
    assert_eq!(parameters("/api/search/suggest/?q=%00&q=%00").await, ["q: invalid_text"]);
    assert_eq!(parameters("/healthz/?a=1&b=2&a=3").await, ["a: unknown_parameter", "b: unknown_parameter"]);
}

/// A title that reads like an escape of JSON is a title like any other.
#[tokio::test]
async fn a_page_may_end_at_any_title() {
    let app = TestApp::start().await;
    let build = app.build().await;
    let store = build.store("Corner").await;
    for title in [r"Tea \u0000 bags", r"Tea \\u0000 bags", "Tea bags"] {
        let product = build.product(title, "Tea", "1.00").await;
        build.stock(store, product, 1).await;
    }
    let (mut address, mut seen) = (Some(format!("{}/stores/{store}/inventory/?page_size=1", app.base())), Vec::new());
    while let Some(next) = address {
        let page = app.follow(&next).await.expect(200);
        seen.push(page["results"][0]["product_title"].as_str().unwrap().to_owned());
        address = page["next"].as_str().map(ToOwned::to_owned);
    }
    assert_eq!(seen.len(), 3, "{seen:?}");
}

/// Links are what clients follow, so they carry the address that clients know.
#[tokio::test]
async fn links_are_made_of_the_public_address() {
    let public = "https://shop.example";
    let app = TestApp::start_with(|_, settings| settings.public_url = Some(public.into())).await;
    let build = app.build().await;
    let store = build.store("Corner").await;
    build.store("Other").await;
    let product = build.product("Pen", "Office", "0.10").await;
    build.product("Pencil", "Office", "0.20").await;
    app.search_catches_up().await;
    for (path, links) in [("/stores/", "/stores/?"), ("/api/search/products/", "/api/search/products/?")] {
        let page = app.get(&format!("{path}?page_size=1")).await.expect(200);
        let next = page["next"].as_str().unwrap().to_owned();
        assert!(next.starts_with(&format!("{public}{links}")), "{next}");
        let page = app.follow(&next.replace(public, app.base())).await.expect(200);
        let previous = page["previous"].as_str().unwrap();
        assert!(previous.starts_with(&format!("{public}{links}")), "{previous}");
    }
    let problem = app.get("/nowhere/").await.expect_problem(404, "not_found");
    assert_eq!(problem["type"], format!("{public}/problems/not_found/"));
    let order = serde_json::json!({"store_id": store, "items": [{"product_id": product, "quantity_requested": 1}]});
    let placed = app.post("/orders/", &order).await;
    let id = placed.expect(201)["id"].clone();
    // A path, to be seen from the address that was asked: right under any name of ours.
    assert_eq!(placed.header("location"), Some(format!("/orders/{id}/").as_str()));
}

#[tokio::test]
async fn a_request_keeps_its_name_if_it_is_sane() {
    let app = TestApp::start().await;
    let named = app.send(app.request(Method::GET, "/nowhere").header("X-Request-Id", "order-17/retry:2")).await;
    assert_eq!(named.header("x-request-id"), Some("order-17/retry:2"));
    assert_eq!(named.json()["request_id"], "order-17/retry:2");
    for insane in ["has spaces", "<script>", &"x".repeat(129)] {
        let renamed = app.send(app.request(Method::GET, "/healthz/").header("X-Request-Id", insane)).await;
        assert_ne!(renamed.header("x-request-id"), Some(insane));
        assert_eq!(renamed.header("x-request-id").unwrap().len(), 32);
    }
}

fn cursor_of(page: &serde_json::Value) -> String {
    page["next"].as_str().unwrap().split("cursor=").nth(1).unwrap().split('&').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_cursor_belongs_to_its_list_and_filters() {
    let app = TestApp::start().await;
    let build = app.build().await;
    for number in 0..3 {
        build.store(&format!("Store {number}")).await;
        build.product(&format!("Product {number}"), "Tea", "1.00").await;
    }
    let cursor = cursor_of(&app.get("/products/?page_size=1&category=tea").await.expect(200));
    app.get(&format!("/products/?page_size=2&category=tea&cursor={cursor}")).await.expect(200);
    for elsewhere in ["/products/?", "/products/?category=coffee&", "/stores/?", "/categories/?"] {
        app.get(&format!("{elsewhere}cursor={cursor}")).await.expect_problem(404, "no_such_page");
    }
    for made_up in [
        r#"{"f":true,"k":2,"p":-9223372036854775808,"c":1200,"l":1}"#,
        r#"{"f":true,"k":2,"p":2,"c":-1,"l":1}"#,
        r#"{"f":true,"k":"\u0000","p":2,"c":1,"l":1}"#,
        "{}",
    ] {
        let cursor = base64(made_up);
        for list in ["/products/", "/stores/", "/categories/", "/stores/1/inventory/", "/stores/1/orders/"] {
            app.get(&format!("{list}?cursor={cursor}")).await.expect_problem(404, "no_such_page");
        }
    }
}

/// URL-safe, without padding.
fn base64(text: &str) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits: Vec<u8> = text.bytes().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
    let number = |six: &[u8]| six.iter().fold(0, |sum, bit| sum << 1 | bit) << (6 - six.len());
    bits.chunks(6).map(|six| char::from(LETTERS[usize::from(number(six))])).collect()
}

#[tokio::test]
async fn a_parameter_that_contradicts_itself_is_refused() {
    let app = TestApp::start().await;
    let problem = app.get("/products/?page=1&page=2").await.expect_problem(400, "invalid");
    assert_eq!(problem["errors"][0]["code"], "repeated");
    app.get("/products/?page=1&page=1").await.expect(200);
    let order = serde_json::json!({"store_id": 1, "items": []});
    let answer = app.post("/orders/?dry_run=true&dry_run=false", &order).await;
    assert_eq!(answer.expect_problem(400, "invalid")["errors"][0]["parameter"], "dry_run");
}

/// The answer to an order of which the client says how long it is, and sends the first byte alone; and how long it took.
async fn answer_to_half(app: &TestApp, announced: usize) -> (String, Duration) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(app.base().trim_start_matches("http://")).await.unwrap();
    let head = "POST /orders/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length:";
    stream.write_all(format!("{head} {announced}\r\n\r\n{{").as_bytes()).await.unwrap();
    let (mut answer, begun) = (String::new(), Instant::now());
    let read = tokio::time::timeout(Duration::from_secs(15), stream.read_to_string(&mut answer));
    read.await.expect("the connection is closed").unwrap();
    (answer, begun.elapsed())
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_not_waited_for() {
    let app = TestApp::start().await;
    let ((small, _), (large, _)) = tokio::join!(answer_to_half(&app, 100), answer_to_half(&app, 300 << 10));
    assert!(small.starts_with("HTTP/1.1 408") && small.contains("request_timeout"), "{small}");
    assert!(large.starts_with("HTTP/1.1 413") && large.contains("payload_too_large"), "{large}");
    // Nobody would read so much of it, so nobody waits for it.
    let (huge, waited) = answer_to_half(&app, 100 << 20).await;
    assert!(huge.starts_with("HTTP/1.1 413"), "{huge}");
    assert!(waited < Duration::from_secs(5), "{waited:?}");
}

#[tokio::test]
async fn a_flood_of_faults_is_not_answered_in_full() {
    let app = TestApp::start().await;
    for (items, named, detail) in [
        (80_000, 1_000, "More than 1000 places in the request are wrong: errors names the first 1000."),
        // That there are too many of them is one more.
        (999, 1_000, "1000 places in the request are wrong: see errors."),
    ] {
        let body = format!("{{\"store_id\":1,\"items\":[{}]}}", vec!["0"; items].join(","));
        let request = app.request(Method::POST, "/orders/").header("content-type", "application/json").body(body);
        let answer = app.send(request).await;
        let problem = answer.expect_problem(400, "invalid");
        assert_eq!(problem["errors"].as_array().unwrap().len(), named);
        assert_eq!(problem["detail"], detail);
        assert!(answer.text.len() < 200_000, "{} bytes", answer.text.len());
    }
}
