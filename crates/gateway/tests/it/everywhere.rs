//! What the contract promises of every address.

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
