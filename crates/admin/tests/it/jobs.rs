//! Parked jobs: both ways through their list, and all that match at once.

use accounts::Role;
use chrono::TimeDelta;
use db::Clock;
use testkit::TestApp;

use crate::browser::{Browser, Page};

/// So many jobs of this kind that were given up so many days ago.
async fn park(app: &TestApp, kind: &str, many: i64, days: i64) {
    let parked = format!(
        "INSERT INTO outbox (store_id, kind, payload, failures, last_error, parked_at)
             SELECT 1, '{kind}', jsonb_build_object('order_id', n), 8, 'smtp', now() - {days} * interval '1 day'
             FROM generate_series(1, {many}) AS n"
    );
    app.database.sql().await.batch_execute(&parked).await.unwrap();
}

/// The numbers of the rows of a page.
fn rows(page: &Page) -> Vec<i64> {
    let cells = page.text.split("<td data-label=\"Job\" class=\"number\">").skip(1);
    cells.map(|rest| rest.split('<').next().unwrap().trim().parse().unwrap()).collect()
}

/// Every row, page by page to the end and back again.
async fn walk(browser: &mut Browser<'_>, first: &str) -> Vec<i64> {
    let (mut page, mut all) = (browser.get(first).await.expect(200), Vec::new());
    let last = loop {
        all.extend(rows(&page));
        match page.link("next") {
            Some(next) => page = browser.get(&next).await.expect(200),
            None => break rows(&page),
        }
    };
    let mut again = last;
    while let Some(previous) = page.link("prev") {
        page = browser.get(&previous).await.expect(200);
        again.splice(0..0, rows(&page));
    }
    assert_eq!(again, all, "on the way back");
    all
}

async fn count(app: &TestApp, what: &str) -> i64 {
    app.database.sql().await.query_one(&format!("SELECT count(*) FROM {what}"), &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn the_list_is_walked_both_ways_and_narrowed() {
    let app = TestApp::start().await;
    park(&app, "order.confirmed", 130, 9).await;
    park(&app, "order.decided", 5_500, 2).await;
    park(&app, "order.cancelled", 60, 0).await;
    let mut browser = Browser::signed_in(&app, Role::Viewer).await;
    let confirmed: Vec<i64> = (1..=130).collect();
    assert_eq!(walk(&mut browser, "/admin/jobs/?kind=order.confirmed").await, confirmed);
    let newest = walk(&mut browser, "/admin/jobs/?kind=order.confirmed&sort=-id").await;
    assert!(newest.iter().rev().eq(&confirmed), "{newest:?}");
    // More lie between than one page looks at.
    let cancelled: Vec<i64> = (5_631..=5_690).collect();
    assert_eq!(walk(&mut browser, "/admin/jobs/?kind=order.cancelled").await, cancelled);
    assert_eq!(walk(&mut browser, &format!("/admin/jobs/?to={}", day(5))).await, confirmed);
    assert_eq!(walk(&mut browser, &format!("/admin/jobs/?from={}", day(1))).await, cancelled);
    let none = format!("/admin/jobs/?kind=order.confirmed&from={}", day(1));
    assert!(walk(&mut browser, &none).await.is_empty());
}

/// The day so many days ago, as an address has it.
fn day(ago: i64) -> String {
    (Clock::system().now() - TimeDelta::days(ago)).format("%Y-%m-%d").to_string()
}

#[tokio::test]
async fn all_that_match_are_redriven_or_discarded_after_a_question() {
    let app = TestApp::start().await;
    park(&app, "order.confirmed", 620, 0).await;
    park(&app, "order.decided", 3, 0).await;
    let mut browser = Browser::signed_in(&app, Role::Manager).await;
    let list = browser.get("/admin/jobs/?kind=order.confirmed").await.expect(200);
    assert!(list.text.contains("With all that match, on every page:"), "{}", list.text);
    let chosen = [
        ("all", "redrive"),
        ("match", &*list.hidden("match").replace("&#61;", "=").replace("&amp;", "&")),
        ("back", "/admin/jobs/?kind=order.confirmed"),
    ];
    let asked = browser.act("/admin/jobs/bulk/", &chosen).await.expect(200);
    assert!(asked.text.contains("620 rows match: Redrive") && asked.text.contains("Redrive (620)"), "{}", asked.text);
    assert_eq!(count(&app, "outbox WHERE parked_at IS NULL").await, 0, "nobody is sure yet");
    // What is given up after the question was not counted, so it is not taken.
    park(&app, "order.confirmed", 1, 0).await;
    let seen = asked.hidden("seen");
    let sure = [&chosen[..], &[("sure", "yes"), ("seen", &seen)]].concat();
    let done = browser.act("/admin/jobs/bulk/", &sure).await.expect(303);
    assert_eq!(done.location(), "/admin/jobs/?kind=order.confirmed&done=bulk&count=620");
    assert_eq!(count(&app, "outbox WHERE parked_at IS NULL AND failures = 0").await, 620);
    assert_eq!(count(&app, "outbox WHERE parked_at IS NOT NULL").await, 4);
    let logged = "audit_log WHERE object_kind = 'job' AND action = 'redrive' AND actor = 'manager@shop.example'";
    assert_eq!(count(&app, logged).await, 620);

    // Without a filter that is every one.
    let asked = browser.act("/admin/jobs/bulk/", &[("all", "discard"), ("match", "")]).await.expect(200);
    assert!(asked.text.contains("4 rows match: Discard"), "{}", asked.text);
    let seen = asked.hidden("seen");
    let sure = [("all", "discard"), ("match", ""), ("sure", "yes"), ("seen", &seen)];
    browser.act("/admin/jobs/bulk/", &sure).await.expect(303);
    assert_eq!(count(&app, "outbox").await, 620);
    let none = browser.act("/admin/jobs/bulk/", &[("all", "discard"), ("match", "")]).await.expect(303);
    assert_eq!(none.location(), "/admin/jobs/", "there is nothing to ask about");
    // Where nobody says what was seen, the question comes first; and no other list has such an action.
    park(&app, "order.confirmed", 1, 0).await;
    browser.act("/admin/jobs/bulk/", &[("all", "discard"), ("match", ""), ("sure", "yes")]).await.expect(200);
    assert_eq!(count(&app, "outbox WHERE parked_at IS NOT NULL").await, 1);
    let products = browser.act("/admin/products/bulk/", &[("all", "delete"), ("match", "")]).await.expect(303);
    assert_eq!(products.location(), "/admin/products/");
}
