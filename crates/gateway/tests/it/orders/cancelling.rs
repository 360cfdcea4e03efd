//! Cancelling over HTTP.

use accounts::Scope;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::TestApp;

use crate::authorization::Keys;

#[tokio::test]
async fn an_order_is_cancelled_with_a_token() {
    let app = TestApp::start().await;
    let token = Keys::new(&app).await.token(&[Scope::OrdersCancel]).await;
    let build = app.build().await;
    let store = build.store("Corner shop").await;
    let pen = build.product("Pen", "Office", "0.10").await;
    build.stock(store, pen, 5).await;
    let body = |quantity| json!({"store_id": store, "items": [{"product_id": pen, "quantity_requested": quantity}]});
    let order = app.post("/orders/", &body(2)).await.expect(201);
    let rejected = app.post("/orders/", &body(9)).await.expect(201);
    let cancel = async |id: &Value, token: &str| {
        app.send(app.request(Method::POST, &format!("/orders/{id}/cancel/")).bearer_auth(token)).await
    };
    let mut expected = order.clone();
    expected["status"] = "CANCELLED".into();
    expected["confirmation"] = json!({"state": "pending", "attempts": 0, "sent_at": null});
    for _ in 0..2 {
        assert_eq!(cancel(&order["id"], &token).await.expect(200), expected);
    }
    assert_eq!(app.get(&format!("/orders/{}/", order["id"])).await.expect(200), expected);
    let problem = cancel(&rejected["id"], &token).await.expect_problem(409, "conflict");
    assert!(problem["detail"].as_str().unwrap().contains("is REJECTED"), "{problem}");
    cancel(&json!(999_999), &token).await.expect_problem(404, "not_found");
    let left = app.get(&format!("/stores/{store}/inventory/")).await.expect(200);
    assert_eq!(left["results"][0]["quantity"], 5);
}

#[tokio::test]
async fn stock_that_has_grown_past_counting_is_told() {
    let app = TestApp::start().await;
    let token = Keys::new(&app).await.token(&[Scope::OrdersCancel]).await;
    let build = app.build().await;
    let store = build.store("Corner shop").await;
    let pen = build.product("Pen", "Office", "0.10").await;
    build.stock(store, pen, 5).await;
    let body = json!({"store_id": store, "items": [{"product_id": pen, "quantity_requested": 2}]});
    let order = app.post("/orders/", &body).await.expect(201);
    build.stock(store, pen, i32::MAX - 1).await;
    let cancel = app.request(Method::POST, &format!("/orders/{}/cancel/", order["id"])).bearer_auth(token);
    let problem = app.send(cancel).await.expect_problem(409, "conflict");
    assert!(problem["detail"].as_str().unwrap().contains("2147483646 units"), "{problem}");
    assert_eq!(app.get(&format!("/orders/{}/", order["id"])).await.expect(200)["status"], "CONFIRMED");
}
