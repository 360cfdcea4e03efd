//! The dashboard: how the parts do, and figures that nobody waits for.

use std::time::{Duration, Instant};

use accounts::Role;
use serde_json::json;
use testkit::TestApp;

use crate::browser::Browser;

/// What the dashboard says of this part: its class, and its words.
async fn part(browser: &mut Browser<'_>, name: &str) -> (String, String) {
    let page = browser.get("/admin/").await.expect(200).text;
    let (_, rest) = page.split_once(&format!("<li>{name} <span class=\"badge ")).unwrap_or_else(|| panic!("{page}"));
    let (class, rest) = rest.split_once("\">").unwrap();
    (class.to_owned(), rest.split("</span>").next().unwrap().to_owned())
}

#[tokio::test]
async fn it_tells_of_workers_and_of_what_is_published_as_far_as_the_database_knows() {
    let app = TestApp::start().await;
    let mut browser = Browser::signed_in(&app, Role::Viewer).await;
    let said = |class: &str, words: &str| (class.to_owned(), words.to_owned());
    assert_eq!(part(&mut browser, "Workers").await, said("bad", "none is alive"));
    assert_eq!(part(&mut browser, "RabbitMQ").await, said("quiet", "nothing to publish"));

    // A worker holds the lock of its number as long as it lives, and nobody else counts as one.
    let worker = app.database.sql().await;
    worker.batch_execute("SET application_name = 'stockroom-worker'; SELECT pg_advisory_lock(4711)").await.unwrap();
    let other = app.database.sql().await;
    other.batch_execute("SELECT pg_advisory_lock(4712)").await.unwrap();
    let (class, words) = part(&mut browser, "Workers").await;
    assert!(class == "good" && words.starts_with("1 alive, seen "), "{class} {words}");
    drop(worker);

    let sql = app.database.sql().await;
    let waits = |seconds: i64| {
        format!(
            "DELETE FROM outbox;
             INSERT INTO outbox (store_id, kind, payload, created_at, available_at)
                 SELECT 1, 'order.confirmed', '{{}}', at, at FROM (SELECT now() - {seconds} * interval '1 second') AS it (at)"
        )
    };
    sql.batch_execute(&waits(3)).await.unwrap();
    let (class, words) = part(&mut browser, "RabbitMQ").await;
    assert!(class == "good" && words.contains("waits for"), "{class} {words}");
    sql.batch_execute(&waits(4_000)).await.unwrap();
    let (class, words) = part(&mut browser, "RabbitMQ").await;
    assert!(class == "bad" && words.starts_with("nothing published for 4"), "{class} {words}");
    let page = browser.get("/admin/").await.expect(200).text;
    assert!(page.contains("Oldest waits for <strong class=\"badge waiting\">4"), "{page}");
    assert!(page.contains("Jobs waiting <strong>1</strong>"), "{page}");
    // What the broker has: when it took the last of it is known.
    sql.batch_execute("UPDATE outbox SET published_at = now(), created_at = now()").await.unwrap();
    let (class, words) = part(&mut browser, "RabbitMQ").await;
    assert!(class == "good" && words.starts_with("published "), "{class} {words}");
    sql.batch_execute(
        "INSERT INTO outbox (store_id, kind, payload) SELECT 1, 'x', '{}' FROM generate_series(1, 10001)",
    )
    .await
    .unwrap();
    let page = browser.get("/admin/").await.expect(200).text;
    assert!(page.contains("Jobs waiting <strong class=\"badge waiting\">10002"), "{page}");
}

/// The dashboard warns where the alert rules do.
#[test]
fn it_warns_where_the_alert_rules_do() {
    let rules = include_str!("../../../../docker/prometheus/alerts.yaml");
    let shown = include_str!("../../src/pages/dashboard/health.rs");
    let limits = [
        ("max(outbox_oldest_seconds) > 60\n", "LATE: f64 = 60.0;"),
        ("max(outbox_events) > 10000\n", "MANY: i64 = 10_000;"),
    ];
    for (rule, limit) in limits {
        assert!(rules.contains(rule) && shown.contains(limit), "{rule} {limit}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn figures_are_gathered_in_the_background_and_shown_with_their_moment() {
    let app = TestApp::start().await;
    let build = app.build().await;
    let (store, tea) = (build.store("Harbour").await, build.product("Tea", "Tea", "2.50").await);
    build.stock(store, tea, 50).await;
    let order = json!({"store_id": store, "items": [{"product_id": tea, "quantity_requested": 1}]});
    app.post("/orders/", &order).await.expect(201);
    let mut browser = Browser::new(&app);
    let email = crate::browser::hire(&app, Role::Viewer).await;
    let fields = [("email", email.as_str()), ("password", crate::browser::PASSWORD)];
    browser.submit("/admin/sign-in/", &fields).await.expect(303);
    // Gathering needs the lines of orders, and cannot have them: the page comes without the figures, and says so.
    let keeper = app.database.sql().await;
    keeper.batch_execute("BEGIN; LOCK TABLE order_items IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let page = browser.get("/admin/").await.expect(200).text;
    assert!(page.contains("The figures are being gathered") && !page.contains("Orders today"), "{page}");
    keeper.batch_execute("COMMIT").await.unwrap();
    let moment = |page: &str| page.split("Gathered at ").nth(1).map(|rest| rest[..19].to_owned());
    let gathered = loop {
        let page = browser.get("/admin/").await.expect(200).text;
        if let Some(moment) = moment(&page) {
            assert!(page.contains("Orders today</span> <strong>1</strong>"), "{page}");
            break moment;
        }
    };
    // Once there are some, nobody waits for new ones: the old ones are shown, with the moment they are of.
    app.post("/orders/", &order).await.expect(201);
    keeper.batch_execute("BEGIN; LOCK TABLE order_items IN ACCESS EXCLUSIVE MODE").await.unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let before = Instant::now();
    let page = browser.get("/admin/").await.expect(200).text;
    assert!(before.elapsed() < Duration::from_secs(2), "{:?}", before.elapsed());
    let shown = moment(&page).unwrap();
    assert!(shown >= gathered, "{gathered} {page}");
    keeper.batch_execute("COMMIT").await.unwrap();
    for _ in 0..100 {
        let page = browser.get("/admin/").await.expect(200).text;
        if page.contains("Orders today</span> <strong>2</strong>") {
            assert!(moment(&page).unwrap() > gathered, "{page}");
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the second order never showed");
}

#[tokio::test]
async fn figures_of_long_ago_are_not_shown_where_new_ones_come_soon() {
    let app = TestApp::start().await;
    let build = app.build().await;
    let (store, tea) = (build.store("Harbour").await, build.product("Tea", "Tea", "2.50").await);
    build.stock(store, tea, 50).await;
    let mut browser = Browser::signed_in(&app, Role::Viewer).await;
    let none = browser.get("/admin/").await.expect(200).text;
    assert!(none.contains("Orders today</span> <strong>0</strong>"), "{none}");
    let order = json!({"store_id": store, "items": [{"product_id": tea, "quantity_requested": 1}]});
    app.post("/orders/", &order).await.expect(201);
    tokio::time::sleep(Duration::from_secs(11)).await;
    let page = browser.get("/admin/").await.expect(200).text;
    assert!(page.contains("Orders today</span> <strong>1</strong>"), "{page}");
}
