//! Bodies that are no order: each names its places, and nothing is stored.

use reqwest::Method;
use serde_json::json;

use super::{faults, shop};

#[tokio::test]
async fn every_fault_of_a_body_is_named_at_once() {
    let shop = shop().await;
    let body = json!({"store_id": "1", "items": [
        {"product_id": shop.pen, "quantity_requested": 0},
        {"product_id": "10", "quantity_requested": 1.5},
        {"product_id": shop.pen},
        [],
        null,
        {"quantity_requested": 1_000_001, "gift": true},
        {"product_id": shop.pen, "quantity_requested": 2_147_483_648_i64},
    ]});
    let problem = shop.app.post("/orders/", &body).await.expect_problem(400, "invalid");
    let mut found = faults(&problem);
    found.sort_unstable();
    assert_eq!(
        found,
        [
            ("/items/0/quantity_requested", "out_of_range"),
            ("/items/1/product_id", "invalid_type"),
            ("/items/1/quantity_requested", "invalid_type"),
            ("/items/2/product_id", "duplicate_product"),
            ("/items/2/quantity_requested", "required"),
            ("/items/3", "invalid_type"),
            ("/items/4", "invalid_type"),
            ("/items/5/product_id", "required"),
            ("/items/5/quantity_requested", "out_of_range"),
            ("/items/6/product_id", "duplicate_product"),
            ("/items/6/quantity_requested", "out_of_range"),
            ("/store_id", "invalid_type"),
        ]
    );
    shop.assert_untouched().await;
}

#[tokio::test]
async fn bodies_that_are_no_order_are_refused_by_place() {
    let shop = shop().await;
    let store = shop.store;
    let item = |product: &str, quantity: &str| {
        format!(r#"{{"store_id": {store}, "items": [{{"product_id": {product}, "quantity_requested": {quantity}}}]}}"#)
    };
    let mut cases = vec![
        ("{}".to_owned(), vec![("/items", "required"), ("/store_id", "required")]),
        ("[]".to_owned(), vec![("", "invalid_type")]),
        ("null".to_owned(), vec![("", "invalid_type")]),
        ("7".to_owned(), vec![("", "invalid_type")]),
        (format!(r#"{{"store_id": {store}}}"#), vec![("/items", "required")]),
        (format!(r#"{{"store_id": {store}, "items": []}}"#), vec![("/items", "too_few")]),
        (format!(r#"{{"store_id": {store}, "items": null}}"#), vec![("/items", "invalid_type")]),
        (format!(r#"{{"store_id": {store}, "items": {{"product_id": 1}}}}"#), vec![("/items", "invalid_type")]),
        (r#"{"store_id": null, "items": []}"#.to_owned(), vec![("/items", "too_few"), ("/store_id", "invalid_type")]),
    ];
    for wrong in ["1.5", "1e3", "\"2\"", "null", "true", "[]", "{}"] {
        cases.push((item("1", wrong), vec![("/items/0/quantity_requested", "invalid_type")]));
        cases.push((item(wrong, "1"), vec![("/items/0/product_id", "invalid_type")]));
        cases.push((
            format!(r#"{{"store_id": {wrong}, "items": [{{"product_id": 1, "quantity_requested": 1}}]}}"#),
            vec![("/store_id", "invalid_type")],
        ));
    }
    for wrong in ["0", "-1", "1000001", "2147483648", "1e7", "-9223372036854775808"] {
        cases.push((item("1", wrong), vec![("/items/0/quantity_requested", "out_of_range")]));
    }
    for past_i64 in ["9223372036854775808", "-9223372036854775809", "18446744073709551616", "1e30", "-1e30"] {
        cases.push((item("1", past_i64), vec![("/items/0/quantity_requested", "out_of_range")]));
        cases.push((item(past_i64, "1"), vec![("/items/0/product_id", "out_of_range")]));
        cases.push((
            format!(r#"{{"store_id": {past_i64}, "items": [{{"product_id": 1, "quantity_requested": 1}}]}}"#),
            vec![("/store_id", "out_of_range")],
        ));
    }
    for (body, expected) in cases {
        let answer = shop.post_text(body.as_str()).await;
        assert_eq!(answer.status, 400, "{body}: {}", answer.text);
        let problem = answer.expect_problem(400, "invalid");
        let mut found = faults(&problem);
        found.sort_unstable();
        assert_eq!(found, expected, "{body}");
    }
    shop.assert_untouched().await;
}

#[tokio::test]
async fn bodies_that_are_no_json_are_refused_whole() {
    let shop = shop().await;
    let deep = "[".repeat(100_000);
    for body in ["", "{", "NaN", r#"{"store_id": NaN}"#, "{\"store_id\": 1, \"items\": [\0]}", "\u{feff}{}", &deep] {
        shop.post_text(body).await.expect_problem(400, "malformed_json");
    }
    let request = shop.app.request(Method::POST, "/orders/").header("Content-Type", "application/json");
    shop.app.send(request.body(&b"{\"store_id\": \"\xff\"}"[..])).await.expect_problem(400, "malformed_json");
    shop.post_text(" ".repeat(10 << 20)).await.expect_problem(413, "payload_too_large");
    let text = shop.app.request(Method::POST, "/orders/").header("Content-Type", "text/plain").body("{}");
    shop.app.send(text).await.expect_problem(415, "unsupported_media_type");
    shop.app.get("/orders/").await.expect_problem(405, "method_not_allowed");
    shop.assert_untouched().await;
}

#[tokio::test]
async fn a_packed_body_is_refused_as_such() {
    let shop = shop().await;
    let request = |encoding: &'static str| {
        let request = shop.app.request(Method::POST, "/orders/").header("Content-Type", "application/json");
        request.header("Content-Encoding", encoding)
    };
    for encoding in ["gzip", "br", "deflate", "made-up", "identity, gzip"] {
        for body in [&b"\x1f\x8b\x08\0"[..], b"{}"] {
            let answer = shop.app.send(request(encoding).body(body)).await;
            let problem = answer.expect_problem(415, "unsupported_media_type");
            assert!(problem["detail"].as_str().unwrap().contains("Content-Encoding"), "{problem}");
            assert_eq!(answer.header("accept-encoding"), Some("identity"));
        }
    }
    shop.assert_untouched().await;
    for encoding in ["identity", "Identity", ""] {
        let body = shop.body(&[(shop.pen, 1)]).to_string();
        shop.app.send(request(encoding).body(body)).await.expect(201);
    }
}

#[tokio::test]
async fn too_many_items_and_products_named_twice_are_refused() {
    let shop = shop().await;
    let mut lines: Vec<(i64, i64)> = (1..=501).map(|product| (product, 1)).collect();
    let problem = shop.app.post("/orders/", &shop.body(&lines)).await.expect_problem(400, "invalid");
    assert_eq!(faults(&problem), [("/items", "too_many")]);
    lines[500].0 = 7;
    let problem = shop.app.post("/orders/", &shop.body(&lines)).await.expect_problem(400, "invalid");
    assert_eq!(faults(&problem), [("/items", "too_many"), ("/items/500/product_id", "duplicate_product")]);
    let twice = shop.body(&[(shop.pen, 1), (shop.desk, 1), (shop.pen, 2), (shop.pen, 1)]);
    let problem = shop.app.post("/orders/", &twice).await.expect_problem(400, "invalid");
    assert_eq!(
        faults(&problem),
        [("/items/2/product_id", "duplicate_product"), ("/items/3/product_id", "duplicate_product")]
    );
    assert!(problem["errors"][0]["detail"].as_str().unwrap().starts_with("Duplicate product"), "{problem}");
    shop.assert_untouched().await;
}

#[tokio::test]
async fn unknown_stores_are_not_found_and_unknown_products_are_named() {
    let shop = shop().await;
    for store in [0, -1, shop.store + 1, i64::MAX, i64::MIN] {
        let mut body = shop.body(&[(shop.pen, 1)]);
        body["store_id"] = store.into();
        let problem = shop.app.post("/orders/", &body).await.expect_problem(404, "not_found");
        assert_eq!(problem["detail"], format!("There is no store {store}."));
    }
    let body = shop.body(&[(0, 1), (shop.pen, 1), (-5, 1), (i64::MAX, 1)]);
    let problem = shop.app.post("/orders/", &body).await.expect_problem(400, "invalid");
    assert_eq!(
        faults(&problem),
        [
            ("/items/0/product_id", "unknown_product"),
            ("/items/2/product_id", "unknown_product"),
            ("/items/3/product_id", "unknown_product"),
        ]
    );
    shop.assert_untouched().await;
}

#[tokio::test]
async fn query_header_and_body_are_told_together() {
    let shop = shop().await;
    let request = shop.app.request(Method::POST, "/orders/?dry_run=perhaps&made_up=1");
    let request = request.header("Idempotency-Key", "x".repeat(256)).json(&json!({"store_id": "1", "items": []}));
    let problem = shop.app.send(request).await.expect_problem(400, "invalid");
    let places: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|fault| &fault["parameter"]).collect();
    assert_eq!(places[..3], ["dry_run", "made_up", "Idempotency-Key"], "{problem}");
    let mut inside: Vec<_> =
        problem["errors"].as_array().unwrap()[3..].iter().map(|fault| fault["pointer"].as_str().unwrap()).collect();
    inside.sort_unstable();
    assert_eq!(inside, ["/items", "/store_id"]);
    // A body that cannot be read is told first.
    let request = shop.app.request(Method::POST, "/orders/?dry_run=perhaps").header("Content-Type", "application/json");
    shop.app.send(request.body("{")).await.expect_problem(400, "malformed_json");
    shop.assert_untouched().await;
}
