//! Placing and reading orders over HTTP.
#![expect(clippy::unwrap_used, reason = "what a test cannot read must fail it")]

use accounts::Scope;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Answer, TestApp};

use crate::authorization::Keys;

struct Shop {
    app: TestApp,
    store: i64,
    pen: i64,
    desk: i64,
}

/// A store with 5 pens at 0.10 and a desk at 199.99.
async fn shop() -> Shop {
    let app = TestApp::start().await;
    let build = app.build().await;
    let store = build.store("Corner shop").await;
    let pen = build.product("Pen", "Office", "0.10").await;
    let desk = build.product("Desk", "Office", "199.99").await;
    build.stock(store, pen, 5).await;
    build.stock(store, desk, 1).await;
    Shop { app, store, pen, desk }
}

impl Shop {
    fn body(&self, lines: &[(i64, i64)]) -> Value {
        let items =
            lines.iter().map(|(product, quantity)| json!({"product_id": product, "quantity_requested": quantity}));
        json!({"store_id": self.store, "items": items.collect::<Vec<_>>()})
    }

    async fn order(&self, lines: &[(i64, i64)]) -> Value {
        self.app.post("/orders/", &self.body(lines)).await.expect(201)
    }

    async fn post_with_key(&self, key: &str, body: &Value) -> Answer {
        self.app.send(self.app.request(Method::POST, "/orders/").header("Idempotency-Key", key).json(body)).await
    }

    async fn post_text(&self, body: impl Into<String>) -> Answer {
        let request = self.app.request(Method::POST, "/orders/").header("Content-Type", "application/json");
        self.app.send(request.body(body.into())).await
    }

    /// Asserts that nothing was ever stored, and that the stock is whole.
    async fn assert_untouched(&self) {
        let sql = self.app.database.sql().await;
        for table in ["orders", "order_items", "confirmations", "outbox", "idempotency_keys"] {
            let rows = sql.query_one(&format!("SELECT count(*) FROM {table}"), &[]).await.unwrap().get::<_, i64>(0);
            assert_eq!(rows, 0, "{table}");
        }
        let stock = sql.query_one("SELECT sum(quantity) FROM inventory", &[]).await.unwrap().get::<_, i64>(0);
        assert_eq!(stock, 6);
    }
}

/// (pointer, code) of every fault, in their order.
fn faults(problem: &Value) -> Vec<(&str, &str)> {
    let faults = problem["errors"].as_array().unwrap().iter();
    faults.map(|fault| (fault["pointer"].as_str().unwrap(), fault["code"].as_str().unwrap())).collect()
}

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
    for wrong in ["1.5", "1e3", "\"2\"", "null", "true", "[]", "{}", "99999999999999999999", "-99999999999999999999"] {
        cases.push((item("1", wrong), vec![("/items/0/quantity_requested", "invalid_type")]));
        cases.push((item(wrong, "1"), vec![("/items/0/product_id", "invalid_type")]));
        cases.push((
            format!(r#"{{"store_id": {wrong}, "items": [{{"product_id": 1, "quantity_requested": 1}}]}}"#),
            vec![("/store_id", "invalid_type")],
        ));
    }
    for wrong in ["0", "-1", "1000001", "2147483648", "9223372036854775808", "-9223372036854775808"] {
        cases.push((item("1", wrong), vec![("/items/0/quantity_requested", "out_of_range")]));
    }
    cases.push((item("9223372036854775808", "1"), vec![("/items/0/product_id", "out_of_range")]));
    cases.push((
        r#"{"store_id": 18446744073709551615, "items": [{"product_id": 1, "quantity_requested": 1}]}"#.to_owned(),
        vec![("/store_id", "out_of_range")],
    ));
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
async fn a_repeated_request_gets_the_same_answer() {
    let shop = shop().await;
    let body = shop.body(&[(shop.pen, 2)]);
    let first = shop.post_with_key("till-1/17", &body).await;
    first.expect(201);
    assert_eq!(first.header("idempotent-replayed"), None);
    // The same content in another guise: other spacing, another order of members, a member that means nothing.
    let guise = format!(
        r#"{{ "items": [{{"quantity_requested":2,"note":"x","product_id":{}}}], "store_id" : {} }}"#,
        shop.pen, shop.store
    );
    let request = shop.app.request(Method::POST, "/orders/").header("Content-Type", "application/json");
    let again = shop.app.send(request.header("Idempotency-Key", "till-1/17").body(guise)).await;
    again.expect(201);
    assert_eq!(again.text, first.text);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.header("location"), first.header("location"));
    assert_eq!(again.header("content-type"), Some("application/json"));

    let other = shop.body(&[(shop.pen, 1)]);
    shop.post_with_key("till-1/17", &other).await.expect_problem(422, "idempotency_key_reused");
    shop.post_with_key("till-1/18", &other).await.expect(201);
    let list = shop.app.get(&format!("/stores/{}/orders/", shop.store)).await.expect(200);
    assert_eq!(list["count"], 2);
}

#[tokio::test]
async fn a_rejection_is_repeated_and_a_refusal_is_not() {
    let shop = shop().await;
    let too_much = shop.body(&[(shop.pen, 6)]);
    let first = shop.post_with_key("a", &too_much).await;
    assert_eq!(first.expect(201)["status"], "REJECTED");
    shop.app.build().await.stock(shop.store, shop.pen, 50).await;
    let again = shop.post_with_key("a", &too_much).await;
    assert_eq!((&again.text, again.header("idempotent-replayed")), (&first.text, Some("true")));

    shop.post_with_key("b", &shop.body(&[(-1, 6)])).await.expect_problem(400, "invalid");
    let now_right = shop.post_with_key("b", &too_much).await;
    assert_eq!(now_right.expect(201)["status"], "CONFIRMED");
}

#[tokio::test]
async fn keys_have_1_to_255_characters() {
    let shop = shop().await;
    let body = shop.body(&[(shop.pen, 1)]);
    for illegal in ["", &"x".repeat(256), "caf\u{e9}"] {
        let problem = shop.post_with_key(illegal, &body).await.expect_problem(400, "invalid");
        assert_eq!(problem["errors"][0]["parameter"], "Idempotency-Key");
    }
    shop.assert_untouched().await;
    shop.post_with_key(&"x".repeat(255), &body).await.expect(201);
}

#[tokio::test]
async fn a_key_in_flight_is_told_so() {
    let shop = shop().await;
    let body = shop.body(&[(shop.pen, 1)]);
    let mut other = shop.app.database.sql().await;
    let holding = other.transaction().await.unwrap();
    holding.execute("UPDATE inventory SET quantity = quantity", &[]).await.unwrap();
    let watching = shop.app.database.sql().await;
    let (first, second) = tokio::join!(shop.post_with_key("one", &body), async {
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
                       AND datname = current_database()";
        while watching.query_one(waiting, &[]).await.unwrap().get::<_, i64>(0) == 0 {
            tokio::task::yield_now().await;
        }
        let second = shop.post_with_key("one", &body).await;
        holding.rollback().await.unwrap();
        second
    });
    second.expect_problem(409, "idempotency_key_in_flight");
    assert!(second.header("retry-after").is_some());
    first.expect(201);
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
async fn orders_are_listed_newest_first_page_by_page() {
    let shop = shop().await;
    for _ in 0..7 {
        shop.order(&[(shop.pen, 1)]).await;
    }
    let path = format!("/stores/{}/orders", shop.store);
    let first = shop.app.get(&format!("{path}?page_size=3")).await.expect(200);
    assert_eq!((&first["count"], &first["previous"]), (&json!(7), &Value::Null));
    assert_eq!(first["results"].as_array().unwrap().len(), 3);
    let summary = &first["results"][0];
    assert_eq!(
        *summary,
        json!({"id": summary["id"].as_i64().unwrap(), "status": "REJECTED", "total_items": 1, "total_price": "0.10",
               "created_at": summary["created_at"].as_str().unwrap()})
    );
    let next = first["next"].as_str().unwrap();
    assert!(next.starts_with(&format!("{}{path}/?", shop.app.base())), "{next}");
    let second = shop.app.follow(next).await.expect(200);
    let third = shop.app.follow(second["next"].as_str().unwrap()).await.expect(200);
    assert_eq!(third["next"], Value::Null);
    let ids = |page: &Value| -> Vec<i64> {
        page["results"].as_array().unwrap().iter().map(|order| order["id"].as_i64().unwrap()).collect()
    };
    let all = [ids(&first), ids(&second), ids(&third)].concat();
    assert!(all.len() == 7 && all.is_sorted_by(|newer, older| newer > older), "{all:?}");
    let back = shop.app.follow(third["previous"].as_str().unwrap()).await.expect(200);
    assert_eq!(back["results"], second["results"]);
    assert_eq!(ids(&shop.app.get(&format!("{path}/?page=2&page_size=3")).await.expect(200)), ids(&second));

    for missing in ["page=4&page_size=3", "page=0", "page=x", "page=-1", "cursor=made-up", "cursor=e30"] {
        shop.app.get(&format!("{path}/?{missing}")).await.expect_problem(404, "no_such_page");
    }
    shop.app.get(&format!("{path}/?page_size=101")).await.expect_problem(400, "invalid");
}

#[tokio::test]
async fn the_list_can_be_filtered() {
    let shop = shop().await;
    let early = shop.order(&[(shop.pen, 5)]).await;
    let late = shop.order(&[(shop.pen, 5)]).await;
    let list = async |query: String| {
        let page = shop.app.get(&format!("/stores/{}/orders/?{query}", shop.store)).await.expect(200);
        page["results"].as_array().unwrap().iter().map(|order| order["id"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    let (first, second) = (early["id"].as_i64().unwrap(), late["id"].as_i64().unwrap());
    let moment = late["created_at"].as_str().unwrap();
    assert_eq!(list("status=CONFIRMED".into()).await, [first]);
    assert_eq!(list("status=REJECTED".into()).await, [second]);
    assert_eq!(list("status=PENDING".into()).await, [] as [i64; 0]);
    assert_eq!(list(format!("created_after={moment}")).await, [second]);
    assert_eq!(list(format!("created_before={moment}")).await, [first]);
    assert_eq!(list(format!("created_before={moment}&status=REJECTED")).await, [] as [i64; 0]);
    assert_eq!(list("status=&created_after=&created_before=".into()).await, [second, first]);

    let path = format!("/stores/{}/orders/", shop.store);
    let query = "status=SHIPPED&created_after=yesterday&created_before=2026-13-01T00:00:00Z&sort=id";
    let problem = shop.app.get(&format!("{path}?{query}")).await.expect_problem(400, "invalid");
    let wrong: Vec<&Value> = problem["errors"].as_array().unwrap().iter().map(|fault| &fault["parameter"]).collect();
    assert_eq!(wrong, ["status", "created_after", "created_before", "sort"]);
    let detail = problem["errors"][0]["detail"].as_str().unwrap();
    assert_eq!(detail, "Must be one of PENDING, CONFIRMED, REJECTED, CANCELLED.");
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let shop = shop().await;
    for path in ["/orders/1/", "/orders/0", "/orders/-1/", "/orders/x/", "/orders/99999999999999999999/", "/orders/1.5"]
    {
        shop.app.get(path).await.expect_problem(404, "not_found");
    }
    for store in ["0", "-1", "999999999", "x", "99999999999999999999"] {
        shop.app.get(&format!("/stores/{store}/orders/")).await.expect_problem(404, "not_found");
    }
    shop.app.get("/orders/1/?expand=items").await.expect_problem(400, "invalid");
}

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
async fn an_order_that_costs_something_else_is_refused_with_the_right_total() {
    let shop = shop().await;
    let mut body = shop.body(&[(shop.desk, 1), (shop.pen, 3)]);
    body["expected_total"] = "200.00".into();
    for path in ["/orders/", "/orders/?dry_run=true"] {
        let problem = shop.app.post(path, &body).await.expect_problem(409, "total_differs");
        assert_eq!(faults(&problem), [("/expected_total", "total_differs")]);
        assert!(problem["detail"].as_str().unwrap().contains("200.29"), "{problem}");
    }
    for wrong in [json!(200.29), json!(200), json!("1e3"), json!("-1"), json!("1.001"), json!(""), json!([])] {
        body["expected_total"] = wrong;
        let problem = shop.app.post("/orders/", &body).await.expect_problem(400, "invalid");
        assert_eq!(faults(&problem), [("/expected_total", "invalid_type")]);
    }
    shop.assert_untouched().await;
    for right in [json!("200.29"), json!(null)] {
        body["expected_total"] = right;
        shop.app.post("/orders/", &body).await.expect(201);
    }
}
