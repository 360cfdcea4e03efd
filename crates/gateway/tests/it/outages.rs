//! What clients see while a server behind us is away.

use std::cell::Cell;
use std::time::{Duration, Instant};

use serde_json::json;
use testkit::{Proxy, TestApp, address_of, database_url, redis_url, through, unique_name};

#[tokio::test]
async fn without_postgresql_every_operation_says_so_at_once_and_heals_by_itself() {
    let proxy = Proxy::to(address_of(&database_url())).await;
    let app = TestApp::start_with(|database, settings| {
        settings.database = db::Config::new(database.url_through(&proxy), db::Role::Gateway);
    })
    .await;
    let build = app.build().await;
    let store = build.store("Corner").await;
    let product = build.product("Oolong Tea", "Tea", "2.50").await;
    build.stock(store, product, 5).await;
    app.search_catches_up().await;
    let order = json!({"store_id": store, "items": [{"product_id": product, "quantity_requested": 1}]});
    app.post("/orders/", &order).await.expect(201);

    proxy.cut();
    for path in ["/products/", "/stores/1/inventory/", "/stores/1/orders/", "/orders/1/", "/api/search/products/?q=tea"]
    {
        let asked = Instant::now();
        let answer = app.get(path).await;
        answer.expect_problem(503, "unavailable");
        assert!(answer.header("retry-after").is_some(), "{path}");
        assert!(asked.elapsed() < Duration::from_secs(2), "{path} took {:?}", asked.elapsed());
        assert!(!answer.text.contains("127.0.0.1:5"), "nothing of the inside: {}", answer.text);
    }
    app.post("/orders/", &order).await.expect_problem(503, "unavailable");

    proxy.heal();
    app.post("/orders/", &order).await.expect(201);
    let left = app.get(&format!("/stores/{store}/inventory/")).await.expect(200);
    assert_eq!(left["results"][0]["quantity"], 3, "the order that was refused took nothing");
}

#[tokio::test]
async fn without_redis_suggestions_go_on() {
    let proxy = Proxy::to(address_of(&redis_url())).await;
    let app = TestApp::start_with(|_, settings| {
        settings.cache = cache::Config::redis(through(&redis_url(), &proxy), unique_name("test"));
    })
    .await;
    app.build().await.product("Oolong Tea", "Tea", "2.50").await;
    app.search_catches_up().await;
    let asked = Cell::new(0);
    // Another query each time, as the process keeps what it has answered.
    let suggest = async || {
        asked.set(asked.get() + 1);
        let answer = app.get(&format!("/api/search/suggest/?q=oolong{}", "-".repeat(asked.get()))).await;
        assert_eq!(answer.expect(200)["results"], json!(["Oolong Tea"]));
        answer.header("x-cache").unwrap().to_owned()
    };
    let deadline = Instant::now() + Duration::from_secs(10);
    let until = async |outcome: &str| {
        while suggest().await != outcome {
            assert!(Instant::now() < deadline, "it never is a {outcome}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    until("miss").await;
    proxy.cut();
    until("bypass").await;
    assert_eq!(app.get("/readyz/").await.expect(200)["parts"]["cache"], "degraded");
    proxy.heal();
    until("miss").await;
}

#[tokio::test]
async fn readiness_knows_of_redis_before_any_request_needs_it() {
    let proxy = Proxy::to(address_of(&redis_url())).await;
    let app = TestApp::start_with(|_, settings| {
        settings.cache = cache::Config::redis(through(&redis_url(), &proxy), unique_name("test"));
    })
    .await;
    let until = async |state: &str| {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let ready = app.get("/readyz/").await.expect(200);
            if ready["parts"]["cache"] == state {
                return;
            }
            assert!(Instant::now() < deadline, "it never is {state}: {ready}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let outages: [fn(&Proxy); 2] = [Proxy::cut, Proxy::freeze];
    for begin in outages {
        until("ok").await;
        begin(&proxy);
        until("degraded").await;
        proxy.heal();
    }
    until("ok").await;
}
