//! Lists in other orders than the usual one.

use accounts::Role;
use testkit::TestApp;

use crate::browser::Browser;
use crate::lists::{numbers, walk};

#[tokio::test]
async fn staff_come_by_what_is_shown_of_them() {
    let app = TestApp::start().await;
    let mut browser = Browser::signed_in(&app, Role::Owner).await;
    let made = "
        INSERT INTO staff (email, role, password_hash, last_sign_in_at, created_at)
            SELECT 'm' || lpad((200 - n)::text, 3, '0') || '@shop.example', CASE n % 2 WHEN 0 THEN 'viewer' ELSE 'manager' END,
                   '$argon2id$', CASE WHEN n <= 60 THEN timestamptz '2026-01-01 00:00Z' + n * interval '1 hour' END,
                   timestamptz '2026-01-10 00:00Z' + n * interval '1 day'
            FROM generate_series(2, 120) AS n";
    app.database.sql().await.batch_execute(made).await.unwrap();
    let list =
        async |browser: &mut Browser<'_>, asked: &str| walk(browser, &format!("/admin/staff/?{asked}"), "staff").await;
    let ascending: Vec<i64> = (2..=120).collect();
    let by_email = list(&mut browser, "q=m1").await;
    assert!(by_email.is_sorted_by(|one, other| one > other) && by_email.len() == 99, "{by_email:?}");
    assert_eq!(list(&mut browser, "sort=made&q=shop").await[..119], ascending);
    let descending = list(&mut browser, "sort=-made").await;
    assert!(descending[0] == 1 && descending[1..].iter().rev().eq(&ascending), "{descending:?}");
    // Who never signed in comes last, whichever way.
    let latest = list(&mut browser, "sort=-signed-in").await;
    assert_eq!((latest.len(), latest[0], latest[1], latest[59]), (120, 1, 60, 2));
    let earliest = list(&mut browser, "sort=signed-in").await;
    assert_eq!((earliest[0], earliest[58], earliest[59]), (2, 60, 1));
    let roles = list(&mut browser, "sort=role&q=shop").await;
    assert_eq!((roles.len(), roles[0]), (120, 120), "viewers first, by their addresses: {roles:?}");
}

#[tokio::test]
async fn tokens_come_by_what_is_shown_of_them() {
    let app = TestApp::start().await;
    let mut browser = Browser::signed_in(&app, Role::Owner).await;
    let made = "
        INSERT INTO tokens (staff_id, name, prefix, secret_hash, scopes, expires_at, last_used_at, created_at)
            SELECT 1, 'token ' || lpad((500 - n)::text, 3, '0'), 'sr_', sha256(n::text::bytea), '{orders:read}',
                   CASE WHEN n % 2 = 0 THEN timestamptz '2099-01-01 00:00Z' + n * interval '1 day' END,
                   CASE WHEN n % 3 = 0 THEN timestamptz '2026-01-01 00:00Z' + n * interval '1 day' END,
                   timestamptz '2026-01-10 00:00Z' + n * interval '1 day'
            FROM generate_series(1, 90) AS n";
    app.database.sql().await.batch_execute(made).await.unwrap();
    let list = async |browser: &mut Browser<'_>, asked: &str| {
        walk(browser, &format!("/admin/tokens/?{asked}"), "tokens").await
    };
    let ascending: Vec<i64> = (1..=90).collect();
    assert!(list(&mut browser, "").await.iter().rev().eq(&ascending));
    assert_eq!(list(&mut browser, "sort=id").await, ascending);
    assert!(list(&mut browser, "sort=name").await.iter().rev().eq(&ascending));
    let ends = list(&mut browser, "sort=expires").await;
    assert_eq!((ends[0], ends[1], ends[44]), (2, 4, 90), "what never ends comes last: {ends:?}");
    let used = list(&mut browser, "sort=-used").await;
    assert_eq!((used[0], used[1], used[29], used.len()), (90, 87, 3, 90), "{used:?}");
}

#[tokio::test]
async fn categories_and_stores_come_by_name_or_number_both_ways() {
    let app = TestApp::start().await;
    let made = "
        INSERT INTO categories (name) SELECT 'Kind ' || lpad((900 - n)::text, 3, '0') FROM generate_series(1, 130) AS n;
        INSERT INTO stores (name) SELECT 'Shop ' || (200 - n) / 10 FROM generate_series(1, 130) AS n";
    app.database.sql().await.batch_execute(made).await.unwrap();
    let mut browser = Browser::signed_in(&app, Role::Viewer).await;
    let ascending: Vec<i64> = (1..=130).collect();
    let descending: Vec<i64> = (1..=130).rev().collect();
    for (asked, expected) in
        [("", &descending), ("sort=-name", &ascending), ("sort=id", &ascending), ("sort=-id", &descending)]
    {
        let found = walk(&mut browser, &format!("/admin/categories/?{asked}"), "categories").await;
        assert_eq!(found, *expected, "{asked}");
    }
    for (asked, expected) in [("sort=id", &ascending), ("sort=-id", &descending)] {
        assert_eq!(walk(&mut browser, &format!("/admin/stores/?{asked}"), "stores").await, *expected, "{asked}");
    }
    // Several have the same name; of those, the number decides.
    let by_name = walk(&mut browser, "/admin/stores/", "stores").await;
    assert_eq!(by_name[..3], [91, 92, 93], "{by_name:?}");
    let mut turned = walk(&mut browser, "/admin/stores/?sort=-name", "stores").await;
    turned.reverse();
    assert_eq!(turned, by_name);
    let narrowed = walk(&mut browser, "/admin/categories/?q=kind+85&sort=-id", "categories").await;
    assert_eq!(narrowed, [50, 49, 48, 47, 46, 45, 44, 43, 42, 41]);
    let page = browser.get("/admin/categories/?sort=-id").await.expect(200);
    assert!(page.text.contains("aria-sort=\"descending\"") && page.text.contains("sort=id"), "{}", page.text);
}

#[tokio::test]
async fn confirmations_and_the_audit_log_come_the_oldest_first_too() {
    let app = TestApp::start().await;
    app.build().await.fill(3, 1).await;
    let made = "
        INSERT INTO orders (store_id, status, total_items, total_price, created_at)
            SELECT n % 3 + 1, 'CONFIRMED', 1, 1, timestamptz '2026-02-01 00:00Z' + (n / 4) * interval '1 second'
            FROM generate_series(1, 130) AS n;
        INSERT INTO confirmations (store_id, order_id, created_at) SELECT store_id, id, created_at FROM orders;
        INSERT INTO audit_log (actor, action, object_kind, object_id, created_at)
            SELECT CASE WHEN n % 3000 = 0 THEN 'Rare' ELSE 'till' END, 'change', 'product', n::text,
                   timestamptz '2026-02-01 00:00Z' + n * interval '1 second' FROM generate_series(1, 12000) AS n";
    app.database.sql().await.batch_execute(made).await.unwrap();
    let mut browser = Browser::signed_in(&app, Role::Manager).await;
    let ascending: Vec<i64> = (1..=130).collect();
    for asked in ["sort=placed", "sort=placed&state=unsent", "sort=placed&state=pending"] {
        assert_eq!(walk(&mut browser, &format!("/admin/confirmations/?{asked}"), "orders").await, ascending, "{asked}");
    }
    let rare = walk(&mut browser, "/admin/audit/?who=rare&sort=id", "products").await;
    assert_eq!(rare, [3_000, 6_000, 9_000, 12_000]);
    let first = browser.get("/admin/audit/?kind=product&sort=id").await.expect(200);
    assert_eq!(numbers(&first.text, "products")[..3], [1, 2, 3]);
}
