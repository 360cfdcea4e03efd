//! What clients see while a server behind us is away.

use std::cell::Cell;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
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
    all_say_so(&app, &order, Duration::from_secs(2)).await;
    // What the index alone answers goes on.
    let asked = Instant::now();
    assert_eq!(app.get("/api/search/suggest/?q=oolong").await.expect(200)["results"], json!(["Oolong Tea"]));
    assert!(asked.elapsed() < Duration::from_secs(1), "it took {:?}", asked.elapsed());

    proxy.heal();
    app.post("/orders/", &order).await.expect(201);
    let left = app.get(&format!("/stores/{store}/inventory/")).await.expect(200);
    assert_eq!(left["results"][0]["quantity"], 3, "the order that was refused took nothing");
}

/// Connections that are refused, and those that nobody ever answers: a host that is gone, or behind a wall.
#[tokio::test]
async fn no_request_waits_twice_for_a_postgresql_that_cannot_be_reached() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let order = json!({"store_id": 1, "items": [{"product_id": 1, "quantity_requested": 1}]});
    for address in [silent.local_addr().unwrap(), closed] {
        let app = TestApp::start_with(|_, settings| {
            settings.database = db::Config::new(format!("postgres://nobody@{address}/none"), db::Role::Gateway);
        })
        .await;
        all_say_so(&app, &order, Duration::from_millis(1_600)).await;
    }
}

/// A process that was stopped, a container that is paused: connections stay open and nothing comes.
#[tokio::test]
async fn a_postgresql_that_hangs_keeps_nobody_for_ever() {
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

    proxy.freeze();
    // Twice the longest statement.
    all_say_so(&app, &order, Duration::from_secs(6)).await;
    let ready = app.get("/readyz/").await.expect(503);
    assert_eq!(ready["parts"]["database"], "unreachable");

    proxy.heal();
    let deadline = Instant::now() + Duration::from_secs(10);
    while app.get("/readyz/").await.status != 200 {
        assert!(Instant::now() < deadline, "it never heals");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    app.get("/orders/1/").await.expect(200);
    app.post("/orders/", &order).await.expect(201);
}

/// Everything that needs PostgreSQL, all at once and each for itself: a complete problem, within `limit`.
async fn all_say_so(app: &TestApp, order: &Value, limit: Duration) {
    let reads =
        ["/products/", "/stores/1/inventory/", "/stores/1/orders/", "/orders/1/", "/api/search/products/?q=tea"];
    let mut asked: Vec<_> = reads.iter().map(|path| app.request(Method::GET, path)).collect();
    asked.push(app.request(Method::POST, "/orders/").json(order));
    let answers = asked.into_iter().map(|request| async {
        let begun = Instant::now();
        let answer = app.send(request).await;
        (answer, begun.elapsed())
    });
    for (answer, took) in join_all(answers).await {
        let problem = answer.expect_problem(503, "unavailable");
        let place = &problem["instance"];
        assert!(took < limit, "{place} took {took:?}");
        assert_eq!(answer.header("retry-after"), Some("1"), "{place}");
        assert_eq!(answer.header("x-request-id"), problem["request_id"].as_str(), "{place}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{place}");
        assert_eq!(problem["type"], format!("{}/problems/unavailable/", app.base()), "{place}");
        assert!(!answer.text.contains("127.0.0.1:5"), "nothing of the inside: {}", answer.text);
    }
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
