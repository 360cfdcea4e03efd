//! What people with a grudge put into forms, and forms that were opened long ago.

use accounts::{Accounts, Actor, Config, Email, Role};
use admin::ROUTES;
use db::Clock;
use testkit::TestApp;

use crate::browser::{Browser, hire};

/// Ends an attribute and an element, and begins another.
const HOSTILE: &str = "\"'></textarea></title><img src=x onerror=alert(1)>";

/// Everything that holds a text holds that one.
async fn fill(app: &TestApp) {
    let fill = format!(
        "INSERT INTO categories (name) VALUES ($${HOSTILE}$$);
         INSERT INTO stores (name, location) VALUES ($${HOSTILE}$$, $${HOSTILE}$$);
         INSERT INTO products (sku, title, description, category_id, price) VALUES ($${HOSTILE}$$, $${HOSTILE}$$, $${HOSTILE}$$, 1, 1);
         INSERT INTO inventory VALUES (1, 1, 3);
         INSERT INTO stock_adjustments (store_id, product_id, delta, reason, actor) VALUES (1, 1, 3, $${HOSTILE}$$, $${HOSTILE}$$);
         INSERT INTO orders (store_id, status, customer_email) VALUES (1, 'CONFIRMED', $$\"'><img/src=x/onerror=alert(1)>@x$$);
         INSERT INTO order_items (store_id, order_id, line, product_id, quantity_requested, unit_price) VALUES (1, 1, 1, 1, 1, 1);
         INSERT INTO confirmations (store_id, order_id) VALUES (1, 1);
         INSERT INTO outbox (store_id, kind, payload, failures, last_error, parked_at)
             VALUES (1, 'order.confirmed', jsonb_build_object('order_id', 1, 'x', $${HOSTILE}$$), 8, $${HOSTILE}$$, now()),
                    (1, $${HOSTILE}$$, jsonb_build_object('x', $${HOSTILE}$$), 8, $${HOSTILE}$$, now());
         INSERT INTO staff (email, password_hash) VALUES ($${HOSTILE}@x$$, '$argon2id$');
         INSERT INTO tokens (staff_id, name, prefix, secret_hash, scopes)
             VALUES (1, $${HOSTILE}$$, 'sr_', sha256('x'), ARRAY[$${HOSTILE}$$]);
         INSERT INTO audit_log (actor, action, object_kind, object_id, before, after, request_id)
             SELECT $${HOSTILE}$$, $${HOSTILE}$$, kind, CASE kind WHEN 'inventory' THEN '1/1' ELSE '1' END,
                    jsonb_build_object($${HOSTILE}$$, $${HOSTILE}$$), jsonb_build_object($${HOSTILE}$$, 1), $${HOSTILE}$$
             FROM unnest(ARRAY['category', 'product', 'store', 'inventory', 'order', 'staff', 'token', 'job']) AS kind"
    );
    app.database.sql().await.batch_execute(&fill).await.unwrap();
}

#[tokio::test]
async fn what_people_write_is_shown_and_never_obeyed() {
    let app = TestApp::start().await;
    let mut browser = Browser::signed_in(&app, Role::Owner).await;
    fill(&app).await;
    let hostile: String = url::form_urlencoded::byte_serialize(HOSTILE.as_bytes()).collect();
    let mut shown = 0;
    for (method, path, _) in ROUTES.iter().filter(|(_, path, _)| !path.contains("/assets/")) {
        if *method != "GET" {
            continue;
        }
        let path =
            ["{id}", "{store}", "{product}"].iter().fold((*path).to_owned(), |path, name| path.replace(name, "1"));
        for query in [
            String::new(),
            format!(
                "?q={hostile}&kind={hostile}&sort={hostile}&back={hostile}&next={hostile}&done={hostile}&actor={hostile}&after={hostile}"
            ),
        ] {
            let page = browser.get(&format!("{path}{query}")).await;
            assert!(page.status.as_u16() < 500, "{path}{query}: {}", page.text);
            if path.ends_with(".csv") {
                continue;
            }
            assert!(
                !page.text.contains("<img src=x") && !page.text.contains("<img/src"),
                "{path}{query}: {}",
                page.text
            );
            shown += usize::from(page.text.contains("onerror=alert"));
        }
    }
    assert!(shown > 20, "it was shown on {shown} pages");
}

#[tokio::test]
async fn a_form_of_long_ago_does_not_let_somebody_in_again() {
    let app = TestApp::start().await;
    let mut browser = Browser::signed_in(&app, Role::Owner).await;
    let email = hire(&app, Role::Manager).await;
    let accounts = Accounts::new(app.database.handle(), Clock::system(), Config::default());
    let bob = accounts.find_staff(&Email::parse(&email).unwrap()).await.unwrap();
    let path = format!("/admin/staff/{}/", bob.id);
    let page = browser.get(&path).await.expect(200);
    let (csrf, seen) = (page.hidden("csrf"), page.hidden("seen"));
    // Meanwhile another owner disables the account.
    accounts.disable_staff(Actor::program("test"), bob.id).await.unwrap();
    let fields = [("csrf", csrf.as_str()), ("seen", &seen), ("role", "viewer"), ("state", "active")];
    let refused = browser.submit(&path, &fields).await.expect(422);
    assert!(refused.text.contains("Somebody else changed this account"), "{}", refused.text);
    let now = accounts.find_staff(&Email::parse(&email).unwrap()).await.unwrap();
    assert!(now.disabled_at.is_some() && now.role == Role::Manager);
    // Who sees how it is may do so.
    let page = browser.get(&path).await.expect(200);
    let (csrf, seen) = (page.hidden("csrf"), page.hidden("seen"));
    let fields = [("csrf", csrf.as_str()), ("seen", &seen), ("role", "viewer"), ("state", "active")];
    browser.submit(&path, &fields).await.expect(303);
    let now = accounts.find_staff(&Email::parse(&email).unwrap()).await.unwrap();
    assert!(now.disabled_at.is_none() && now.role == Role::Viewer);
}
