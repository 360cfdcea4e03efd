//! The catalogue.

use serde_json::{Value, json};
use testkit::TestApp;

use crate::lists::{column, walk};

async fn catalogue() -> TestApp {
    let app = TestApp::start().await;
    let build = app.build().await;
    for n in 1..=45 {
        build.product(&format!("Product {n}"), ["Tea", "Öl", "12"][n % 3], &format!("{n}.5")).await;
    }
    app
}

#[tokio::test]
async fn a_product_has_the_documented_form() {
    let app = TestApp::start().await;
    let build = app.build().await;
    let id = build.product("Green tea", "Tea", "12.5").await;
    let category = build.category("tea").await;
    let change = "UPDATE products SET sku = 'TEA-1', description = 'Loose', created_at = '2026-01-02T03:04:05.6Z', \
                  updated_at = '2026-01-02T03:04:05.678901Z'";
    app.database.sql().await.batch_execute(change).await.unwrap();
    let expected = json!({
        "id": id,
        "sku": "TEA-1",
        "title": "Green tea",
        "description": "Loose",
        "price": "12.50",
        "category": "Tea",
        "category_id": category,
        "created_at": "2026-01-02T03:04:05.600000Z",
        "updated_at": "2026-01-02T03:04:05.678901Z",
    });
    for path in [format!("/products/{id}/"), format!("/products/{id}")] {
        assert_eq!(app.get(&path).await.expect(200), expected);
    }
    let list = json!({"count": 1, "next": null, "previous": null, "results": [expected]});
    assert_eq!(app.get("/products/").await.expect(200), list);
    assert_eq!(app.get("/products").await.expect(200), list);
}

/// Loaded by SQL, say.
#[tokio::test]
async fn what_the_database_takes_is_shown_and_found() {
    let app = TestApp::start().await;
    let (build, sql) = (app.build().await, app.database.sql().await);
    let (old, new) = (build.product("Oldest", "Tea", "1").await, build.product("Newest", "Tea", "1").await);
    let load =
        "UPDATE products SET price = 0, created_at = $2::text::timestamptz, title = $3, description = $4 WHERE id = $1";
    let (title, description) = ("\u{fdfa}".repeat(500), "𝔪".repeat(20_000));
    sql.execute(load, &[&old, &"0001-01-01Z", &title, &description]).await.unwrap();
    let load = "UPDATE products SET price = 9999999999.99, created_at = $2::text::timestamptz WHERE id = $1";
    sql.execute(load, &[&new, &"9999-12-31 23:59:59.999999Z"]).await.unwrap();
    app.search_catches_up().await;
    let (oldest, newest) = (json!("0001-01-01T00:00:00.000000Z"), json!("9999-12-31T23:59:59.999999Z"));
    let lists = [("/products/", [&oldest, &newest]), ("/api/search/products/?facets=true", [&newest, &oldest])];
    for (path, moments) in lists {
        let page = app.get(path).await.expect(200);
        assert_eq!(column(&page, "created_at").iter().collect::<Vec<_>>(), moments, "{path}");
    }
    let found = app.get("/api/search/products/?q=newest").await.expect(200);
    assert_eq!((&found["count"], &found["results"][0]["price"]), (&json!(1), &json!("9999999999.99")));
}

#[tokio::test]
async fn products_are_listed_by_id_forward_and_back() {
    let app = catalogue().await;
    let ids: Vec<Value> = (1..=45).map(Value::from).collect();
    assert_eq!(walk(&app, "/products/?page_size=7", "id").await, ids);
    assert_eq!(walk(&app, "/products/?page_size=45", "id").await, ids);
    let first = app.get("/products/").await.expect(200);
    assert_eq!((column(&first, "id"), &first["count"]), (ids[..20].to_vec(), &json!(45)));
}

#[tokio::test]
async fn products_can_be_narrowed_to_a_category_or_a_sku() {
    let app = catalogue().await;
    app.database.sql().await.batch_execute("UPDATE products SET sku = 'S-' || id").await.unwrap();
    let of = |rest: i64| -> Vec<Value> { (1..=45).filter(|n| n % 3 == rest).map(Value::from).collect() };
    let oil = app.build().await.category("öl").await;
    let named_12 = app.build().await.category("12").await;
    for (query, rest) in [("tEA", 0), ("%C3%96L", 1), (&oil.to_string(), 1), ("12", 2), (&named_12.to_string(), 2)] {
        assert_eq!(walk(&app, &format!("/products/?category={query}&page_size=4"), "id").await, of(rest), "{query}");
    }
    assert_eq!(column(&app.get("/products/?category=tea&page=2&page_size=10").await.expect(200), "id"), of(0)[10..]);
    assert_eq!(column(&app.get("/products/?sku=S-7").await.expect(200), "id"), [7]);
    assert_eq!(column(&app.get("/products/?sku=S-7&category=öl").await.expect(200), "id"), [7]);
    for nothing in ["sku=s-7", "sku=S-7&category=tea", "category=none", "category=99", "category=-1", "category=1e3"] {
        let page = app.get(&format!("/products/?{nothing}")).await.expect(200);
        assert_eq!(page, json!({"count": 0, "next": null, "previous": null, "results": []}), "{nothing}");
    }
    assert_eq!(app.get("/products/?category=&sku=").await.expect(200)["count"], 45, "empty counts as absent");
}

#[tokio::test]
async fn categories_are_listed_by_name() {
    let app = TestApp::start().await;
    let build = app.build().await;
    for name in ["tea", "Soap", "Öl", "books", "Zinc", "12"] {
        build.category(name).await;
    }
    let names = ["12", "books", "Soap", "tea", "Zinc", "Öl"];
    assert_eq!(walk(&app, "/categories/?page_size=2", "name").await, names);
    let all = app.get("/categories").await.expect(200);
    assert_eq!(column(&all, "name"), names);
    assert_eq!(all["results"][0], json!({"id": build.category("12").await, "name": "12"}));
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let app = catalogue().await;
    for id in ["46", "0", "-1", "tea", "99999999999999999999", "1.0", "%00"] {
        app.get(&format!("/products/{id}/")).await.expect_problem(404, "not_found");
    }
    let problem = app.get("/products/46/").await.expect_problem(404, "not_found");
    assert_eq!(problem["detail"], "There is no product 46.");
    app.get("/products/1/?fields=all").await.expect_problem(400, "invalid");
}

#[tokio::test]
async fn lists_hold_to_the_bounds() {
    let app = catalogue().await;
    crate::lists::hold_to_the_bounds(&app, "/products/", "category, sku, page, page_size, cursor").await;
    crate::lists::hold_to_the_bounds(&app, "/categories/", "page, page_size, cursor").await;
}
