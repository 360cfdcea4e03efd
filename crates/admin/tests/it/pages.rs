//! Pages of objects, and what is done there.

use accounts::Role;
use serde_json::json;
use testkit::TestApp;

use crate::browser::Browser;

#[tokio::test]
async fn a_product_is_made_changed_and_deleted() {
    let app = TestApp::start().await;
    let mut browser = Browser::signed_in(&app, Role::Manager).await;
    let made = browser.fill("/admin/categories/new/", &[("name", "Tea"), ("then", "stay")]).await.expect(303);
    assert_eq!(made.location(), "/admin/categories/1/?done=created");
    let again = browser.fill("/admin/categories/new/", &[("name", "tea")]).await.expect(422);
    assert!(again.text.contains("Another category is called tea."), "{}", again.text);

    let wrong = [("title", ""), ("price", "1.234"), ("category_id", "9")];
    let page = browser.fill("/admin/products/new/", &wrong).await.expect(422);
    assert!(page.text.contains("id=\"title-fault\"") && page.text.contains("id=\"price-fault\""), "{}", page.text);
    assert!(page.text.contains("aria-invalid=\"true\"") && page.text.contains("value=\"1.234\""), "{}", page.text);
    let page =
        browser.fill("/admin/products/new/", &[("title", "Green tea"), ("price", "2.50"), ("category_id", "9")]).await;
    assert!(page.expect(422).text.contains("id=\"category_id-fault\""));

    // The number that the last one would have had is gone.
    let fields =
        [("title", "Green tea"), ("price", "2.50"), ("category_id", "1"), ("sku", "T-1"), ("description", "Loose")];
    let made = browser.fill("/admin/products/new/", &fields).await.expect(303);
    assert_eq!(made.location(), "/admin/products/?done=created");
    assert_eq!(app.get("/products/2/").await.expect(200)["price"], "2.50");
    let taken = browser.fill("/admin/products/new/", &fields).await.expect(422);
    assert!(taken.text.contains("id=\"sku-fault\""), "{}", taken.text);

    // A form that somebody opened before another change was saved does not undo it.
    let stale = browser.get("/admin/products/2/").await.expect(200).hidden("seen");
    let cheaper = [("title", "Green tea"), ("price", "2.20"), ("category_id", "1")];
    browser.fill("/admin/products/2/", &cheaper).await.expect(303);
    let late = [("title", "Old tea"), ("price", "2.50"), ("category_id", "1"), ("seen", &stale)];
    let page = browser.act("/admin/products/2/", &late).await.expect(422);
    assert!(page.text.contains("Somebody else changed this product"), "{}", page.text);
    let page = browser.act("/admin/products/2/", &late).await.expect(422);
    assert!(page.text.contains("Somebody else changed"), "what is sent again is as stale as before");
    assert_eq!(app.get("/products/2/").await.expect(200)["price"], "2.20");

    let page = browser.get("/admin/products/2/").await.expect(200);
    assert!(page.text.contains("<del>2.50</del>") && page.text.contains("<ins>2.20</ins>"), "{}", page.text);
    let asked = browser.get("/admin/categories/1/delete/").await.expect(200);
    assert!(asked.text.contains("1 products are filed under it"), "{}", asked.text);
    let refused = browser.act("/admin/categories/1/delete/", &[]).await.expect(409);
    assert!(refused.text.contains("so it cannot be deleted"), "{}", refused.text);
    browser.get("/admin/products/2/delete/").await.expect(200);
    browser.act("/admin/products/2/delete/", &[]).await.expect(303);
    app.get("/products/2/").await.expect(404);
    browser.act("/admin/categories/1/delete/", &[]).await.expect(303);
}

#[tokio::test]
async fn a_store_is_made_renamed_and_kept_by_its_orders() {
    let app = TestApp::start().await;
    let build = app.build().await;
    let mut browser = Browser::signed_in(&app, Role::Manager).await;
    browser.fill("/admin/stores/new/", &[("name", "Harbour"), ("location", "Quay 1")]).await.expect(303);
    browser.fill("/admin/stores/1/", &[("name", "Old harbour"), ("location", "Quay 1")]).await.expect(303);
    assert_eq!(app.get("/stores/1/").await.expect(200)["name"], "Old harbour");
    let product = build.product("Tea", "Tea", "1").await;
    build.stock(1, product, 5).await;
    app.post("/orders/", &json!({"store_id": 1, "items": [{"product_id": product, "quantity_requested": 1}]}))
        .await
        .expect(201);
    let page = browser.act("/admin/stores/1/delete/", &[]).await.expect(409);
    assert!(page.text.contains("Orders refer to store 1"), "{}", page.text);
    let asked = browser.get("/admin/stores/1/delete/").await.expect(200);
    assert!(
        asked.text.contains("It carries 1 product:") && asked.text.contains("It has taken orders"),
        "{}",
        asked.text
    );
    let asked = browser.get("/admin/products/1/delete/").await.expect(200);
    assert!(asked.text.contains("Orders refer to it, so it cannot be deleted"), "{}", asked.text);
    let unsold = build.product("Rum", "Tea", "1").await;
    let asked = browser.get(&format!("/admin/products/{unsold}/delete/")).await.expect(200);
    assert!(asked.text.contains("No order refers to it"), "{}", asked.text);
    let page = browser.act("/admin/products/1/delete/", &[]).await.expect(409);
    assert!(page.text.contains("Orders refer to product 1"), "{}", page.text);
}

#[tokio::test]
async fn an_order_is_read_cancelled_and_told_of_again() {
    let app = TestApp::start().await;
    let build = app.build().await;
    let (store, tea) = (build.store("Harbour").await, build.product("Tea", "Tea", "2.50").await);
    let rum = build.product("Rum", "Drinks", "9").await;
    build.stock(store, tea, 5).await;
    let order = |quantity: i64| json!({"store_id": store, "items": [{"product_id": tea, "quantity_requested": quantity}, {"product_id": rum, "quantity_requested": 1}]});
    let refused = app.post("/orders/", &order(9)).await.expect(201)["id"].clone();
    build.stock(store, rum, 2).await;
    let placed = app.post("/orders/", &order(2)).await.expect(201)["id"].clone();
    let mut browser = Browser::signed_in(&app, Role::Manager).await;

    let page = browser.get(&format!("/admin/orders/{refused}/")).await.expect(200);
    assert!(
        page.text.contains("insufficient stock: 5 were left") && page.text.contains("not stocked"),
        "{}",
        page.text
    );
    assert!(!page.text.contains("Cancel order") && page.text.contains("nothing to confirm"));
    browser.act(&format!("/admin/orders/{refused}/cancel/"), &[]).await.expect(409);
    browser.act(&format!("/admin/orders/{refused}/resend/"), &[]).await.expect(409);

    let page = browser.get(&format!("/admin/orders/{placed}/")).await.expect(200);
    assert!(
        page.text.contains("14.00") && page.text.contains(">-2<") && page.text.contains("under way"),
        "{}",
        page.text
    );
    let page = browser.act(&format!("/admin/orders/{placed}/resend/"), &[]).await.expect(409);
    assert!(page.text.contains("on its way already"), "{}", page.text);
    // What was given up is tried again, what was sent is sent again.
    let sql = app.database.sql().await;
    sql.batch_execute("UPDATE outbox SET parked_at = now(), failures = 8, last_error = 'no such customer'")
        .await
        .unwrap();
    let page = browser.get(&format!("/admin/orders/{placed}/")).await.expect(200);
    assert!(page.text.contains("parked") && page.text.contains("no such customer"), "{}", page.text);
    browser.act(&format!("/admin/orders/{placed}/resend/"), &[]).await.expect(303);
    let alive = "SELECT count(*) FROM outbox WHERE parked_at IS NULL AND failures = 0";
    assert_eq!(sql.query_one(alive, &[]).await.unwrap().get::<_, i64>(0), 1);
    sql.batch_execute("DELETE FROM outbox; UPDATE confirmations SET state = 'sent', sent_at = now()").await.unwrap();
    browser.act(&format!("/admin/orders/{placed}/resend/"), &[]).await.expect(303);
    assert_eq!(sql.query_one(alive, &[]).await.unwrap().get::<_, i64>(0), 1);
    let state = app.get(&format!("/orders/{placed}/")).await.expect(200)["confirmation"]["state"].clone();
    assert_eq!(state, "pending");

    browser.act(&format!("/admin/orders/{placed}/cancel/"), &[]).await.expect(303);
    let page = browser.get(&format!("/admin/orders/{placed}/")).await.expect(200);
    assert!(page.text.contains("CANCELLED") && page.text.contains("manager@shop.example"), "{}", page.text);
    assert_eq!(app.get(&format!("/stores/{store}/inventory/")).await.expect(200)["results"][1]["quantity"], 5);
}

#[tokio::test]
async fn several_rows_are_acted_upon_after_a_question() {
    let app = TestApp::start().await;
    let build = app.build().await;
    build.fill(1, 3).await;
    app.post("/orders/", &json!({"store_id": 1, "items": [{"product_id": 2, "quantity_requested": 1}]}))
        .await
        .expect(201);
    let mut browser = Browser::signed_in(&app, Role::Manager).await;
    let chosen = [("action", "delete"), ("id", "1"), ("id", "2"), ("back", "sort=id")];
    let asked = browser.act("/admin/products/bulk/", &chosen).await.expect(200);
    assert!(asked.text.contains("2 rows selected") && asked.text.contains("Delete products (2)"), "{}", asked.text);
    app.get("/products/1/").await.expect(200);
    let done = browser.act("/admin/products/bulk/", &[&chosen[..], &[("sure", "yes")]].concat()).await.expect(200);
    assert!(
        done.text.contains("1 done, 1 refused") && done.text.contains("Orders refer to product 2"),
        "{}",
        done.text
    );
    app.get("/products/1/").await.expect(404);
    let done =
        browser.act("/admin/orders/bulk/", &[("action", "cancel"), ("id", "1"), ("sure", "yes")]).await.expect(303);
    assert_eq!(done.location(), "/admin/orders/?done=bulk&count=1");
    assert_eq!(app.get("/orders/1/").await.expect(200)["status"], "CANCELLED");
}

#[tokio::test]
async fn parked_jobs_are_redriven_or_discarded() {
    let app = TestApp::start().await;
    let sql = app.database.sql().await;
    sql.batch_execute(
        "INSERT INTO outbox (store_id, kind, payload, failures, last_error, parked_at) \
         SELECT 1, 'order.confirmed', jsonb_build_object('store_id', 1, 'order_id', n), 8, '<b>smtp</b>', now() \
         FROM generate_series(1, 60) AS n",
    )
    .await
    .unwrap();
    let mut browser = Browser::signed_in(&app, Role::Manager).await;
    let page = browser.get("/admin/jobs/").await.expect(200);
    assert!(page.text.contains("&lt;b&gt;smtp") || page.text.contains("&#60;b&#62;smtp"), "{}", page.text);
    assert!(browser.get(&page.link("next").unwrap()).await.expect(200).text.contains("order 60"));
    browser.act("/admin/jobs/bulk/", &[("action", "redrive"), ("id", "1"), ("sure", "yes")]).await.expect(303);
    browser.act("/admin/jobs/bulk/", &[("action", "discard"), ("id", "2"), ("sure", "yes")]).await.expect(303);
    let gone =
        browser.act("/admin/jobs/bulk/", &[("action", "redrive"), ("id", "2"), ("sure", "yes")]).await.expect(200);
    assert!(gone.text.contains("no longer parked"), "{}", gone.text);
    let left = sql.query_one("SELECT count(*), count(parked_at) FROM outbox", &[]).await.unwrap();
    assert_eq!((left.get::<_, i64>(0), left.get::<_, i64>(1)), (59, 58));
    let log = sql.query_one("SELECT count(*) FROM audit_log WHERE object_kind = 'job'", &[]).await.unwrap();
    assert_eq!(log.get::<_, i64>(0), 2);
}

#[tokio::test]
async fn what_is_stored_does_no_harm() {
    let app = TestApp::start().await;
    let build = app.build().await;
    let script = "<script>alert(1)</script>";
    let id = build.product(script, "\"><img src=x onerror=alert(2)>", "1").await;
    let store = build.store("=HYPERLINK(\"http://evil\")").await;
    let formula = build.product("=cmd|' /C calc'!A0", "@SUM(A1)", "1").await;
    build.stock(store, id, 1).await;
    build.stock(store, formula, 1).await;
    let lines = json!([{"product_id": id, "quantity_requested": 1}, {"product_id": formula, "quantity_requested": 1}]);
    app.post("/orders/", &json!({"store_id": store, "items": lines})).await.expect(201);
    app.search_catches_up().await;
    let mut browser = Browser::signed_in(&app, Role::Owner).await;
    for path in [
        "/admin/",
        "/admin/products/",
        "/admin/products/?q=%3Cscript%3Ealert(1)%3C/script%3E",
        "/admin/products/1/",
        "/admin/products/1/delete/",
        "/admin/categories/",
        "/admin/categories/1/",
        "/admin/inventory/",
        "/admin/inventory/1/1/",
        "/admin/orders/",
        "/admin/orders/1/",
        "/admin/stores/",
        "/admin/sign-in/?next=%22%3E%3Cscript%3E",
        "/admin/products/1/?back=%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
    ] {
        let page = browser.get(path).await.expect(200);
        assert!(!page.text.contains("<script>") && !page.text.contains("<img src=x"), "{path}: {}", page.text);
    }
    for (path, cells) in [
        ("/admin/products/export.csv", &["'=cmd|' /C calc'!A0", "'@SUM(A1)"][..]),
        ("/admin/inventory/export.csv", &["'=cmd|' /C calc'!A0", "'@SUM(A1)"]),
        ("/admin/orders/export.csv", &["'=HYPERLINK("]),
        ("/admin/stores/export.csv", &["'=HYPERLINK("]),
        ("/admin/categories/export.csv", &["'@SUM(A1)"]),
    ] {
        let file = browser.get(path).await.expect(200);
        assert!(file.header("content-disposition").starts_with("attachment"), "{path}");
        assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
        for cell in cells {
            assert!(file.text.contains(cell), "{path}: {}", file.text);
        }
        let begins_a_formula =
            |line: &str| line.split(',').any(|cell| cell.trim_matches('"').starts_with(['=', '@', '+']));
        assert!(!file.text.lines().any(begins_a_formula), "{path}: {}", file.text);
    }
}

#[tokio::test]
async fn an_owner_looks_after_staff() {
    let app = TestApp::start().await;
    let mut owner = Browser::signed_in(&app, Role::Owner).await;
    let fields = [("email", "new@shop.example"), ("role", "viewer"), ("password", "12345678")];
    let page = owner.fill("/admin/staff/new/", &[("email", "new"), ("role", "viewer"), ("password", "short")]).await;
    assert!(page.expect(422).text.contains("id=\"email-fault\""));
    let made = owner.fill("/admin/staff/new/", &[&fields[..], &[("then", "stay")]].concat()).await.expect(303);
    assert_eq!(made.location(), "/admin/staff/2/?done=created");
    assert!(owner.fill("/admin/staff/new/", &fields).await.expect(422).text.contains("already an account"));
    let mut member = Browser::new(&app);
    let entry = [("email", "new@shop.example"), ("password", "12345678")];
    member.submit("/admin/sign-in/", &entry).await.expect(303);
    member.get("/admin/products/new/").await.expect(403);
    owner.fill("/admin/staff/2/", &[("role", "manager"), ("state", "active")]).await.expect(303);
    member.get("/admin/").await.expect(303);
    member.submit("/admin/sign-in/", &entry).await.expect(303);
    member.get("/admin/products/new/").await.expect(200);
    // Their own password: the present one is asked for, every other session ends, this browser stays signed in.
    let mut elsewhere = Browser::new(&app);
    elsewhere.submit("/admin/sign-in/", &entry).await.expect(303);
    let wrong = [("current", "wrong one"), ("password", "87654321"), ("again", "87654321")];
    assert!(member.fill("/admin/password/", &wrong).await.expect(422).text.contains("id=\"current-fault\""));
    let apart = [("current", "12345678"), ("password", "87654321"), ("again", "8765432")];
    assert!(member.fill("/admin/password/", &apart).await.expect(422).text.contains("id=\"again-fault\""));
    let right = [("current", "12345678"), ("password", "87654321"), ("again", "87654321")];
    member.fill("/admin/password/", &right).await.expect(303);
    member.get("/admin/").await.expect(200);
    elsewhere.get("/admin/").await.expect(303);
    owner.fill("/admin/staff/2/password/", &[("password", "yet another one")]).await.expect(303);
    member.get("/admin/").await.expect(303);
    owner.fill("/admin/staff/2/", &[("role", "manager"), ("state", "disabled")]).await.expect(303);
    member
        .submit("/admin/sign-in/", &[("email", "new@shop.example"), ("password", "yet another one")])
        .await
        .expect(401);
    let last = owner.fill("/admin/staff/1/", &[("role", "viewer"), ("state", "active")]).await.expect(422);
    assert!(last.text.contains("This is the last owner"), "{}", last.text);
}

#[tokio::test]
async fn tokens_are_shown_once_and_are_no_wider_than_their_maker() {
    let app = TestApp::start().await;
    let mut viewer = Browser::signed_in(&app, Role::Viewer).await;
    let mut owner = Browser::signed_in(&app, Role::Owner).await;
    assert!(!viewer.get("/admin/tokens/new/").await.text.contains("stock:write"));
    let wide = [("name", "till"), ("scopes", "stock:write"), ("days", "30")];
    assert!(viewer.fill("/admin/tokens/new/", &wide).await.expect(422).text.contains("does not open"));
    assert!(
        viewer.fill("/admin/tokens/new/", &[("name", "till")]).await.expect(422).text.contains("at least one scope")
    );
    let narrow = [("name", "report"), ("scopes", "orders:read"), ("scopes", "catalogue:read")];
    let page = viewer.fill("/admin/tokens/new/", &narrow).await.expect(200);
    let token = page.text.split("sr_").nth(1).unwrap().split('<').next().unwrap();
    assert!(token.len() > 40);
    let made = owner.fill("/admin/tokens/new/", &wide).await.expect(200);
    assert!(made.text.contains("sr_"));
    let list = viewer.get("/admin/tokens/").await.expect(200).text;
    assert!(list.contains("report") && !list.contains("till") && !list.contains(token), "{list}");
    assert!(owner.get("/admin/tokens/").await.expect(200).text.contains("report"));
    let foreign =
        viewer.act("/admin/tokens/bulk/", &[("action", "revoke"), ("id", "2"), ("sure", "yes")]).await.expect(200);
    assert!(foreign.text.contains("0 done, 1 refused"), "{}", foreign.text);
    viewer.get("/admin/tokens/2/").await.expect(404);
    owner.act("/admin/tokens/bulk/", &[("action", "revoke"), ("id", "1"), ("sure", "yes")]).await.expect(303);
    let page = viewer.get("/admin/tokens/1/").await.expect(200).text;
    assert!(page.contains("value=\"revoked\"") && page.contains("revoke</strong> by owner@shop.example"), "{page}");
    assert!(owner.get("/admin/tokens/").await.text.contains("revoked"));
}

#[tokio::test]
async fn the_dashboard_tells_how_things_are() {
    let app = TestApp::start().await;
    let build = app.build().await;
    let (store, tea) = (build.store("Harbour").await, build.product("Tea", "Tea", "2.50").await);
    build.stock(store, tea, 5).await;
    for quantity in [1, 2, 9] {
        let body = json!({"store_id": store, "items": [{"product_id": tea, "quantity_requested": quantity}]});
        app.post("/orders/", &body).await.expect(201);
    }
    let page = Browser::signed_in(&app, Role::Viewer).await.get("/admin/").await.expect(200).text;
    for words in ["<strong>7.50</strong>", "insufficient stock", "Search index", "pending", "Orders today"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert_eq!(page.matches("class=\"bar\"").count(), 30);
}

#[tokio::test]
async fn of_two_who_rename_the_same_the_second_is_told() {
    let app = TestApp::start().await;
    let build = app.build().await;
    let (store, category) = (build.store("Harbour").await, build.category("Tea").await);
    let mut browser = Browser::signed_in(&app, Role::Manager).await;
    for (path, words) in [
        (format!("/admin/stores/{store}/"), "changed this store"),
        (format!("/admin/categories/{category}/"), "renamed this category"),
    ] {
        let seen = browser.get(&path).await.expect(200).hidden("seen");
        browser.fill(&path, &[("name", "First")]).await.expect(303);
        let late = browser.act(&path, &[("name", "Second"), ("seen", &seen)]).await.expect(422);
        assert!(late.text.contains(words), "{}", late.text);
        browser.fill(&path, &[("name", "Second")]).await.expect(303);
    }
}

#[tokio::test]
async fn a_form_that_nobody_touched_changes_nothing() {
    let app = TestApp::start().await;
    let id = app.build().await.product("Tea", "Tea", "2.50").await;
    let sql = app.database.sql().await;
    sql.batch_execute("UPDATE products SET description = E'  Two\r\nlines,\rand\nmore '").await.unwrap();
    let mut browser = Browser::signed_in(&app, Role::Manager).await;
    let path = format!("/admin/products/{id}/");
    // As a browser sends it.
    let untouched = [
        ("title", "Tea"),
        ("price", "2.50"),
        ("category_id", "1"),
        ("sku", ""),
        ("description", "  Two\r\nlines,\r\nand\r\nmore "),
    ];
    browser.fill(&path, &untouched).await.expect(303);
    let log = sql.query_one("SELECT count(*) FROM audit_log WHERE object_kind = 'product'", &[]).await.unwrap();
    assert_eq!(log.get::<_, i64>(0), 0);
    let touched = [&untouched[..4], &[("description", "Two\r\nlines")]].concat();
    browser.fill(&path, &touched).await.expect(303);
    assert_eq!(app.get(&format!("/products/{id}/")).await.expect(200)["description"], "Two\nlines");
}

#[tokio::test]
async fn a_token_expires_unless_somebody_says_outright_that_it_never_does() {
    let app = TestApp::start().await;
    let mut browser = Browser::signed_in(&app, Role::Manager).await;
    let fields = [("name", "till"), ("scopes", "stock:write")];
    for days in ["soon", "0", "9999999999999", "9".repeat(30).as_str()] {
        let page = browser.act("/admin/tokens/new/", &[&fields[..], &[("days", days)]].concat()).await.expect(422);
        assert!(page.text.contains("id=\"days-fault\""), "{days}: {}", page.text);
    }
    browser.act("/admin/tokens/new/", &fields).await.expect(200);
    for days in ["", "30", "never"] {
        browser.act("/admin/tokens/new/", &[&fields[..], &[("days", days)]].concat()).await.expect(200);
    }
    let made = "SELECT count(*), count(expires_at) FROM tokens";
    let made = app.database.sql().await.query_one(made, &[]).await.unwrap();
    assert_eq!((made.get::<_, i64>(0), made.get::<_, i64>(1)), (4, 3));
}
