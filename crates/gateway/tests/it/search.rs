//! Searching and suggesting over HTTP.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use testkit::TestApp;

/// An application with tea, coffee and bread, and a store that has some of them.
async fn shop() -> (TestApp, i64) {
    let app = TestApp::start().await;
    let build = app.build().await;
    let store = build.store("One").await;
    for (title, category, price, quantity) in [
        ("Green Tea", "Drinks", "3.50", 5),
        ("Black Tea", "Drinks", "2.00", 0),
        ("Coffee", "Drinks", "9", 1),
        ("Tea Bread <fresh>", "Bakery", "4.99", 3),
    ] {
        let product = build.product(title, category, price).await;
        build.stock(store, product, quantity).await;
    }
    build.product("Teapot", "Kitchen", "120.00").await;
    app.search_catches_up().await;
    (app, store)
}

fn titles(page: &Value) -> Vec<&str> {
    let results = page["results"].as_array().expect("a list of results");
    results.iter().map(|product| product["title"].as_str().expect("a title")).collect()
}

fn keys(object: &Value) -> BTreeSet<&str> {
    object.as_object().expect("an object").keys().map(String::as_str).collect()
}

#[tokio::test]
async fn results_have_the_documented_shape() {
    let (app, store) = shop().await;
    let page = app.get("/api/search/products/?q=green").await.expect(200);
    assert_eq!(keys(&page), ["count", "next", "page", "previous", "results", "total_pages"].into());
    assert_eq!((&page["count"], &page["page"], &page["total_pages"]), (&json!(1), &json!(1), &json!(1)));
    assert_eq!((&page["next"], &page["previous"]), (&Value::Null, &Value::Null));
    let product = &page["results"][0];
    assert_eq!(keys(product), ["category", "created_at", "description", "id", "price", "title"].into());
    assert_eq!((&product["price"], &product["category"]), (&json!("3.50"), &json!("Drinks")));
    let time = product["created_at"].as_str().unwrap();
    assert!(time.len() == 27 && time.ends_with('Z'), "{time}");

    let page =
        app.get(&format!("/api/search/products?q=tea&store_id={store}&highlight=true&facets=true")).await.expect(200);
    assert_eq!(titles(&page), ["Green Tea", "Black Tea", "Tea Bread <fresh>", "Teapot"], "equally good ones by id");
    let quantities: Vec<&Value> =
        page["results"].as_array().unwrap().iter().map(|product| &product["inventory_quantity"]).collect();
    assert_eq!(quantities, [&json!(5), &json!(0), &json!(3), &json!(0)]);
    assert_eq!(page["results"][2]["highlight"], "<em>Tea</em> Bread &lt;fresh&gt;");
    assert_eq!(page["results"][3]["highlight"], "<em>Tea</em>pot");
    let categories = page["facets"]["categories"].as_array().unwrap();
    let categories: Vec<(&str, i64)> =
        categories.iter().map(|facet| (facet["name"].as_str().unwrap(), facet["count"].as_i64().unwrap())).collect();
    assert_eq!(categories, [("Drinks", 2), ("Bakery", 1), ("Kitchen", 1)]);
    assert_eq!(
        page["facets"]["prices"],
        json!([
            {"min_price": "2.00", "max_price": "4.99", "count": 3},
            {"min_price": "100.00", "max_price": null, "count": 1},
        ])
    );
}

#[tokio::test]
async fn filters_and_sorts_combine() {
    let (app, store) = shop().await;
    for (query, wanted) in [
        ("sort=price", &["Black Tea", "Green Tea", "Tea Bread <fresh>", "Coffee", "Teapot"][..]),
        ("sort=-price", &["Teapot", "Coffee", "Tea Bread <fresh>", "Green Tea", "Black Tea"]),
        ("sort=newest", &["Teapot", "Tea Bread <fresh>", "Coffee", "Black Tea", "Green Tea"]),
        ("", &["Teapot", "Tea Bread <fresh>", "Coffee", "Black Tea", "Green Tea"]),
        ("sort=&q=&category=&min_price=", &["Teapot", "Tea Bread <fresh>", "Coffee", "Black Tea", "Green Tea"]),
        ("q=tea&sort=relevance", &["Green Tea", "Black Tea", "Tea Bread <fresh>", "Teapot"]),
        ("category=dRiNkS&sort=price", &["Black Tea", "Green Tea", "Coffee"]),
        ("category=bakery&category=kitchen&sort=price", &["Tea Bread <fresh>", "Teapot"]),
        ("min_price=3.5&max_price=9.00&sort=price", &["Green Tea", "Tea Bread <fresh>", "Coffee"]),
        ("in_stock=true&sort=price", &["Green Tea", "Tea Bread <fresh>", "Coffee"]),
        ("in_stock=false&q=black", &["Black Tea"]),
        ("q=gren+tea&in_stock=true&store_id=STORE", &["Green Tea"]),
    ] {
        let query = query.replace("STORE", &store.to_string());
        let page = app.get(&format!("/api/search/products/?{query}")).await.expect(200);
        assert_eq!(titles(&page), wanted, "{query}");
    }
}

#[tokio::test]
async fn what_finds_nothing_says_what_to_relax() {
    let (app, _) = shop().await;
    for (query, advice) in [
        ("category=unknown", "Without category there would be 5 results."),
        ("min_price=5&max_price=4", "Without min_price there would be 2 results."),
        ("q=coffee+tea", "Without the word \"coffee\" there would be 4 results."),
        ("q=xyzzy", "Nothing in the catalogue is like this. Try other words."),
    ] {
        let page = app.get(&format!("/api/search/products/?{query}")).await.expect(200);
        assert_eq!((&page["count"], &page["results"]), (&json!(0), &json!([])), "{query}");
        assert_eq!(page["suggestions"][0], advice, "{query}");
    }
}

#[tokio::test]
async fn pages_link_to_each_other_and_keep_the_query() {
    let (app, _) = shop().await;
    let first = app.get("/api/search/products?page_size=2&category=drinks&sort=price").await.expect(200);
    assert_eq!((&first["count"], &first["total_pages"]), (&json!(3), &json!(2)));
    let next = first["next"].as_str().unwrap();
    assert!(next.starts_with(&format!("{}/api/search/products/?", app.base())), "{next}");
    let second = app.follow(next).await.expect(200);
    assert_eq!((titles(&second), &second["page"], &second["next"]), (vec!["Coffee"], &json!(2), &Value::Null));
    let back = app.follow(second["previous"].as_str().unwrap()).await.expect(200);
    assert_eq!(titles(&back), titles(&first));
    for page in ["0", "3", "-1", "x", "99999999999999999999", "1.5"] {
        let path = format!("/api/search/products/?page_size=2&category=drinks&page={page}");
        app.get(&path).await.expect_problem(404, "no_such_page");
    }
}

#[tokio::test]
async fn a_page_that_lies_too_deep_is_refused() {
    let app = TestApp::start().await;
    let sql = "INSERT INTO categories (name) VALUES ('tea'); \
               INSERT INTO products (title, category_id, price) SELECT 'Tea', 1, 1 FROM generate_series(1, 10001)";
    app.database.sql().await.batch_execute(sql).await.unwrap();
    app.search_catches_up().await;
    let last = app.get("/api/search/products/?page_size=100&page=100").await.expect(200);
    assert_eq!((&last["count"], &last["next"]), (&json!(10_001), &Value::Null));
    app.get("/api/search/products/?page_size=100&page=101").await.expect_problem(400, "too_deep");
    app.get("/api/search/products/?page_size=100&page=102").await.expect_problem(404, "no_such_page");
}

#[tokio::test]
async fn every_fault_is_named_at_once() {
    let (app, _) = shop().await;
    let path = "/api/search/products/?sort=best&min_price=NaN&max_price=1e3&store_id=x&in_stock=maybe&page_size=101&colour=red";
    let problem = app.get(path).await.expect_problem(400, "invalid");
    let parameters: BTreeSet<&str> =
        problem["errors"].as_array().unwrap().iter().map(|fault| fault["parameter"].as_str().unwrap()).collect();
    let wanted = ["sort", "min_price", "max_price", "store_id", "in_stock", "page_size", "colour"];
    assert_eq!(parameters, wanted.into());
    assert!(problem["errors"].to_string().contains("price, -price, newest, relevance"));
    for store in ["4711", "-1", "9223372036854775807", "9223372036854775808", "1.0"] {
        let problem = app.get(&format!("/api/search/products/?store_id={store}")).await.expect_problem(400, "invalid");
        assert_eq!(problem["errors"][0]["parameter"], "store_id");
    }
}

#[tokio::test]
async fn suggestions_are_titles_alone() {
    let (app, _) = shop().await;
    let answer = app.get("/api/search/suggest/?q=TEA").await;
    assert_eq!(answer.expect(200), json!({"results": ["Tea Bread <fresh>", "Teapot", "Black Tea", "Green Tea"]}));
    assert_eq!(answer.header("x-cache"), Some("miss"));
    assert_eq!(app.get("/api/search/suggest?q=+tea+").await.header("x-cache"), Some("hit"));
    assert_eq!(app.get("/api/search/suggest/?q=cofee").await.expect(200), json!({"results": ["Coffee"]}));
    let long = app.get(&format!("/api/search/suggest/?q={}", "tea".repeat(67))).await;
    assert_eq!((long.expect(200), long.header("x-cache")), (json!({"results": []}), Some("bypass")));
    for query in ["", "?q=", "?q=te", "?q=%20te%20", "?q=te&q="] {
        let problem = app.get(&format!("/api/search/suggest/{query}")).await.expect_problem(400, "invalid");
        assert_eq!(problem["errors"][0]["parameter"], "q", "{query}");
    }
    app.get("/api/search/suggest/?q=tea&limit=5").await.expect_problem(400, "invalid");
}

#[tokio::test]
async fn suggestions_go_through_redis_where_there_is_one() {
    let prefix = testkit::unique_name("gateway:");
    let app = TestApp::start_with(|_, settings| {
        settings.cache = cache::Config::redis(testkit::redis_url(), prefix);
    })
    .await;
    app.build().await.product("Green Tea", "Drinks", "1").await;
    app.search_catches_up().await;
    let begun = Instant::now();
    while app.get("/readyz/").await.expect(200)["parts"]["cache"] != "ok" {
        assert!(begun.elapsed() < Duration::from_secs(5));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for outcome in ["miss", "hit"] {
        let answer = app.get("/api/search/suggest/?q=green").await;
        assert_eq!((answer.expect(200), answer.header("x-cache")), (json!({"results": ["Green Tea"]}), Some(outcome)));
    }
}

#[tokio::test]
async fn suggestions_can_be_limited() {
    let app = TestApp::start_with(|_, settings| settings.search.suggest_rate_limit = NonZeroU32::new(2)).await;
    for left in [1, 0] {
        let answer = app.get("/api/search/suggest/?q=tea").await;
        answer.expect(200);
        assert_eq!(answer.header("ratelimit-policy"), Some("\"suggest\";q=2;w=60"));
        assert!(answer.header("ratelimit").unwrap().starts_with(&format!("\"suggest\";r={left};t=")));
    }
    let refused = app.get("/api/search/suggest/?q=tea").await;
    refused.expect_problem(429, "rate_limited");
    let seconds: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    assert_eq!(refused.header("ratelimit"), Some(format!("\"suggest\";r=0;t={seconds}").as_str()));
    app.get("/api/search/products/?q=tea").await.expect(200);
    let unlimited = TestApp::start().await;
    assert_eq!(unlimited.get("/api/search/suggest/?q=tea").await.header("ratelimit"), None);
}

#[tokio::test]
async fn no_text_makes_a_server_error() {
    let (app, _) = shop().await;
    let long = "x".repeat(7_000);
    let queries = [
        "%F0%9F%A5%9B",
        "%27%3B+DROP+TABLE+products%3B--",
        "%25",
        "_",
        "%5C",
        "%22",
        "%3Cscript%3E",
        "a%CC%81",
        "%E2%80%AE",
        "+++",
        "%2B%2B%2B",
        "%EF%BF%BF",
        "tea%0D%0A",
        long.as_str(),
    ];
    for query in queries {
        for path in ["products", "suggest"] {
            let answer = app.get(&format!("/api/search/{path}/?q={query}")).await;
            assert!(answer.status.as_u16() < 500, "{path} {query}: {}", answer.text);
        }
    }
    for method in [Method::POST, Method::PUT, Method::DELETE] {
        let answer = app.send(app.request(method, "/api/search/products/")).await;
        answer.expect_problem(405, "method_not_allowed");
        assert_eq!(answer.header("allow"), Some("GET, HEAD"));
    }
}
