//! What becomes of a sound order.

use reqwest::Method;
use serde_json::{Value, json};

use super::{faults, shop};

#[tokio::test]
async fn a_confirmed_order_has_the_documented_form() {
    let shop = shop().await;
    let answer = shop.app.post("/orders/", &shop.body(&[(shop.desk, 1), (shop.pen, 3)])).await;
    let order = answer.expect(201);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("idempotent-replayed"), None);
    let created_at = order["created_at"].as_str().unwrap();
    assert!(created_at.len() == "2026-01-31T12:00:00.000000Z".len() && created_at.ends_with('Z'), "{created_at}");
    assert_eq!(
        order,
        json!({
            "id": order["id"].as_i64().unwrap(),
            "store_id": shop.store,
            "status": "CONFIRMED",
            "created_at": created_at,
            "total_items": 4,
            "total_price": "200.29",
            "items": [
                {"product_id": shop.desk, "quantity_requested": 1, "unit_price": "199.99", "rejection": null},
                {"product_id": shop.pen, "quantity_requested": 3, "unit_price": "0.10", "rejection": null},
            ],
        })
    );
    let read = shop.app.get(answer.header("location").unwrap()).await.expect(200);
    let mut expected = order;
    expected["confirmation"] = json!({"state": "pending", "attempts": 0, "sent_at": null});
    assert_eq!(read, expected);
}

#[tokio::test]
async fn a_rejected_order_is_created_too_and_names_every_reason() {
    let shop = shop().await;
    let carried_elsewhere = shop.app.build().await.product("Lamp", "Office", "12.50").await;
    let order = shop.order(&[(shop.pen, 6), (shop.desk, 1), (carried_elsewhere, 2)]).await;
    assert_eq!(order["status"], "REJECTED");
    assert_eq!((&order["total_items"], &order["total_price"]), (&json!(9), &json!("225.59")));
    let reasons: Vec<&Value> = order["items"].as_array().unwrap().iter().map(|line| &line["rejection"]).collect();
    assert_eq!(
        reasons,
        [
            &json!({"code": "insufficient_stock", "available": 5}),
            &Value::Null,
            &json!({"code": "not_stocked", "available": 0}),
        ]
    );
    let read = shop.app.get(&format!("/orders/{}", order["id"])).await.expect(200);
    assert_eq!(read["confirmation"], Value::Null);
    assert_eq!(read["items"], order["items"]);
}

#[tokio::test]
async fn a_dry_run_answers_what_would_happen_and_writes_nothing() {
    let shop = shop().await;
    let body = shop.body(&[(shop.pen, 2), (shop.desk, 2)]);
    let mut expected = shop.app.post("/orders/?dry_run=true", &body).await.expect(200);
    assert_eq!(expected.get("id"), None);
    assert_eq!(expected["status"], "REJECTED");
    let request = shop.app.request(Method::POST, "/orders?dry_run=1").header("Idempotency-Key", "one");
    shop.app.send(request.json(&body)).await.expect(200);
    shop.app.post("/orders/?dry_run=true", &shop.body(&[(-1, 2)])).await.expect_problem(400, "invalid");
    shop.assert_untouched().await;

    let order = shop.app.post("/orders/?dry_run=false", &body).await.expect(201);
    expected["id"] = order["id"].clone();
    expected["created_at"] = order["created_at"].clone();
    assert_eq!(order, expected);
    for query in ["dry_run=maybe", "dryrun=true"] {
        shop.app.post(&format!("/orders/?{query}"), &body).await.expect_problem(400, "invalid");
    }
}

#[tokio::test]
async fn an_order_that_costs_something_else_is_refused_with_the_right_total() {
    let shop = shop().await;
    let mut body = shop.body(&[(shop.desk, 1), (shop.pen, 3)]);
    body["expected_total"] = "200.00".into();
    for path in ["/orders/", "/orders/?dry_run=true"] {
        let problem = shop.app.post(path, &body).await.expect_problem(409, "total_differs");
        assert_eq!(faults(&problem), [("/expected_total", "total_differs")]);
        assert!(problem["detail"].as_str().unwrap().contains("200.29"), "{problem}");
        assert_eq!(problem["errors"][0]["current_total"], "200.29");
    }
    let no_amounts =
        [json!(200.29), json!(200), json!("1e3"), json!(""), json!([])].map(|wrong| (wrong, "invalid_type"));
    let beyond = [json!("-1"), json!("1.001"), json!("9".repeat(23))].map(|wrong| (wrong, "out_of_range"));
    for (wrong, code) in no_amounts.into_iter().chain(beyond) {
        body["expected_total"] = wrong;
        let problem = shop.app.post("/orders/", &body).await.expect_problem(400, "invalid");
        assert_eq!(faults(&problem), [("/expected_total", code)]);
    }
    shop.assert_untouched().await;
    for right in [json!("200.29"), json!(null)] {
        body["expected_total"] = right;
        shop.app.post("/orders/", &body).await.expect(201);
    }
}
