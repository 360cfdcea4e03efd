//! Creating, changing and deleting products and categories.

use std::time::Duration;

use accounts::Scope;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::eventually;

use crate::desk::Desk;

async fn desk() -> Desk {
    Desk::new(&[Scope::CatalogueWrite]).await
}

async fn category(desk: &Desk, name: &str) -> i64 {
    let made = desk.send(Method::POST, "/categories/", &json!({ "name": name })).await;
    made.expect(201)["id"].as_i64().unwrap()
}

#[tokio::test]
async fn a_product_is_created_changed_and_deleted() {
    let desk = desk().await;
    let (tea, coffee) = (category(&desk, "Tea").await, category(&desk, "Coffee").await);
    let body = json!({"sku": "TEA-1", "title": "  Green tea ", "price": "12.5", "category_id": tea, "made_up": 1});
    let made = desk.send(Method::POST, "/products/", &body).await;
    let product = made.expect(201);
    let id = product["id"].as_i64().unwrap();
    let path = format!("/products/{id}/");
    assert_eq!(made.header("location"), Some(path.as_str()));
    assert_eq!(
        (&product["title"], &product["price"], &product["description"], &product["category"]),
        (&json!("Green tea"), &json!("12.50"), &json!(""), &json!("Tea"))
    );
    let read = desk.app.get(&path).await;
    assert_eq!((read.expect(200), read.header("etag")), (product.clone(), made.header("etag")));

    let change = json!({"price": "13", "sku": null, "category_id": coffee, "description": "Loose"});
    let changed = desk.send(Method::PATCH, &path, &change).await;
    let after = changed.expect(200);
    let mut expected = product.clone();
    expected["price"] = json!("13.00");
    expected["sku"] = Value::Null;
    expected["category"] = json!("Coffee");
    expected["category_id"] = json!(coffee);
    expected["description"] = json!("Loose");
    expected["updated_at"] = after["updated_at"].clone();
    assert_eq!(after, expected);
    assert!(after["updated_at"].as_str() > product["updated_at"].as_str());
    let nothing = desk.send(Method::PATCH, &path, &json!({"price": "13.00", "title": "Green tea"})).await;
    assert_eq!(nothing.expect(200), after, "what changes nothing moves no time");

    desk.send(Method::DELETE, &path, &Value::Null).await.expect(204);
    desk.app.get(&path).await.expect_problem(404, "not_found");
    desk.send(Method::DELETE, &path, &Value::Null).await.expect_problem(404, "not_found");
    let log = desk.log("product").await;
    assert_eq!(log.len(), 3, "{log:?}");
    assert!(log[0].starts_with(&format!("create {id} -> {{")) && log[0].contains(r#""price": "12.50""#), "{log:?}");
    let [before, after] = log[1].split(" -> ").collect::<Vec<_>>()[..] else { panic!("{log:?}") };
    assert!(before.starts_with(&format!("change {id} ")) && before.contains(r#""sku": "TEA-1""#), "{log:?}");
    assert!(after.contains(r#""sku": null"#) && after.contains(r#""price": "13.00""#), "{log:?}");
    assert_eq!(log[2], format!("delete {id} {after} ->"));
}

#[tokio::test]
async fn every_fault_of_a_product_is_named() {
    let desk = desk().await;
    let tea = category(&desk, "Tea").await;
    let faults = async |method: Method, path: &str, body: &Value| {
        let problem = desk.send(method, path, body).await.expect_problem(400, "invalid");
        let errors = problem["errors"].as_array().unwrap().iter();
        let mut places: Vec<String> = errors
            .map(|error| format!("{} {}", error["pointer"].as_str().unwrap(), error["code"].as_str().unwrap()))
            .collect();
        places.sort();
        places
    };
    let missing = ["/category_id required", "/price required", "/title required"];
    assert_eq!(faults(Method::POST, "/products/", &json!({})).await, missing);
    let wrong =
        json!({"sku": "", "title": " ", "description": "x".repeat(20_001), "price": "-0.01", "category_id": "1"});
    let places = [
        "/category_id invalid_type",
        "/description invalid_length",
        "/price out_of_range",
        "/sku invalid_length",
        "/title invalid_length",
    ];
    assert_eq!(faults(Method::POST, "/products/", &wrong).await, places);
    let id = desk
        .send(Method::POST, "/products/", &json!({"title": "Tea", "price": "1", "category_id": tea}))
        .await
        .expect(201)["id"]
        .clone();
    let path = format!("/products/{id}/");
    assert_eq!(faults(Method::PATCH, &path, &wrong).await, places);
    let nulls = json!({"title": null, "description": null, "price": null, "category_id": null});
    let places =
        ["/category_id invalid_type", "/description invalid_type", "/price invalid_type", "/title invalid_type"];
    assert_eq!(faults(Method::PATCH, &path, &nulls).await, places);
    for price in ["NaN", "1e3", ""] {
        assert_eq!(faults(Method::PATCH, &path, &json!({ "price": price })).await, ["/price invalid_type"], "{price}");
    }
    for price in ["10000000000", "1234567890123", "1.005", "1.12345678"] {
        assert_eq!(faults(Method::PATCH, &path, &json!({ "price": price })).await, ["/price out_of_range"], "{price}");
        let problem = desk.send(Method::PATCH, &path, &json!({ "price": price })).await.expect_problem(400, "invalid");
        let detail = problem["errors"][0]["detail"].as_str().unwrap();
        assert!(detail.starts_with("Must be from 0.00 to 9999999999.99"), "{price}: {detail}");
    }
    for body in [json!({"category_id": 999}), json!({"category_id": i64::MAX})] {
        assert_eq!(faults(Method::PATCH, &path, &body).await, ["/category_id unknown_category"]);
    }
    assert_eq!(faults(Method::PATCH, &path, &json!({"title": "a\0b"})).await, ["/title invalid_text"]);
    assert_eq!(faults(Method::PATCH, &path, &json!([])).await, [" invalid_type"]);
    for id in ["999", "0", "tea", "99999999999999999999"] {
        desk.send(Method::PATCH, &format!("/products/{id}/"), &json!({})).await.expect_problem(404, "not_found");
    }
}

#[tokio::test]
async fn a_sku_and_a_name_are_taken_once() {
    let desk = desk().await;
    let tea = category(&desk, "Tea").await;
    let body = json!({"sku": "TEA-1", "title": "Tea", "price": "1", "category_id": tea});
    desk.send(Method::POST, "/products/", &body).await.expect(201);
    let taken = desk.send(Method::POST, "/products/", &body).await.expect_problem(409, "conflict");
    assert_eq!(taken["errors"][0]["pointer"], "/sku");
    let other = desk
        .send(Method::POST, "/products/", &json!({"title": "Tea", "price": "1", "category_id": tea}))
        .await
        .expect(201)["id"]
        .clone();
    desk.send(Method::PATCH, &format!("/products/{other}/"), &json!({"sku": "TEA-1"}))
        .await
        .expect_problem(409, "conflict");
    desk.send(Method::POST, "/categories/", &json!({"name": " TEA "})).await.expect_problem(409, "conflict");
    let coffee = category(&desk, "Coffee").await;
    let path = format!("/categories/{coffee}/");
    desk.send(Method::PATCH, &path, &json!({"name": "tea"})).await.expect_problem(409, "conflict");
    assert_eq!(desk.send(Method::PATCH, &path, &json!({"name": "COFFEE"})).await.expect(200)["name"], "COFFEE");
    assert_eq!(desk.app.get(&path).await.expect(200), json!({"id": coffee, "name": "COFFEE"}));
}

#[tokio::test]
async fn what_changed_since_it_was_read_is_not_overwritten() {
    let desk = desk().await;
    let tea = category(&desk, "Tea").await;
    let made = desk.send(Method::POST, "/products/", &json!({"title": "Tea", "price": "1", "category_id": tea})).await;
    let path = format!("/products/{}/", made.expect(201)["id"]);
    let first = made.header("etag").unwrap().to_owned();
    let second = desk.send_if(Method::PATCH, &path, &first, &json!({"price": "2"})).await;
    second.expect(200);
    let stale = desk.send_if(Method::PATCH, &path, &first, &json!({"price": "3"})).await;
    stale.expect_problem(412, "precondition_failed");
    desk.send_if(Method::DELETE, &path, &first, &Value::Null).await.expect_problem(412, "precondition_failed");
    desk.send(Method::PATCH, &format!("/categories/{tea}/"), &json!({"name": "Teas"})).await.expect(200);
    let second = second.header("etag").unwrap();
    let renamed = desk.send_if(Method::PATCH, &path, second, &json!({"price": "3"})).await;
    renamed.expect_problem(412, "precondition_failed");
    assert_eq!(desk.app.get(&path).await.expect(200)["price"], "2.00");
    desk.send_if(Method::PATCH, &path, "*", &json!({"price": "4"})).await.expect(200);
    let current = desk.app.get(&path).await.header("etag").unwrap().to_owned();
    desk.send_if(Method::DELETE, &path, &current, &Value::Null).await.expect(204);
}

#[tokio::test]
async fn of_those_who_saw_the_same_product_one_changes_it() {
    let desk = desk().await;
    let tea = category(&desk, "Tea").await;
    let made = desk.send(Method::POST, "/products/", &json!({"title": "Tea", "price": "1", "category_id": tea})).await;
    let path = format!("/products/{}/", made.expect(201)["id"]);
    let etag = made.header("etag").unwrap();
    let prices: Vec<Value> = (2..10).map(|price| json!({ "price": price.to_string() })).collect();
    let all = prices.iter().map(|body| desk.send_if(Method::PATCH, &path, etag, body));
    let statuses: Vec<u16> = join_all(all).await.iter().map(|answer| answer.status.as_u16()).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [200, 412].contains(status)), "{statuses:?}");
}

#[tokio::test]
async fn what_others_refer_to_stays() {
    let desk = desk().await;
    let build = desk.app.build().await;
    let (store, product) = (build.store("Corner").await, build.product("Tea", "Tea", "1.00").await);
    build.stock(store, product, 5).await;
    let category = build.category("Tea").await;
    let problem = desk.send(Method::DELETE, &format!("/categories/{category}/"), &Value::Null).await;
    let detail = problem.expect_problem(409, "conflict")["detail"].clone();
    assert!(detail.as_str().unwrap().starts_with("Products are filed under"), "{detail}");

    let order = json!({"store_id": store, "items": [{"product_id": product, "quantity_requested": 9}]});
    assert_eq!(desk.app.post("/orders/", &order).await.expect(201)["status"], "REJECTED");
    let problem = desk.send(Method::DELETE, &format!("/products/{product}/"), &Value::Null).await;
    let detail = problem.expect_problem(409, "conflict")["detail"].clone();
    assert!(detail.as_str().unwrap().starts_with("Orders refer to"), "{detail}");
    assert_eq!(desk.log("product").await.len() + desk.log("category").await.len(), 0, "nothing happened");

    let unsold = build.product("Soap", "Soap", "1.00").await;
    build.stock(store, unsold, 5).await;
    desk.send(Method::DELETE, &format!("/products/{unsold}/"), &Value::Null).await.expect(204);
    assert_eq!(desk.app.get(&format!("/stores/{store}/inventory/")).await.expect(200)["count"], 1);
    let soap = build.category("Soap").await;
    desk.send(Method::DELETE, &format!("/categories/{soap}/"), &Value::Null).await.expect(204);
    assert_eq!(desk.log("category").await, [format!(r#"delete {soap} {{"name": "Soap"}} ->"#)]);
}

#[tokio::test]
async fn whether_orders_name_a_product_is_not_found_out_by_reading_them_all() {
    let desk = Desk::new(&[Scope::CatalogueWrite]).await;
    let build = desk.app.build().await;
    let (store, ordered) = (build.store("Corner").await, build.product("Oolong Tea", "Tea", "2.50").await);
    let spare = build.product("Sencha", "Tea", "2.50").await;
    let sql = desk.app.database.sql().await;
    let orders = format!(
        "INSERT INTO orders (id, store_id, status) SELECT n, {store}, 'CONFIRMED' FROM generate_series(1, 5000) AS n; \
         INSERT INTO order_items (store_id, order_id, line, product_id, quantity_requested, unit_price) \
         SELECT {store}, n, 1, {ordered}, 1, 1 FROM generate_series(1, 5000) AS n"
    );
    sql.batch_execute(&orders).await.unwrap();
    sql.batch_execute("VACUUM ANALYZE order_items").await.unwrap();
    desk.send(Method::DELETE, &format!("/products/{ordered}/"), &Value::Null).await.expect_problem(409, "conflict");
    desk.send(Method::DELETE, &format!("/products/{spare}/"), &Value::Null).await.expect(204);
    let scans = "SELECT idx_scan, (SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'order_items') \
                 FROM pg_stat_user_indexes WHERE indexrelname = 'order_items_product_id_idx'";
    let told = async || {
        let row = sql.query_one(scans, &[]).await.unwrap();
        let (by_index, through_all): (i64, i64) = (row.get(0), row.get(1));
        (by_index >= 2).then_some(through_all)
    };
    let through_all = eventually("the statistics tell of the index", Duration::from_secs(20), told).await;
    assert_eq!(through_all, 0, "ANALYZE takes samples, and nobody else reads them all");
}
