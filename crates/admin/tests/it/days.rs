//! Short lists narrowed to the days on which their rows were made.

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
