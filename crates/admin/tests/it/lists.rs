//! Lists: their pages, filters, sorts and exports.

use accounts::Role;
use testkit::TestApp;

use crate::browser::Browser;

/// The ids of the objects of this folder that rows lead to, page by page, forward; then the same backward. Pages need
/// not begin at the same rows on the way back, where a page ends early.
pub(crate) async fn walk(browser: &mut Browser<'_>, first: &str, folder: &str) -> Vec<i64> {
    let mut address = first.to_owned();
    let mut ids = Vec::new();
    let (last, mut back) = loop {
        let page = browser.get(&address).await.expect(200);
        let here = numbers(&page.text, folder);
        ids.extend(&here);
        match page.link("next") {
            Some(next) => address = next,
            None => break (here, page.link("prev")),
        }
    };
    let mut again = last;
    while let Some(previous) = back {
        let page = browser.get(&previous).await.expect(200);
        again.splice(0..0, numbers(&page.text, folder));
        back = page.link("prev");
    }
    assert_eq!(again, ids, "on the way back");
    ids
}

/// The ids that links of rows lead to.
pub(crate) fn numbers(text: &str, folder: &str) -> Vec<i64> {
    let start = format!("<a href=\"/admin/{folder}/");
    let links = text.split(&start).skip(1);
    links.filter_map(|rest| rest.split(['/', '?', '"']).next()?.parse().ok()).collect()
}

#[tokio::test]
async fn products_are_walked_in_every_order() {
    let app = TestApp::start().await;
    let build = app.build().await;
    build.fill(1, 120).await;
    build.product("Aardvark tea", "Tea", "3.00").await;
    app.search_catches_up().await;
    let mut browser = Browser::signed_in(&app, Role::Viewer).await;
    let ascending: Vec<i64> = (1..=121).collect();
    let descending: Vec<i64> = (1..=121).rev().collect();
    assert_eq!(walk(&mut browser, "/admin/products/", "products").await, descending);
    assert_eq!(walk(&mut browser, "/admin/products/?sort=id", "products").await, ascending);
    let by_title = walk(&mut browser, "/admin/products/?sort=title", "products").await;
    assert_eq!((by_title.len(), by_title[0], by_title[1], by_title[2]), (121, 121, 1, 10));
    let mut turned = walk(&mut browser, "/admin/products/?sort=-title", "products").await;
    turned.reverse();
    assert_eq!(turned, by_title);
    let by_price = walk(&mut browser, "/admin/products/?sort=-price", "products").await;
    assert_eq!((by_price.len(), by_price[0]), (121, 121));
    let tea = build.category("Tea").await;
    assert_eq!(walk(&mut browser, &format!("/admin/products/?category={tea}&sort=-price"), "products").await, [121]);
    let category = build.category("Things").await;
    let filed = walk(&mut browser, &format!("/admin/products/?category={category}&sort=title"), "products").await;
    assert_eq!((filed.len(), filed[0], filed[1], filed[119]), (120, 1, 10, 99), "by title, as text");
    assert_eq!(walk(&mut browser, "/admin/products/?q=aardvark", "products").await, [121]);
    // What is searched comes the best first unless somebody chooses otherwise, and no heading claims what is not so.
    let best = browser.get("/admin/products/?q=product+7").await.expect(200);
    assert_eq!(numbers(&best.text, "products")[0], 7);
    assert!(!best.text.contains("aria-sort") && !best.text.contains("name=\"sort\""), "{}", best.text);
    let titles = browser.get("/admin/products/?q=product+7&sort=title").await.expect(200);
    assert!(!titles.text.contains("aria-sort"), "{}", titles.text);
    let newest = browser.get("/admin/products/?q=product&sort=-id").await.expect(200);
    assert_eq!(numbers(&newest.text, "products")[0], 120);
    assert!(newest.text.contains("aria-sort=\"descending\"") && newest.text.contains("name=\"sort\" value=\"-id\""));
    app.database.sql().await.batch_execute("UPDATE products SET sku = 'T-7' WHERE id = 7").await.unwrap();
    assert_eq!(walk(&mut browser, "/admin/products/?q=T-7", "products").await, [7]);
}

#[tokio::test]
async fn orders_of_all_stores_come_in_the_order_of_time() {
    let app = TestApp::start().await;
    let build = app.build().await;
    build.fill(3, 2).await;
    for number in 0..130 {
        let quantity = if number % 10 == 0 { 5_000 } else { 1 };
        let body = serde_json::json!({"store_id": number % 3 + 1, "items": [{"product_id": 1, "quantity_requested": quantity}]});
        app.post("/orders/", &body).await.expect(201);
    }
    let mut browser = Browser::signed_in(&app, Role::Viewer).await;
    let descending: Vec<i64> = (1..=130).rev().collect();
    assert_eq!(walk(&mut browser, "/admin/orders/", "orders").await, descending);
    let mut ascending = descending.clone();
    ascending.reverse();
    assert_eq!(walk(&mut browser, "/admin/orders/?sort=placed", "orders").await, ascending);
    assert_eq!(walk(&mut browser, "/admin/orders/?store=2", "orders").await.len(), 43);
    assert_eq!(walk(&mut browser, "/admin/orders/?status=REJECTED", "orders").await.len(), 13);
    assert_eq!(walk(&mut browser, "/admin/orders/?status=CONFIRMED&store=1", "orders").await.len(), 39);
    assert_eq!(walk(&mut browser, "/admin/orders/?q=17", "orders").await, [17]);
    assert!(walk(&mut browser, "/admin/orders/?q=seventeen", "orders").await.is_empty());
    assert!(walk(&mut browser, "/admin/orders/?to=2001-01-01", "orders").await.is_empty());
    assert_eq!(walk(&mut browser, "/admin/orders/?from=2001-01-01", "orders").await.len(), 130);
    assert_eq!(walk(&mut browser, "/admin/confirmations/", "orders").await.len(), 117);
    assert_eq!(walk(&mut browser, "/admin/confirmations/?state=unsent", "orders").await.len(), 117);
    let sql = app.database.sql().await;
    sql.batch_execute("UPDATE outbox SET parked_at = now() WHERE (payload->>'order_id')::bigint % 40 = 3")
        .await
        .unwrap();
    for list in ["orders/", "confirmations/?state=unsent", "confirmations/?to=2999-01-01"] {
        let page = browser.get(&format!("/admin/{list}")).await.expect(200).text;
        assert_eq!(page.matches("<span class=\"badge bad\">failed</span>").count(), 2, "{list}: {page}");
    }
}

#[tokio::test]
async fn an_inventory_is_walked_also_where_little_matches() {
    let app = TestApp::start().await;
    let build = app.build().await;
    // More than is gathered at once, and more than one walk looks at.
    build.fill(2, 6_000).await;
    let sql = app.database.sql().await;
    sql.batch_execute("UPDATE inventory SET quantity = 1 WHERE store_id = 1 AND product_id % 1000 = 0").await.unwrap();
    sql.batch_execute("DELETE FROM inventory WHERE store_id = 2 AND product_id > 130").await.unwrap();
    let mut browser = Browser::signed_in(&app, Role::Viewer).await;
    let scarce = walk(&mut browser, "/admin/inventory/?store=1&most=1", "products").await;
    assert_eq!(scarce, [1000, 2000, 3000, 4000, 5000, 6000]);
    assert_eq!(walk(&mut browser, "/admin/inventory/?store=2", "products").await.len(), 130);
    // What is searched: words, with a limit of units, and what no other product and no store has.
    app.search_catches_up().await;
    assert_eq!(walk(&mut browser, "/admin/inventory/?store=2&q=product+12", "products").await.len(), 11);
    assert_eq!(walk(&mut browser, "/admin/inventory/?store=2&q=product", "products").await.len(), 130);
    assert_eq!(walk(&mut browser, "/admin/inventory/?store=1&q=product&most=1", "products").await.len(), 6);
    assert_eq!(walk(&mut browser, "/admin/inventory/?store=1&q=5999", "products").await, [5999]);
    assert_eq!(walk(&mut browser, "/admin/inventory/?store=1&q=aardvark", "products").await, [0_i64; 0]);
    let export = browser.get("/admin/inventory/export.csv?store=1&q=product&most=1").await.expect(200);
    assert_eq!(export.text.lines().count(), 7);
    let first = browser.get("/admin/inventory/").await.expect(200);
    assert_eq!(numbers(&first.text, "products").len(), 50);
    let export = browser.get("/admin/inventory/export.csv?store=1&most=1").await.expect(200);
    assert_eq!(export.text.lines().count(), 7);
    let export = browser.get("/admin/inventory/export.csv?store=1").await.expect(200);
    assert_eq!(export.text.lines().count(), 6_001);
}

#[tokio::test]
async fn the_audit_log_is_walked_and_narrowed() {
    let app = TestApp::start().await;
    let mut browser = Browser::signed_in(&app, Role::Manager).await;
    let sql = app.database.sql().await;
    sql.batch_execute(
        "INSERT INTO audit_log (actor, action, object_kind, object_id, created_at) \
         SELECT CASE WHEN n % 3000 = 0 THEN 'Rare' ELSE 'till' END, 'change', 'product', n::text, \
                now() - interval '1 hour' - n * interval '1 second' FROM generate_series(1, 12000) AS n",
    )
    .await
    .unwrap();
    let rare = walk(&mut browser, "/admin/audit/?who=rare", "products").await;
    assert_eq!(rare, [3000, 6000, 9000, 12000]);
    let first = browser.get("/admin/audit/?kind=product&action=change").await.expect(200);
    assert_eq!(numbers(&first.text, "products").len(), 50);
    assert!(walk(&mut browser, "/admin/audit/?to=2001-01-01", "products").await.is_empty());
    // All of one object, however far back it lies; its page shows the latest, and leads to the rest.
    sql.batch_execute(
        "INSERT INTO audit_log (actor, action, object_kind, object_id, before, after, created_at) \
         SELECT 'till', 'change', 'product', '70000', '{\"price\": \"1\"}', '{\"price\": \"2\"}', \
                now() - interval '9 days' - n * interval '1 second' FROM generate_series(1, 130) AS n",
    )
    .await
    .unwrap();
    assert_eq!(walk(&mut browser, "/admin/audit/?kind=product&object=70000", "products").await.len(), 130);
    let first = browser.get("/admin/audit/?kind=product&object=70000").await.expect(200);
    assert_eq!(numbers(&first.text, "products").len(), 50, "the page is full at once");
    let export = browser.get("/admin/audit/export.csv?kind=product&object=70000").await.expect(200);
    assert_eq!(export.text.lines().count(), 131);
    assert!(export.text.contains(r#""{""price"":""1""}","{""price"":""2""}""#), "{}", export.text);
    sql.batch_execute("INSERT INTO categories (name) VALUES ('Tea'); UPDATE audit_log SET object_kind = 'category', object_id = '1' WHERE object_id = '70000'").await.unwrap();
    let page = browser.get("/admin/categories/1/").await.expect(200);
    assert!(page.text.contains("All of it in the audit log"), "{}", page.text);
}

#[tokio::test]
async fn filters_are_kept_on_the_way_back() {
    let app = TestApp::start().await;
    let build = app.build().await;
    let id = build.product("Green tea", "Tea", "2.50").await;
    let mut browser = Browser::signed_in(&app, Role::Manager).await;
    let category = build.category("Tea").await;
    let list = browser.get(&format!("/admin/products/?category={category}&sort=id")).await.expect(200);
    let there =
        list.text.split("<a href=\"").find(|rest| rest.starts_with(&format!("/admin/products/{id}/?back="))).unwrap();
    let there = there.split('"').next().unwrap().replace("&amp;", "&");
    let page = browser.get(&there).await.expect(200);
    let back = format!("/admin/products/?category={category}&sort=id");
    assert_eq!(page.hidden("back").replace("&amp;", "&").replace("&#38;", "&"), back);
    let fields = [("title", "Green tea, 100 g"), ("price", "2.60"), ("category_id", &category.to_string())];
    let saved = browser.fill(&there, &[&fields[..], &[("back", &back)]].concat()).await.expect(303);
    assert_eq!(saved.location(), format!("{back}&done=saved"));
    for (then, start) in
        [("stay", format!("/admin/products/{id}/?done=saved")), ("another", "/admin/products/new/?done=saved".into())]
    {
        let saved = browser.fill(&there, &[&fields[..], &[("back", &back), ("then", then)]].concat()).await.expect(303);
        assert!(saved.location().starts_with(&start) && saved.location().contains("&back="), "{}", saved.location());
    }
    // Also where one looked at it from a list of something else.
    let store = build.store("Harbour").await;
    build.stock(store, id, 3).await;
    let inventory = browser.get(&format!("/admin/inventory/?store={store}&most=5")).await.expect(200);
    let there =
        inventory.text.split("<a href=\"").find(|rest| rest.starts_with(&format!("/admin/products/{id}/?back=")));
    let there = there.unwrap().split('"').next().unwrap().to_owned();
    let back = format!("/admin/inventory/?store={store}&most=5");
    let page = browser.get(&there).await.expect(200);
    assert_eq!(page.hidden("back").replace("&amp;", "&").replace("&#38;", "&"), back);
    assert!(page.text.contains(">Inventory</a></p>"), "{}", page.text);
    let saved = browser.fill(&there, &[&fields[..], &[("back", &back)]].concat()).await.expect(303);
    assert_eq!(saved.location(), format!("{back}&done=saved"));
    // Whatever stands there, one stays in the site.
    let evil = [
        ("back", "//evil.example/\r\nSet-Cookie: a=b"),
        ("title", "Tea"),
        ("price", "1"),
        ("category_id", &category.to_string()),
    ];
    let saved = browser.fill(&there, &evil).await.expect(303);
    assert_eq!(saved.location(), "/admin/products/?done=saved");
}
