//! Whatever may only be done with a scope is in the audit log: the operations are taken from the document, so that a
//! new one cannot be forgotten.

use accounts::Scope;
use reqwest::Method;
use serde_json::{Value, json};

use crate::authorization::operations;
use crate::desk::Desk;

/// Something that each of these operations can do: where, and with what. There are a category, a product and a store
/// of number 1 which an order refers to, others of number 2 which nothing does.
fn deed(operation: &str) -> (&'static str, Value) {
    match operation {
        "create_category" => ("/categories/", json!({"name": "Coffee"})),
        "change_category" => ("/categories/1/", json!({"name": "Fine tea"})),
        "delete_category" => ("/categories/2/", Value::Null),
        "create_product" => ("/products/", json!({"title": "Sencha", "price": "8.00", "category_id": 1})),
        "change_product" => ("/products/1/", json!({"price": "8.50"})),
        "delete_product" => ("/products/2/", Value::Null),
        "create_store" => ("/stores/", json!({"name": "Harbour"})),
        "change_store" => ("/stores/1/", json!({"location": "Quay 12"})),
        "delete_store" => ("/stores/2/", Value::Null),
        "change_stock" => ("/stores/1/inventory/1/", json!({"delta": 1, "reason": "receipt"})),
        "change_inventory" => {
            ("/stores/1/inventory/", json!({"reason": "receipt", "changes": [{"product_id": 1, "delta": 1}]}))
        }
        "cancel_order" => ("/orders/1/cancel/", Value::Null),
        new => panic!("say what {new} can do"),
    }
}

#[tokio::test]
async fn every_operation_that_needs_a_scope_leaves_a_trace() {
    let desk = Desk::new(Scope::ALL).await;
    let build = desk.app.build().await;
    assert_eq!((build.category("Tea").await, build.category("Spare").await), (1, 2));
    assert_eq!((build.store("Corner").await, build.store("Closed").await), (1, 2));
    assert_eq!((build.product("Oolong", "Tea", "2.50").await, build.product("Mistake", "Tea", "1.00").await), (1, 2));
    build.stock(1, 1, 10).await;
    let order = json!({"store_id": 1, "items": [{"product_id": 1, "quantity_requested": 1}]});
    assert_eq!(desk.app.post("/orders/", &order).await.expect(201)["id"], 1);
    let sql = desk.app.database.sql().await;
    let mut tried = 0;
    for (method, path, operation) in operations() {
        let needs = operation["security"].as_array().cloned().unwrap_or_default();
        if needs.is_empty() || needs.iter().any(|needs| needs.as_object().is_some_and(serde_json::Map::is_empty)) {
            continue;
        }
        let name = operation["operationId"].as_str().unwrap();
        let (place, body) = deed(name);
        let seen: i64 = sql.query_one("SELECT coalesce(max(id), 0) FROM audit_log", &[]).await.unwrap().get(0);
        let answer = desk.send(method.clone(), place, &body).await;
        assert!(answer.status.is_success(), "{method} {path}: {}", answer.text);
        let told = "SELECT count(*), count(*) FILTER (WHERE actor = 'ann@shop.example (test)' AND staff_id IS NOT NULL \
                    AND token_id IS NOT NULL AND request_id IS NOT NULL AND coalesce(before, after) IS NOT NULL \
                    AND (before IS NULL) = (action = 'create') AND (after IS NULL) = (action = 'delete')) \
                    FROM audit_log WHERE id > $1";
        let told = sql.query_one(told, &[&seen]).await.unwrap();
        let told: (i64, i64) = (told.get(0), told.get(1));
        assert_eq!(told, (1, 1), "{method} {path}");
        if method != Method::DELETE && name != "cancel_order" {
            // A request that is refused leaves none.
            let seen: i64 = sql.query_one("SELECT max(id) FROM audit_log", &[]).await.unwrap().get(0);
            desk.send(method.clone(), place, &json!([])).await.expect_problem(400, "invalid");
            let now: i64 = sql.query_one("SELECT max(id) FROM audit_log", &[]).await.unwrap().get(0);
            assert_eq!(seen, now, "{method} {path}");
        }
        tried += 1;
    }
    assert_eq!(tried, 12);
}
