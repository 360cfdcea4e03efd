//! Lists narrowed to the days on which their rows were made.

use accounts::Role;
use testkit::TestApp;

use crate::browser::Browser;
use crate::lists::walk;

#[tokio::test]
async fn staff_and_tokens_are_narrowed_to_days() {
    let app = TestApp::start().await;
    let mut browser = Browser::signed_in(&app, Role::Owner).await;
    let made = "
        INSERT INTO staff (email, role, password_hash, created_at)
            SELECT 'm' || lpad(n::text, 3, '0') || '@shop.example', 'viewer', '$argon2id$',
                   timestamptz '2026-01-10 00:00:00Z' + n * interval '12 hours' FROM generate_series(2, 120) AS n;
        INSERT INTO tokens (staff_id, name, prefix, secret_hash, scopes, created_at)
            SELECT 1, 'token', 'sr_', sha256(n::text::bytea), '{orders:read}',
                   timestamptz '2026-01-10 00:00:00Z' + n * interval '12 hours' FROM generate_series(1, 120) AS n";
    app.database.sql().await.batch_execute(made).await.unwrap();
    for (list, asked, expected) in [
        // Both days belong to the span, to their last moment.
        ("staff", "from=2026-01-12&to=2026-01-13", vec![4, 5, 6, 7]),
        ("staff", "to=2026-01-11", vec![2, 3]),
        ("staff", "from=2026-03-09&q=m", vec![116, 117, 118, 119, 120, 1]),
        ("staff", "from=2026-01-13&to=2026-01-12", Vec::new()),
        ("tokens", "from=2026-01-12&to=2026-01-13", vec![7, 6, 5, 4]),
        ("tokens", "to=2026-01-11&state=active", vec![3, 2, 1]),
        ("tokens", "to=2026-01-11&state=revoked", Vec::new()),
        ("tokens", "from=soon&to=2026-01-10", vec![1]),
    ] {
        let found = walk(&mut browser, &format!("/admin/{list}/?{asked}"), list).await;
        assert_eq!(found, expected, "{list} {asked}");
    }
    let page = browser.get("/admin/tokens/?from=2026-01-12&to=2026-01-12").await.expect(200);
    assert!(page.text.contains("2026-01-12 12:00:00") && page.text.contains("Made from"), "{}", page.text);
    let export = browser.get("/admin/staff/export.csv?from=2026-01-12&to=2026-01-13").await.expect(200);
    assert_eq!(export.text.lines().count(), 5);
}

#[tokio::test]
async fn products_are_narrowed_to_days() {
    let app = TestApp::start().await;
    let mut browser = Browser::signed_in(&app, Role::Viewer).await;
    // Three were made at each moment; every fourth is tea. The ids go against the days.
    let made = "
        INSERT INTO categories (name) VALUES ('Tea'), ('Rest');
        INSERT INTO products (title, category_id, price, created_at)
            SELECT 'Product ' || n, CASE WHEN n % 4 = 0 THEN 1 ELSE 2 END, 1,
                   timestamptz '2026-01-10 00:00:00Z' + (130 - n) / 3 * interval '12 hours'
            FROM generate_series(1, 130) AS n";
    app.database.sql().await.batch_execute(made).await.unwrap();
    let tea = |ids: Vec<i64>| ids.into_iter().filter(|id| id % 4 == 0).collect::<Vec<_>>();
    let by_day = |days: std::ops::Range<i64>| {
        let mut ids: Vec<i64> = (1..=130).filter(|id| days.contains(&((130 - id) / 3 / 2))).collect();
        ids.sort_by_key(|id| ((130 - id) / 3, *id));
        ids
    };
    let newest = |days| by_day(days).into_iter().rev().collect::<Vec<_>>();
    for (asked, expected) in [
        ("sort=made", by_day(0..30)),
        ("sort=-made", newest(0..30)),
        ("sort=made&category=1", tea(by_day(0..30))),
        ("from=2026-01-12&to=2026-01-24", newest(2..15)),
        ("from=2026-01-12&to=2026-01-24&sort=made", by_day(2..15)),
        ("from=2026-01-12&to=2026-01-13&sort=title", newest(2..4)),
        ("from=2026-01-12&category=1", tea(newest(2..30))),
        ("to=2026-01-30&category=1&sort=made", tea(by_day(0..21))),
        ("from=2026-01-13&to=2026-01-12", Vec::new()),
        ("from=2027-01-01", Vec::new()),
    ] {
        let found = walk(&mut browser, &format!("/admin/products/?{asked}"), "products").await;
        assert_eq!(found, expected, "{asked}");
    }
    // A place outside the days leads to their edge.
    let micros = 1_600_000_000_000_000_i64;
    let page = browser.get(&format!("/admin/products/?from=2026-01-12&sort=made&after=7:{micros}")).await.expect(200);
    assert!(page.text.contains("2026-01-12 00:00:00") && !page.text.contains("2026-01-11"), "{}", page.text);
    let page = browser.get("/admin/products/?from=2026-01-12&after=7:soon").await.expect(200);
    assert!(!page.text.contains("2026-01-11"), "{}", page.text);
    let both = browser.get("/admin/products/?from=2026-01-12&q=tea").await.expect(400);
    assert!(both.text.contains("Leave out the words, or the days."), "{}", both.text);
    let export = browser.get("/admin/products/export.csv?from=2026-01-12&to=2026-01-13").await.expect(200);
    assert_eq!(export.text.lines().count(), 13);
}
