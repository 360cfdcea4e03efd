//! Creating, changing and deleting stores, and adjusting what they have.

use accounts::Scope;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::desk::Desk;

async fn desk() -> Desk {
    Desk::new(&[Scope::StoresWrite, Scope::StockWrite]).await
}

/// Rows of the inventory that the ledger does not account for.
async fn drift(desk: &Desk) -> i64 {
    let sql = "SELECT count(*) FROM inventory i WHERE quantity <> \
                 (SELECT coalesce(sum(delta), 0) FROM stock_adjustments a \
                  WHERE (a.store_id, a.product_id) = (i.store_id, i.product_id)) \
               - (SELECT coalesce(sum(quantity_requested), 0) FROM orders o \
                  JOIN order_items l ON (l.store_id, l.order_id) = (o.store_id, o.id) \
                  WHERE (l.store_id, l.product_id) = (i.store_id, i.product_id) AND o.status = 'CONFIRMED')";
    desk.app.database.sql().await.query_one(sql, &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn a_store_is_created_changed_and_deleted() {
    let desk = desk().await;
    let made = desk.send(Method::POST, "/stores/", &json!({"name": " Harbour "})).await;
    let store = made.expect(201);
    let path = format!("/stores/{}/", store["id"]);
    assert_eq!(made.header("location"), Some(path.as_str()));
    assert_eq!((&store["name"], &store["location"]), (&json!("Harbour"), &json!("")));
    let changed = desk.send(Method::PATCH, &path, &json!({"location": "Quay 12"})).await.expect(200);
    assert_eq!((&changed["name"], &changed["location"]), (&json!("Harbour"), &json!("Quay 12")));
    assert_eq!(desk.app.get(&path).await.expect(200), changed);
    assert_eq!(desk.send(Method::PATCH, &path, &json!({})).await.expect(200), changed);
    for wrong in [json!({"name": ""}), json!({"name": null}), json!({"location": "x".repeat(501)}), json!([])] {
        desk.send(Method::PATCH, &path, &wrong).await.expect_problem(400, "invalid");
    }
    desk.send(Method::POST, "/stores/", &json!({})).await.expect_problem(400, "invalid");
    desk.send(Method::DELETE, &path, &Value::Null).await.expect(204);
    for method in [Method::GET, Method::PATCH, Method::DELETE] {
        desk.send(method, &path, &json!({})).await.expect_problem(404, "not_found");
    }
    let id = &store["id"];
    let told = [
        format!(r#"create {id} -> {{"name": "Harbour", "location": ""}}"#),
        format!(r#"change {id} {{"name": "Harbour", "location": ""}} -> {{"name": "Harbour", "location": "Quay 12"}}"#),
        format!(r#"delete {id} {{"name": "Harbour", "location": "Quay 12"}} ->"#),
    ];
    assert_eq!(desk.log("store").await, told);
}

#[tokio::test]
async fn a_store_with_orders_stays_and_one_with_stock_goes() {
    let desk = desk().await;
    let build = desk.app.build().await;
    let (busy, idle) = (build.store("Busy").await, build.store("Idle").await);
    let product = build.product("Tea", "Tea", "1.00").await;
    build.stock(idle, product, 5).await;
    let order = json!({"store_id": busy, "items": [{"product_id": product, "quantity_requested": 1}]});
    desk.app.post("/orders/", &order).await.expect(201);
    let refused = desk.send(Method::DELETE, &format!("/stores/{busy}/"), &Value::Null).await;
    assert_eq!(
        refused.expect_problem(409, "conflict")["detail"],
        format!("Orders refer to store {busy}, so it cannot be deleted.")
    );
    desk.send(Method::DELETE, &format!("/stores/{idle}/"), &Value::Null).await.expect(204);
}

#[tokio::test]
async fn a_stock_that_is_larger_than_can_be_set_goes_down() {
    let desk = desk().await;
    let build = desk.app.build().await;
    let (store, product) = (build.store("Corner").await, build.product("Tea", "Tea", "1.00").await);
    build.stock(store, product, 2_000_000_000).await;
    let path = format!("/stores/{store}/inventory/{product}/");
    let up = desk.send(Method::PATCH, &path, &json!({"delta": 1, "reason": "receipt"})).await;
    up.expect_problem(409, "conflict");
    let down = desk.send(Method::PATCH, &path, &json!({"delta": -3, "reason": "damage"})).await.expect(200);
    assert_eq!(down["quantity"], 1_999_999_997);
}

#[tokio::test]
async fn stock_is_set_where_it_is_what_was_counted() {
    let desk = desk().await;
    let build = desk.app.build().await;
    let (store, product) = (build.store("Corner").await, build.product("Tea", "Tea", "1.00").await);
    let path = format!("/stores/{store}/inventory/{product}/");
    let first = json!({"quantity": 40, "expected_quantity": 0, "reason": "receipt"});
    let shown = json!({"store_id": store, "product_id": product, "quantity": 40, "previous_quantity": 0});
    assert_eq!(desk.send(Method::PATCH, &path, &first).await.expect(200), shown);

    // Somebody counts 40; meanwhile two are sold.
    let order = json!({"store_id": store, "items": [{"product_id": product, "quantity_requested": 2}]});
    desk.app.post("/orders/", &order).await.expect(201);
    let recount = json!({"quantity": 41, "expected_quantity": 40, "reason": "recount"});
    let stale = desk.send(Method::PATCH, &path, &recount).await.expect_problem(409, "conflict");
    let fault = json!([{"pointer": "/expected_quantity", "code": "stale", "current": 38, "detail": "There are 38 units now, not 40."}]);
    assert_eq!(stale["errors"], fault);
    assert_eq!(stale["detail"], "There are 38 units now, not 40.");
    let again = json!({"quantity": 39, "expected_quantity": 38, "reason": "recount"});
    desk.send(Method::PATCH, &path, &again).await.expect(200);
    let nothing = json!({"quantity": 39, "expected_quantity": 39, "reason": "recount"});
    desk.send(Method::PATCH, &path, &nothing).await.expect(200);

    let sql = "SELECT delta, reason, actor FROM stock_adjustments ORDER BY id";
    let rows = desk.app.database.sql().await.query(sql, &[]).await.unwrap();
    let ledger: Vec<(i32, String, String)> = rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
    let by = "ann@shop.example (test)".to_owned();
    assert_eq!(ledger, [(40, "receipt".into(), by.clone()), (1, "recount".into(), by)]);
    let told = [
        format!(r#"create {store}/{product} -> {{"reason": "receipt", "quantity": 40}}"#),
        format!(r#"change {store}/{product} {{"quantity": 38}} -> {{"reason": "recount", "quantity": 39}}"#),
    ];
    assert_eq!(desk.log("inventory").await, told);
    assert_eq!(drift(&desk).await, 0);
}

#[tokio::test]
async fn stock_comes_and_goes_but_never_below_nothing() {
    let desk = desk().await;
    let build = desk.app.build().await;
    let (store, product) = (build.store("Corner").await, build.product("Tea", "Tea", "1.00").await);
    build.stock(store, product, 5).await;
    let path = format!("/stores/{store}/inventory/{product}/");
    let shift = async |delta: i64| desk.send(Method::PATCH, &path, &json!({"delta": delta, "reason": "damage"})).await;
    assert_eq!(shift(-3).await.expect(200)["quantity"], 2);
    let refused = shift(-3).await.expect_problem(409, "conflict");
    assert_eq!(
        (&refused["errors"][0]["code"], &refused["errors"][0]["current"]),
        (&json!("insufficient_stock"), &json!(2))
    );
    assert_eq!(shift(999_999_998).await.expect(200)["quantity"], 1_000_000_000);
    assert_eq!(shift(1).await.expect_problem(409, "conflict")["errors"][0]["code"], "out_of_range");
    assert_eq!(shift(0).await.expect(200)["previous_quantity"], 1_000_000_000);
    for delta in [1_000_000_001, i64::MIN] {
        shift(delta).await.expect_problem(400, "invalid");
    }
    assert_eq!(drift(&desk).await, 0);
}

/// Where the faults of a problem lie.
fn pointers_of(problem: &Value) -> Vec<&str> {
    problem["errors"].as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_change_of_stock_says_one_thing() {
    let desk = desk().await;
    let build = desk.app.build().await;
    let (store, product) = (build.store("Corner").await, build.product("Tea", "Tea", "1.00").await);
    let path = format!("/stores/{store}/inventory/{product}/");
    for (body, pointer) in [
        (json!({"reason": "recount"}), "/quantity"),
        (json!({"quantity": 1, "reason": "recount"}), "/expected_quantity"),
        (json!({"expected_quantity": 1, "reason": "recount"}), "/quantity"),
        (json!({"quantity": 1, "expected_quantity": 0, "delta": 1, "reason": "recount"}), "/delta"),
        (json!({"delta": 1}), "/reason"),
        (json!({"delta": 1, "reason": " "}), "/reason"),
        (json!({"delta": "1", "reason": "x"}), "/delta"),
        (json!({"quantity": -1, "expected_quantity": 0, "reason": "x"}), "/quantity"),
    ] {
        let problem = desk.send(Method::PATCH, &path, &body).await.expect_problem(400, "invalid");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}");
    }
    // What is wrong with each field, and with all of them together, is told at once.
    for (body, pointers) in [
        (json!({}), &["/quantity", "/reason"][..]),
        (json!({"quantity": 5, "delta": 1}), &["/delta", "/reason"]),
        (json!({"delta": 3, "expected_quantity": 5}), &["/delta", "/reason"]),
        (json!({"quantity": "5", "reason": null}), &["/quantity", "/expected_quantity", "/reason"]),
    ] {
        let problem = desk.send(Method::PATCH, &path, &body).await.expect_problem(400, "invalid");
        assert_eq!(pointers_of(&problem), pointers, "{body}");
    }
    let fine = json!({"delta": 1, "reason": "receipt"});
    for path in [
        format!("/stores/999/inventory/{product}/"),
        format!("/stores/{store}/inventory/999/"),
        "/stores/1/inventory/tea/".into(),
    ] {
        desk.send(Method::PATCH, &path, &fine).await.expect_problem(404, "not_found");
    }
    assert_eq!(desk.log("inventory").await, [""; 0]);
}

#[tokio::test]
async fn many_are_adjusted_together_or_not_at_all() {
    let desk = desk().await;
    let build = desk.app.build().await;
    let store = build.store("Corner").await;
    let path = format!("/stores/{store}/inventory/");
    let mut ids = Vec::new();
    for number in 0..5 {
        ids.push(build.product(&format!("Product {number}"), "Tea", "1.00").await);
    }
    // In any order; two are not carried yet.
    let changes = json!([
        {"product_id": ids[3], "delta": 7},
        {"product_id": ids[0], "quantity": 10, "expected_quantity": 0},
        {"product_id": ids[2], "delta": 0},
    ]);
    let done = desk.send(Method::PATCH, &path, &json!({"reason": "receipt", "changes": changes})).await.expect(200);
    assert_eq!(desk.log("inventory").await.len(), 3, "even that a product is carried of which there is nothing");
    let quantities: Vec<Value> =
        done["results"].as_array().unwrap().iter().map(|row| row["quantity"].clone()).collect();
    assert_eq!(quantities, [7, 10, 0]);

    let changes = json!([
        {"product_id": ids[0], "quantity": 20, "expected_quantity": 11},
        {"product_id": ids[1], "delta": 1},
        {"product_id": ids[3], "delta": -8},
    ]);
    let refused = desk.send(Method::PATCH, &path, &json!({"reason": "recount", "changes": changes})).await;
    let errors = refused.expect_problem(409, "conflict")["errors"].clone();
    let named: Vec<(&str, i64)> = errors
        .as_array()
        .unwrap()
        .iter()
        .map(|error| (error["pointer"].as_str().unwrap(), error["current"].as_i64().unwrap()))
        .collect();
    assert_eq!(named, [("/changes/0/expected_quantity", 10), ("/changes/2/delta", 7)]);
    assert_eq!(desk.app.get(&path).await.expect(200)["count"], 3, "nothing was changed, and nothing new is carried");

    let wrong = json!([
        {"product_id": ids[0], "delta": 1},
        {"product_id": ids[0], "delta": 1},
        {"product_id": ids[1]},
        {"product_id": "x", "delta": 1.5},
    ]);
    let problem = desk.send(Method::PATCH, &path, &json!({ "changes": wrong })).await.expect_problem(400, "invalid");
    let expected =
        ["/changes/1/product_id", "/changes/2/quantity", "/changes/3/product_id", "/changes/3/delta", "/reason"];
    assert_eq!(pointers_of(&problem), expected);
    let problem =
        desk.send(Method::PATCH, &path, &json!({"reason": "x", "changes": wrong.as_array().unwrap()[..3]})).await;
    let problem = problem.expect_problem(400, "invalid");
    assert_eq!(
        (&problem["errors"][0]["code"], &problem["errors"][0]["pointer"]),
        (&json!("duplicate_product"), &json!("/changes/1/product_id"))
    );
    assert_eq!(problem["errors"][1]["pointer"], "/changes/2/quantity");
    let unknown =
        json!({"reason": "x", "changes": [{"product_id": ids[0], "delta": 1}, {"product_id": 999, "delta": 1}]});
    let problem = desk.send(Method::PATCH, &path, &unknown).await.expect_problem(400, "invalid");
    assert_eq!(problem["errors"][0]["pointer"], "/changes/1/product_id");
    assert_eq!(drift(&desk).await, 0);
}

#[tokio::test]
async fn a_thousand_at_once_and_no_more() {
    let desk = desk().await;
    let build = desk.app.build().await;
    let store = build.store("Corner").await;
    let category = build.category("Tea").await;
    let sql = format!(
        "INSERT INTO products (title, category_id, price) SELECT 'Tea ' || n, {category}, 1 FROM generate_series(1, 1001) AS n"
    );
    desk.app.database.sql().await.batch_execute(&sql).await.unwrap();
    let body = |count: i64| {
        let changes: Vec<Value> = (1..=count).rev().map(|id| json!({"product_id": id, "delta": id})).collect();
        json!({"reason": "receipt", "changes": changes})
    };
    let path = format!("/stores/{store}/inventory/");
    desk.send(Method::PATCH, &path, &body(1_001)).await.expect_problem(400, "invalid");
    desk.send(Method::PATCH, &path, &body(0)).await.expect_problem(400, "invalid");
    let done = desk.send(Method::PATCH, &path, &body(1_000)).await.expect(200);
    assert_eq!(done["results"].as_array().unwrap().len(), 1_000);
    assert_eq!(desk.log("inventory").await.len(), 1_000);
    assert_eq!(drift(&desk).await, 0);
}

/// Adjustments in opposite orders, beside orders of the same products: nobody deadlocks, and the ledger is exact.
#[tokio::test]
async fn load_adjustments_and_orders_do_not_stand_in_each_others_way() {
    let desk = desk().await;
    let build = desk.app.build().await;
    let store = build.store("Corner").await;
    let mut ids = Vec::new();
    for number in 0..8 {
        let id = build.product(&format!("Product {number}"), "Tea", "1.00").await;
        build.stock(store, id, 1_000).await;
        ids.push(id);
    }
    let path = format!("/stores/{store}/inventory/");
    let adjust = |round: usize| {
        let mut ids = ids.clone();
        ids.rotate_left(round % 8);
        if round.is_multiple_of(2) {
            ids.reverse();
        }
        let changes: Vec<Value> = ids.iter().map(|id| json!({"product_id": id, "delta": 1})).collect();
        let body = json!({"reason": "receipt", "changes": changes});
        let (desk, path) = (&desk, &path);
        async move { desk.send(Method::PATCH, path, &body).await.expect(200) }
    };
    let order = |round: usize| {
        let mut ids = ids.clone();
        ids.rotate_right(round % 8);
        let items: Vec<Value> = ids.iter().map(|id| json!({"product_id": id, "quantity_requested": 2})).collect();
        let body = json!({"store_id": store, "items": items});
        let app = &desk.app;
        async move { app.post("/orders/", &body).await.expect(201) }
    };
    tokio::join!(join_all((0..24).map(adjust)), join_all((0..48).map(order)));
    let left = desk.app.get(&format!("{path}?page_size=100")).await.expect(200);
    for row in left["results"].as_array().unwrap() {
        assert_eq!(row["quantity"], 1_000 + 24 - 96);
    }
    assert_eq!(drift(&desk).await, 0);
}
