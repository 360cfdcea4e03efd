//! Pictures of every page, and what can be said of them without looking.

use accounts::Role;
use serde_json::{Value, json};
use testkit::TestApp;

use super::{Chromium, Window};
use crate::browser::{PASSWORD, hire};

/// What is wrong with a page: what sticks out at the side, fields that no label tells of, headings and marks that
/// readers of a screen go by.
const FAULTS: &str = "
    const faults = [];
    const root = document.documentElement;
    if (root.scrollWidth > root.clientWidth) faults.push(`wider than the window by ${root.scrollWidth - root.clientWidth}`);
    for (const field of document.querySelectorAll('input:not([type=hidden]), select, textarea'))
        if (!field.labels.length && !field.ariaLabel) faults.push(`no label: ${field.outerHTML}`);
    if (document.querySelectorAll('h1').length !== 1) faults.push('not one h1');
    if (document.querySelectorAll('main').length !== 1) faults.push('not one main');
    if (!document.title || !root.lang) faults.push('no title or language');
    const ids = [...document.querySelectorAll('[id]')].map((element) => element.id);
    for (const id of ids) if (ids.filter((other) => other === id).length > 1) faults.push(`twice: ${id}`);
    return faults;";

/// A shop with something on every page.
async fn shop() -> TestApp {
    let app = TestApp::start().await;
    let build = app.build().await;
    let titles = [
        "Smoked oolong",
        "Green tea, 100 g",
        "Enamel mug, ocean blue, with a very long name that has to break somewhere",
    ];
    for name in ["Harbour", "Old town"] {
        build.store(name).await;
    }
    for (number, title) in titles.into_iter().enumerate() {
        let id = build.product(title, if number < 2 { "Tea" } else { "Kitchen" }, "12.50").await;
        build.stock(1, id, [3, 40, 12][number]).await;
    }
    build.fill(2, 60).await;
    let order = async |product: i64, quantity: i64| {
        let items = json!([{"product_id": product, "quantity_requested": quantity}, {"product_id": 3, "quantity_requested": 1}]);
        app.post("/orders/", &json!({"store_id": 1, "items": items})).await.expect(201);
    };
    for number in 0..9 {
        order(number % 2 + 1, if number == 4 { 90 } else { 1 }).await;
    }
    app.database
        .sql()
        .await
        .batch_execute(
            "UPDATE orders SET created_at = created_at - (id % 5) * interval '3 days'; \
             UPDATE outbox SET parked_at = now(), failures = 8, last_error = 'the mail server said 550' WHERE (payload->>'order_id')::bigint % 3 = 0; \
             UPDATE confirmations SET state = 'sent', sent_at = now(), attempts = 1 WHERE order_id % 3 = 1",
        )
        .await
        .unwrap();
    app.search_catches_up().await;
    app
}

/// Every page, and what its picture is called.
const PAGES: &[(&str, &str)] = &[
    ("dashboard", "/admin/"),
    ("orders", "/admin/orders/"),
    ("order-confirmed", "/admin/orders/4/"),
    ("order-rejected", "/admin/orders/5/"),
    ("order-failed", "/admin/orders/3/"),
    ("confirmations", "/admin/confirmations/"),
    ("jobs", "/admin/jobs/"),
    ("products", "/admin/products/?sort=title"),
    ("products-none", "/admin/products/?q=nothing-like-it"),
    ("product", "/admin/products/1/"),
    ("product-new", "/admin/products/new/"),
    ("product-delete", "/admin/products/1/delete/"),
    ("categories", "/admin/categories/"),
    ("category", "/admin/categories/1/"),
    ("stores", "/admin/stores/"),
    ("store", "/admin/stores/1/"),
    ("inventory", "/admin/inventory/?store=1&most=300"),
    ("stock", "/admin/inventory/1/1/"),
    ("import", "/admin/import/"),
    ("tokens", "/admin/tokens/"),
    ("token-new", "/admin/tokens/new/"),
    ("staff", "/admin/staff/"),
    ("member", "/admin/staff/1/"),
    ("member-new", "/admin/staff/new/"),
    ("password", "/admin/password/"),
    ("audit", "/admin/audit/"),
    ("audit-entry", "/admin/audit/1/"),
    ("nothing", "/admin/nothing/"),
];

async fn look(window: Window) {
    let app = shop().await;
    let email = hire(&app, Role::Owner).await;
    let browser = Chromium::open(app.base(), window).await;
    let mut faults = Vec::new();
    let mut see = async |name: &str| {
        browser.picture(name).await;
        let found = browser.client.execute(FAULTS, vec![]).await.unwrap();
        if found != Value::Array(vec![]) {
            faults.push(format!("{name}: {found}"));
        }
    };
    browser.goto("/admin/").await;
    see("sign-in").await;
    browser.fill("#email", &email).await;
    browser.fill("#password", "wrong").await;
    browser.click("Sign in").await;
    browser.says("is wrong").await;
    see("sign-in-refused").await;
    browser.fill("#password", PASSWORD).await;
    browser.click("Sign in").await;
    browser.arrives("/admin/").await;
    browser.goto("/admin/inventory/1/1/").await;
    browser.fill("#delta", "12").await;
    browser.fill("#reason", "receipt").await;
    browser.click("Save and continue").await;
    browser.arrives("/admin/inventory/1/1/?done=").await;
    for (name, path) in PAGES {
        browser.goto(path).await;
        see(name).await;
    }
    browser.goto("/admin/products/new/").await;
    browser.fill("#i-title", "Tea").await;
    browser.choose("#i-category_id", "Tea").await;
    browser.fill("#i-price", "much").await;
    browser.click("Save").await;
    browser.find("#price-fault").await;
    see("product-refused").await;
    browser.goto("/admin/import/").await;
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}.csv", window.name));
    let text = "sku,title,category,price,description\nK-1,Kettle,Kitchen,39.90,Boils\nK-2,Lamp,Light,ten,\n";
    std::fs::write(&file, text).unwrap();
    browser.find("#file").await.send_keys(file.to_str().unwrap()).await.unwrap();
    browser.click("Show what would change").await;
    browser.says("Import (1)").await;
    see("import-preview").await;
    browser.click("Import (1)").await;
    browser.says("Imported: 1.").await;
    browser.goto("/admin/tokens/new/").await;
    browser.fill("#i-name", "till").await;
    browser.find("input[value='orders:read']").await.click().await.unwrap();
    browser.click("Save").await;
    browser.says("shown this once").await;
    see("token-made").await;
    browser.goto("/admin/tokens/1/").await;
    see("token").await;
    browser.goto("/admin/products/").await;
    browser.find("td.pick input").await.click().await.unwrap();
    browser.click("Delete products").await;
    browser.says("1 row selected").await;
    see("bulk").await;
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[tokio::test]
async fn pages_by_day() {
    look(Window::DESK).await;
}

#[tokio::test]
async fn pages_by_night() {
    look(Window::DARK).await;
}

#[tokio::test]
async fn pages_on_a_phone() {
    look(Window::PHONE).await;
}
