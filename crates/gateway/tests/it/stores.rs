//! Stores and their inventory.

use std::time::Duration;

use accounts::Scope;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::TestApp;

use crate::authorization::Keys;
use crate::lists::{column, hold_to_the_bounds, walk};

/// A store with a few products of two categories, and the path of its inventory.
async fn tea_house() -> (TestApp, String) {
    let app = TestApp::start().await;
    let build = app.build().await;
    let store = build.store("Tea house").await;
    for (title, category, price, quantity) in [
        ("green tea", "Tea", "12.5", 3),
        ("Black Tea", "Tea", "8", 0),
        ("100% Cotton bag", "Bags", "5", 7),
        ("Zinc_box", "Bags", "6", 2),
        ("Black Tea", "Tea", "9", 2147483647),
        ("éclair", "Food", "1", 1),
    ] {
        let product = build.product(title, category, price).await;
        build.stock(store, product, quantity).await;
    }
    build.product("Never stocked", "Tea", "1").await;
    (app, format!("/stores/{store}/inventory/"))
}

#[tokio::test]
async fn a_store_has_the_documented_form() {
    let app = TestApp::start().await;
    let id = app.build().await.store("Harbour").await;
    let change = "UPDATE stores SET created_at = '2026-01-02T03:04:05Z'";
    app.database.sql().await.batch_execute(change).await.unwrap();
    let expected =
        json!({"id": id, "name": "Harbour", "location": "Testville", "created_at": "2026-01-02T03:04:05.000000Z"});
    for path in [format!("/stores/{id}/"), format!("/stores/{id}")] {
        assert_eq!(app.get(&path).await.expect(200), expected);
    }
    let list = json!({"count": 1, "next": null, "previous": null, "results": [expected]});
    assert_eq!(app.get("/stores/").await.expect(200), list);
    assert_eq!(app.get("/stores").await.expect(200), list);
}

#[tokio::test]
async fn stores_are_listed_by_name_then_by_id() {
    let app = TestApp::start().await;
    let build = app.build().await;
    for name in ["south", "North", "Über", "north", "East", "North"] {
        build.store(name).await;
    }
    let ids = walk(&app, "/stores/?page_size=2", "id").await;
    assert_eq!(ids, [5, 2, 4, 6, 1, 3]);
    assert_eq!(walk(&app, "/stores/?page_size=1", "id").await, ids);
}

#[tokio::test]
async fn an_inventory_is_listed_by_title() {
    let (app, path) = tea_house().await;
    let page = app.get(&path).await.expect(200);
    let titles = ["100% Cotton bag", "Black Tea", "Black Tea", "green tea", "Zinc_box", "éclair"];
    assert_eq!(column(&page, "product_title"), titles);
    assert_eq!(page["count"], 6);
    let category = app.build().await.category("Tea").await;
    assert_eq!(
        page["results"][3],
        json!({"product_id": 1, "sku": null, "product_title": "green tea", "price": "12.50",
               "category_id": category, "category_name": "Tea", "quantity": 3})
    );
    assert_eq!(column(&page, "quantity"), [7, 0, 2147483647, 3, 2, 1]);
    assert_eq!(app.get(path.trim_end_matches('/')).await.expect(200)["results"], page["results"]);
    for size in [1, 2, 4] {
        assert_eq!(walk(&app, &format!("{path}?page_size={size}"), "product_id").await, [3, 2, 5, 1, 4, 6]);
    }
}

#[tokio::test]
async fn an_inventory_can_be_narrowed() {
    let (app, path) = tea_house().await;
    let bags = format!("category={}", app.build().await.category("Bags").await);
    for (query, ids) in [
        ("q=TEA", vec![2, 5, 1]),
        ("q=%C3%89CL", vec![6]),
        ("q=%25", vec![3]),
        ("q=_", vec![4]),
        ("q=%5C", vec![]),
        ("q=%27", vec![]),
        ("q=k+t", vec![2, 5]),
        ("category=bags", vec![3, 4]),
        (bags.as_str(), vec![3, 4]),
        ("category=none", vec![]),
        ("in_stock=true", vec![3, 5, 1, 4, 6]),
        ("in_stock=false", vec![3, 2, 5, 1, 4, 6]),
        ("low_stock=2", vec![2, 4, 6]),
        ("low_stock=0", vec![2]),
        ("low_stock=9223372036854775807", vec![3, 2, 5, 1, 4, 6]),
        ("low_stock=2&in_stock=true", vec![4, 6]),
        ("q=a&category=tea&in_stock=1&low_stock=5", vec![1]),
        ("q=&category=&in_stock=&low_stock=", vec![3, 2, 5, 1, 4, 6]),
    ] {
        let page = app.get(&format!("{path}?{query}")).await.expect(200);
        assert_eq!(column(&page, "product_id"), ids, "{query}");
        assert_eq!(page["count"], ids.len(), "{query}");
    }
    assert_eq!(walk(&app, &format!("{path}?q=tea&page_size=1"), "product_id").await, [2, 5, 1]);
}

#[tokio::test]
async fn filters_that_make_no_sense_are_named_at_once() {
    let (app, path) = tea_house().await;
    let problem = app.get(&format!("{path}?low_stock=-1&in_stock=maybe&stock=1")).await.expect_problem(400, "invalid");
    let errors: Vec<(&Value, &Value)> =
        problem["errors"].as_array().unwrap().iter().map(|error| (&error["parameter"], &error["code"])).collect();
    let expected = [("in_stock", "invalid_type"), ("low_stock", "out_of_range"), ("stock", "unknown_parameter")];
    assert_eq!(
        errors,
        expected.map(|(parameter, code)| (json!(parameter), json!(code))).each_ref().map(|(a, b)| (a, b))
    );
    for (number, code) in [
        ("few", "invalid_type"),
        ("1.5", "invalid_type"),
        ("1e3", "invalid_type"),
        ("99999999999999999999", "out_of_range"),
        ("-99999999999999999999", "out_of_range"),
    ] {
        let problem = app.get(&format!("{path}?low_stock={number}")).await.expect_problem(400, "invalid");
        assert_eq!(problem["errors"][0]["code"], code, "{number}");
    }
}

#[tokio::test]
async fn an_unknown_store_is_not_found() {
    let (app, _) = tea_house().await;
    for id in ["2", "0", "-1", "tea", "99999999999999999999"] {
        app.get(&format!("/stores/{id}/")).await.expect_problem(404, "not_found");
        app.get(&format!("/stores/{id}/inventory/")).await.expect_problem(404, "not_found");
    }
    let problem = app.get("/stores/2/inventory/?category=none").await.expect_problem(404, "not_found");
    assert_eq!(problem["detail"], "There is no store 2.");
    let empty = app.build().await.store("Empty").await;
    let page = app.get(&format!("/stores/{empty}/inventory/")).await.expect(200);
    assert_eq!(page, json!({"count": 0, "next": null, "previous": null, "results": []}));
}

#[tokio::test]
async fn lists_hold_to_the_bounds() {
    let (app, path) = tea_house().await;
    hold_to_the_bounds(&app, "/stores/", "page, page_size, cursor").await;
    hold_to_the_bounds(&app, &path, "q, category, in_stock, low_stock, page, page_size, cursor").await;
    app.get("/stores/1/?page=1").await.expect_problem(400, "invalid");
}

/// What a client reads is what is there now, also while it walks on: rows that come or go hide and repeat none.
#[tokio::test]
async fn a_walk_is_not_confused_by_what_comes_and_goes() {
    let (app, path) = tea_house().await;
    let first = app.get(&format!("{path}?page_size=3")).await.expect(200);
    assert_eq!(column(&first, "product_id"), [3, 2, 5]);
    let change = "DELETE FROM inventory WHERE product_id = 3; INSERT INTO inventory VALUES (1, 7, 1)";
    app.database.sql().await.batch_execute(change).await.unwrap();
    let second = app.follow(first["next"].as_str().unwrap()).await.expect(200);
    assert_eq!(column(&second, "product_id"), [1, 7, 4]);
    let back = app.follow(second["previous"].as_str().unwrap()).await.expect(200);
    assert_eq!(column(&back, "product_id"), [2, 5]);
}

#[tokio::test]
async fn deleting_a_store_with_much_in_stock_may_take_its_time() {
    let app = TestApp::start_with(|_, settings| settings.database.statement = Duration::from_millis(500)).await;
    app.build().await.fill(1, 80_000).await;
    let token = Keys::new(&app).await.token(&[Scope::StoresWrite]).await;
    app.send(app.request(Method::DELETE, "/stores/1/").bearer_auth(&token)).await.expect(204);
    let left = app.database.sql().await.query_one("SELECT count(*) FROM inventory", &[]).await.unwrap();
    assert_eq!(left.get::<_, i64>(0), 0);
}
