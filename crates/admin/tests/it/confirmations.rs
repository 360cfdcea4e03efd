//! The list of confirmations: by number, by state, by day, and all of it together.

use accounts::Role;
use testkit::TestApp;

use crate::browser::Browser;
use crate::lists::{numbers, walk};

/// Confirmed orders of three stores with these numbers, one a second; their customers are yet to be told.
async fn orders(app: &TestApp, many: i64) {
    app.build().await.fill(3, 1).await;
    let made = format!(
        "INSERT INTO orders (store_id, status, total_items, total_price, created_at)
             SELECT n % 3 + 1, 'CONFIRMED', 1, 1, timestamptz '2026-02-01 00:00:00Z' + n * interval '1 second'
             FROM generate_series(1, {many}) AS n;
         INSERT INTO confirmations (store_id, order_id, created_at) SELECT store_id, id, created_at FROM orders"
    );
    app.database.sql().await.batch_execute(&made).await.unwrap();
}

/// Gives up the confirmations of the orders for which `which` holds of their number `id`.
async fn park(app: &TestApp, which: &str) {
    let parked = format!(
        "INSERT INTO outbox (store_id, kind, payload, failures, parked_at)
             SELECT store_id, 'order.confirmed', jsonb_build_object('store_id', store_id, 'order_id', id), 8, now()
             FROM orders WHERE {which}"
    );
    app.database.sql().await.batch_execute(&parked).await.unwrap();
}

#[tokio::test]
async fn confirmations_are_narrowed_to_a_state_a_day_or_a_number() {
    let app = TestApp::start().await;
    orders(&app, 130).await;
    park(&app, "id % 10 = 5").await;
    let told = "UPDATE confirmations SET state = 'sent', sent_at = now() WHERE order_id % 2 = 0;
                UPDATE orders SET created_at = '2026-01-05 10:00:00Z' WHERE id <= 60;
                UPDATE confirmations SET created_at = '2026-01-05 10:00:00Z' WHERE order_id <= 60";
    app.database.sql().await.batch_execute(told).await.unwrap();
    let mut browser = Browser::signed_in(&app, Role::Viewer).await;
    let numbers = |fits: &dyn Fn(i64) -> bool| (1..=130).rev().filter(|id| fits(*id)).collect::<Vec<i64>>();
    for (asked, expected) in [
        ("state=sent", numbers(&|id| id % 2 == 0)),
        ("state=failed", numbers(&|id| id % 10 == 5)),
        ("state=pending", numbers(&|id| id % 2 == 1 && id % 10 != 5)),
        ("state=unsent", numbers(&|id| id % 2 == 1)),
        ("state=sent&from=2026-01-06", numbers(&|id| id % 2 == 0 && id > 60)),
        ("state=failed&to=2026-01-05", numbers(&|id| id % 10 == 5 && id <= 60)),
        ("state=pending&from=2026-02-01&to=2026-02-01", numbers(&|id| id % 2 == 1 && id % 10 != 5 && id > 60)),
        ("state=sent&from=2026-01-06&to=2026-01-31", Vec::new()),
        ("q=17", vec![17]),
        ("q=%2318", vec![18]),
        ("q=18&state=sent", vec![18]),
        ("q=17&state=sent", Vec::new()),
        ("q=15&state=failed&to=2026-01-05", vec![15]),
        ("q=15&state=failed&from=2026-01-06", Vec::new()),
        ("q=131", Vec::new()),
        ("q=ann%40shop.example", Vec::new()),
    ] {
        assert_eq!(walk(&mut browser, &format!("/admin/confirmations/?{asked}"), "orders").await, expected, "{asked}");
    }
    let page = browser.get("/admin/confirmations/?state=failed&q=15").await.expect(200);
    assert!(page.text.contains("<span class=\"badge bad\">failed</span>"), "{}", page.text);
    assert!(page.text.contains("<option value=\"failed\" selected>"), "{}", page.text);
    let export = browser.get("/admin/confirmations/export.csv?state=failed").await.expect(200);
    assert_eq!(export.text.lines().count(), 14);
}

#[tokio::test]
async fn attempts_are_shown_of_what_was_sent() {
    let app = TestApp::start().await;
    orders(&app, 2).await;
    park(&app, "id = 1").await;
    let told = "UPDATE confirmations SET state = 'sent', sent_at = now(), attempts = 3 WHERE order_id = 2";
    app.database.sql().await.batch_execute(told).await.unwrap();
    let mut browser = Browser::signed_in(&app, Role::Viewer).await;
    let export = browser.get("/admin/confirmations/export.csv").await.expect(200).text;
    assert!(export.contains(",failed,,,") && export.contains(",sent,3,"), "{export}");
    let failed = browser.get("/admin/orders/1/").await.expect(200).text;
    assert!(failed.contains("8 failures") && !failed.contains("Attempts"), "{failed}");
    let sent = browser.get("/admin/orders/2/").await.expect(200).text;
    assert!(sent.contains("<dt>Attempts</dt><dd>3</dd>"), "{sent}");
}

#[tokio::test]
async fn a_page_looks_at_a_stretch_where_little_matches() {
    let app = TestApp::start().await;
    orders(&app, 12_000).await;
    park(&app, "id % 3000 = 0").await;
    let told = "UPDATE confirmations SET state = 'sent', sent_at = now() WHERE order_id <= 5";
    app.database.sql().await.batch_execute(told).await.unwrap();
    let mut browser = Browser::signed_in(&app, Role::Viewer).await;
    let failed = walk(&mut browser, "/admin/confirmations/?state=failed", "orders").await;
    assert_eq!(failed, [12_000, 9_000, 6_000, 3_000]);
    assert_eq!(walk(&mut browser, "/admin/confirmations/?state=sent", "orders").await, [5, 4, 3, 2, 1]);
    let first = browser.get("/admin/confirmations/?state=sent").await.expect(200);
    assert!(first.text.contains("Look further"), "{}", first.text);
    let export = browser.get("/admin/confirmations/export.csv?state=sent").await.expect(200);
    assert_eq!(export.text.lines().count(), 6);
}

#[tokio::test]
async fn a_confirmation_that_was_discarded_has_failed_until_it_is_sent_again() {
    let app = TestApp::start().await;
    orders(&app, 3).await;
    park(&app, "id <= 2").await;
    let mut browser = Browser::signed_in(&app, Role::Manager).await;
    let jobs = browser.get("/admin/jobs/").await.expect(200);
    assert!(jobs.text.contains("order.confirmed"), "{}", jobs.text);
    let sql = app.database.sql().await;
    let first: i64 = sql.query_one("SELECT min(id) FROM outbox", &[]).await.unwrap().get(0);
    let first = first.to_string();
    let discard = [("action", "discard"), ("id", &*first), ("sure", "yes"), ("back", "/admin/jobs/")];
    browser.act("/admin/jobs/bulk/", &discard).await.expect(303);
    let states = "SELECT string_agg(state, ' ' ORDER BY order_id) FROM confirmations";
    let states = async || sql.query_one(states, &[]).await.unwrap().get::<_, String>(0);
    assert_eq!(states().await, "failed pending pending");
    assert_eq!(walk(&mut browser, "/admin/confirmations/?state=failed", "orders").await, [2, 1]);
    assert_eq!(walk(&mut browser, "/admin/confirmations/?state=pending", "orders").await, [3]);
    let dashboard = browser.get("/admin/").await.expect(200);
    let failed = app.get("/orders/1/").await.expect(200);
    assert_eq!(failed["confirmation"]["state"], "failed", "{failed}");
    assert!(dashboard.text.contains(">pending</a> <strong>1<"), "{}", dashboard.text);
    assert!(dashboard.text.contains(">failed</a> <strong>2<"), "{}", dashboard.text);
    browser.act("/admin/orders/1/resend/", &[]).await.expect(303);
    assert_eq!(states().await, "pending pending pending");
    assert_eq!(walk(&mut browser, "/admin/confirmations/?state=failed", "orders").await, [2]);
}

#[tokio::test]
async fn whoever_goes_back_to_rows_that_are_gone_misses_none_on_the_way_on() {
    let app = TestApp::start().await;
    orders(&app, 120).await;
    let mut browser = Browser::signed_in(&app, Role::Viewer).await;
    let sql = app.database.sql().await;
    let first = browser.get("/admin/confirmations/?state=unsent&sort=placed").await.expect(200);
    assert_eq!(numbers(&first.text, "orders"), (1..=50).collect::<Vec<_>>());
    let second = browser.get(&first.link("next").unwrap()).await.expect(200);
    assert_eq!(numbers(&second.text, "orders"), (51..=100).collect::<Vec<_>>());
    let told = "UPDATE confirmations SET state = 'sent', sent_at = now() WHERE order_id <= 50";
    sql.batch_execute(told).await.unwrap();
    let back = browser.get(&second.link("prev").unwrap()).await.expect(200);
    assert!(numbers(&back.text, "orders").is_empty(), "{}", back.text);
    let on = browser.get(&back.link("next").unwrap()).await.expect(200);
    assert_eq!(numbers(&on.text, "orders"), (51..=100).collect::<Vec<_>>());
}
