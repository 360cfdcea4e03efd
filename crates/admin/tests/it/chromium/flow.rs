//! A day of staff, with scripts and without.

use accounts::Role;
use db::Clock;
use orders::events::OrderConfirmed;
use orders::reactions;
use serde_json::json;
use testkit::TestApp;

use super::{Chromium, Window};
use crate::browser::{PASSWORD, hire};

async fn sign_in(browser: &Chromium, email: &str) {
    browser.goto("/admin/").await;
    browser.arrives("/admin/sign-in/").await;
    browser.fill("#email", email).await;
    browser.fill("#password", PASSWORD).await;
    browser.click("Sign in").await;
    browser.arrives("/admin/").await;
    browser.says("Orders today").await;
}

async fn order(app: &TestApp, quantity: i64) {
    let body = json!({"store_id": 1, "items": [{"product_id": 1, "quantity_requested": quantity}]});
    assert_eq!(app.post("/orders/", &body).await.expect(201)["status"], "CONFIRMED");
}

/// What the worker does about the oldest confirmed order, here.
async fn confirm(app: &TestApp) {
    let sql = app.database.sql().await;
    let oldest = "SELECT payload::text FROM outbox WHERE kind = 'order.confirmed' ORDER BY id LIMIT 1";
    let event: OrderConfirmed = serde_json::from_str(sql.query_one(oldest, &[]).await.unwrap().get(0)).unwrap();
    let confirming = reactions::confirm(&app.database.handle(), &Clock::system(), &event, 1).await.unwrap();
    confirming.unwrap().told("test").await.unwrap();
    sql.batch_execute("DELETE FROM outbox WHERE kind = 'order.confirmed'").await.unwrap();
}

/// Two categories are made one after the other, one of them is deleted; of two products both, at once.
async fn make_and_delete(app: &TestApp, browser: &Chromium) {
    browser.goto("/admin/categories/new/").await;
    browser.fill("#i-name", "Short-lived").await;
    browser.click("Save and add another").await;
    browser.arrives("/admin/categories/new/?done=created").await;
    browser.says("Created.").await;
    browser.fill("#i-name", "Kitchen").await;
    browser.click("Save").await;
    browser.arrives("/admin/categories/?").await;
    browser.click("Short-lived").await;
    browser.click("Delete").await;
    browser.says("No product is filed under it.").await;
    browser.click("Delete the category").await;
    browser.arrives("/admin/categories/?done=deleted").await;
    browser.says("Deleted.").await;
    let build = app.build().await;
    let (one, other) = (build.product("A bowl", "Kitchen", "4").await, build.product("B bowl", "Kitchen", "5").await);
    browser.goto("/admin/products/?sort=-title").await;
    for id in [one, other] {
        browser.find(&format!("td.pick input[value='{id}']")).await.click().await.unwrap();
    }
    browser.click("Delete products").await;
    browser.says("2 rows selected").await;
    browser.click("Delete products (2)").await;
    browser.arrives("/admin/products/?sort=-title&done=bulk").await;
    browser.says("Done, for 2.").await;
    app.get(&format!("/products/{other}/")).await.expect(404);
}

async fn work_a_day(window: Window) {
    let app = TestApp::start().await;
    let email = hire(&app, Role::Manager).await;
    let browser = Chromium::open(app.base(), window).await;
    sign_in(&browser, &email).await;

    browser.goto("/admin/categories/").await;
    browser.click("New category").await;
    browser.fill("#i-name", "Tea").await;
    browser.click("Save").await;
    browser.arrives("/admin/categories/?").await;
    browser.says("Created.").await;

    browser.goto("/admin/products/").await;
    browser.click("New product").await;
    browser.fill("#i-title", "Smoked oolong").await;
    browser.choose("#i-category_id", "Tea").await;
    browser.fill("#i-price", "12.505").await;
    browser.click("Save").await;
    browser.find("#price-fault").await;
    assert_eq!(browser.find("#i-title").await.prop("value").await.unwrap().unwrap(), "Smoked oolong");
    browser.fill("#i-price", "12.50").await;
    browser.click("Save and continue").await;
    browser.arrives("/admin/products/1/?").await;
    app.search_catches_up().await;
    let found = app.get("/api/search/products/?q=oolong").await.expect(200);
    assert_eq!(found["results"][0]["title"], "Smoked oolong");
    browser.goto("/admin/products/").await;
    browser.fill("#f-q", "oolnog").await;
    browser.click("Show").await;
    browser.arrives("/admin/products/?q=oolnog").await;
    browser.says("Smoked oolong").await;
    // The box that selects every row is a script's; so this tells whether scripts run.
    assert_eq!(browser.find("input.all").await.is_displayed().await.unwrap(), window.runs_scripts);

    browser.goto("/admin/stores/new/").await;
    browser.fill("#i-name", "Harbour").await;
    browser.click("Save").await;
    browser.arrives("/admin/stores/?").await;
    browser.goto("/admin/products/1/").await;
    browser.choose("#jump", "Harbour").await;
    browser.click("Open").await;
    browser.arrives("/admin/inventory/1/1/").await;
    browser.fill("#quantity", "40").await;
    browser.fill("#reason", "receipt").await;
    browser.click("Save").await;
    browser.arrives("/admin/inventory/?").await;
    browser.says("The stock is changed.").await;

    order(&app, 3).await;
    browser.goto("/admin/orders/").await;
    browser.says("CONFIRMED").await;
    browser.find("td a[href^='/admin/orders/1/']").await.click().await.unwrap();
    browser.arrives("/admin/orders/1/").await;
    for words in ["Smoked oolong", "37.50", "-3", "pending"] {
        browser.says(words).await;
    }
    confirm(&app).await;
    browser.goto("/admin/orders/1/?back=%2Fadmin%2Forders%2F%3Fstatus%3DCONFIRMED").await;
    browser.says("sent").await;
    browser.says("Attempts").await;
    browser.says("Sent (UTC)").await;
    browser.click("Cancel order").await;
    browser.click("Yes, cancel it").await;
    browser.arrives("/admin/orders/1/?done=cancelled").await;
    browser.says("CANCELLED").await;
    browser.says(&email).await;
    browser.click("Orders").await;
    browser.arrives("/admin/orders/?status=CONFIRMED").await;
    make_and_delete(&app, &browser).await;

    refuse_what_is_stale(&app, &browser).await;

    browser.goto("/admin/inventory/1/1/").await;
    for words in ["receipt", "+40", "CANCELLED", &email] {
        browser.says(words).await;
    }
    browser.goto("/admin/products/1/").await;
    browser.says(&format!("create by {email}")).await;
    browser.find("form.who button").await.click().await.unwrap();
    browser.arrives("/admin/sign-in/").await;
    browser.goto("/admin/orders/").await;
    browser.arrives("/admin/sign-in/?next=").await;
    assert_eq!(browser.complaints().await, [""; 0]);
}

/// A count that was opened before a sale and is saved after it: from the list, and from the page of the stock.
async fn refuse_what_is_stale(app: &TestApp, browser: &Chromium) {
    browser.goto("/admin/inventory/?store=1&most=1000").await;
    browser.find("details.adjust summary").await.click().await.unwrap();
    browser.fill("details.adjust input[name=quantity]", "41").await;
    browser.fill("details.adjust input[name=reason]", "recount").await;
    order(app, 2).await;
    browser.click("Save").await;
    browser.says("There were 40 units when you opened the page, and there are 38 now.").await;
    // The page has the new number; what was typed is still there. Another sale, and that is stale in turn.
    order(app, 1).await;
    browser.click("Save").await;
    browser.says("There were 38 units when you opened the page, and there are 37 now.").await;
    browser.fill("#quantity", "39").await;
    browser.click("Save").await;
    browser.arrives("/admin/inventory/?store=1&most=1000&done=stock").await;
    let stock = app.get("/stores/1/inventory/").await.expect(200);
    assert_eq!(stock["results"][0]["quantity"], 39);
}

#[tokio::test]
async fn a_day_of_staff_with_scripts() {
    work_a_day(Window::DESK).await;
}

#[tokio::test]
async fn a_day_of_staff_without_scripts() {
    work_a_day(Window::PLAIN).await;
}

#[tokio::test]
async fn what_is_typed_runs_nowhere() {
    let app = TestApp::start().await;
    let build = app.build().await;
    let script = "<script>alert(1)</script>";
    let id = build.product(script, "\"><img src=x onerror=alert(2)>", "1").await;
    let store = build.store("</title><svg onload=alert(3)>").await;
    build.stock(store, id, 1).await;
    let email = hire(&app, Role::Owner).await;
    let browser = Chromium::open(app.base(), Window::DESK).await;
    sign_in(&browser, &email).await;
    order(&app, 1).await;
    for path in [
        "/admin/",
        "/admin/products/",
        "/admin/products/1/",
        "/admin/products/1/delete/",
        "/admin/categories/",
        "/admin/stores/1/",
        "/admin/inventory/?store=1",
        "/admin/inventory/1/1/",
        "/admin/orders/1/",
        "/admin/products/?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
    ] {
        browser.goto(path).await;
        assert!(browser.client.get_alert_text().await.is_err(), "{path}");
        let planted = browser
            .client
            .execute("return document.querySelectorAll('main script, main img, main svg[onload]').length", vec![]);
        assert_eq!(planted.await.unwrap(), 0, "{path}");
    }
    browser.goto("/admin/products/1/").await;
    browser.says(script).await;
    assert_eq!(browser.complaints().await, [""; 0]);
}
