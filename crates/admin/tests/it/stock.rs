//! Adjusting stock by hand.

use accounts::Role;
use serde_json::json;
use testkit::TestApp;

use crate::browser::Browser;

#[tokio::test]
async fn a_count_is_kept_only_if_the_stock_is_still_what_was_shown() {
    let app = TestApp::start().await;
    let build = app.build().await;
    let (store, tea) = (build.store("Harbour").await, build.product("Tea", "Tea", "2.50").await);
    build.stock(store, tea, 47).await;
    let mut browser = Browser::signed_in(&app, Role::Manager).await;
    let list = browser.get(&format!("/admin/inventory/?store={store}")).await.expect(200);
    assert_eq!(list.hidden("expected"), "47");
    let order = json!({"store_id": store, "items": [{"product_id": tea, "quantity_requested": 3}]});
    app.post("/orders/", &order).await.expect(201);

    let (store, tea) = (store.to_string(), tea.to_string());
    let row = [
        ("store", store.as_str()),
        ("product", tea.as_str()),
        ("back", "/admin/inventory/?store=1"),
        ("reason", "recount"),
    ];
    let counted = [&row[..], &[("quantity", "50"), ("expected", "47")]].concat();
    let page = browser.act("/admin/inventory/adjust/", &counted).await.expect(409);
    assert!(page.text.contains("There were 47 units") && page.text.contains("there are 44 now"), "{}", page.text);
    assert_eq!(page.hidden("expected"), "44");
    assert!(page.text.contains("value=\"50\"") && page.text.contains("value=\"recount\""), "what was typed is kept");
    let quantity = async || {
        let inventory = app.get(&format!("/stores/{store}/inventory/")).await.expect(200);
        inventory["results"][0]["quantity"].as_i64().unwrap()
    };
    assert_eq!(quantity().await, 44);

    let counted = [&row[..], &[("quantity", "50"), ("expected", "44")]].concat();
    let done = browser.act("/admin/inventory/adjust/", &counted).await.expect(303);
    assert_eq!(done.location(), "/admin/inventory/?store=1&done=stock");
    assert_eq!(quantity().await, 50);
    let there = format!("/admin/inventory/{store}/{tea}/?done=stock&back=%2Fadmin%2Finventory%2F%3Fstore%3D1");
    for (delta, left) in [("-4", 46), ("+14", 60)] {
        let last = browser.get(&format!("/admin/inventory/?store={store}")).await.expect(200).hidden("last");
        // A sale between makes no difference to what came or went.
        app.post("/orders/", &order).await.expect(201);
        let moved = [&row[..], &[("delta", delta), ("expected", "50"), ("last", &last), ("then", "stay")]].concat();
        let done = browser.act("/admin/inventory/adjust/", &moved).await.expect(303);
        assert_eq!(done.location(), there, "the way back is kept");
        assert_eq!(quantity().await, left - 3);
        // Sent twice, it is done once.
        let again = browser.act("/admin/inventory/adjust/", &moved).await.expect(409);
        let told = format!("There are {} units now", left - 3);
        assert!(again.text.contains(&told) && again.text.contains("maybe by sending this twice"), "{}", again.text);
        assert_eq!(quantity().await, left - 3);
        build.stock(store.parse().unwrap(), tea.parse().unwrap(), left.try_into().unwrap()).await;
    }
    let last = browser.get(&format!("/admin/inventory/{store}/{tea}/")).await.expect(200).hidden("last");
    let more = [&row[..], &[("delta", "-61"), ("last", &last)]].concat();
    let page = browser.act("/admin/inventory/adjust/", &more).await.expect(409);
    assert!(page.text.contains("There are 60 units now"), "{}", page.text);
    for (wrong, told) in [
        (&[("quantity", "-1"), ("expected", "60")][..], "Counted now: Must be an integer from 0"),
        (&[("quantity", "many"), ("expected", "60")], "Counted now: Must be an integer"),
        (&[("quantity", "1"), ("delta", "1"), ("expected", "60")], "Say either how many were counted"),
        (&[("expected", "60")], "Say how many were counted, or how many came or went."),
    ] {
        let page = browser.act("/admin/inventory/adjust/", &[&row[..], wrong].concat()).await.expect(422);
        let problem = page.text.split("role=\"alert\">").nth(1).unwrap().split("</p>").next().unwrap();
        assert!(problem.starts_with(told) && !problem.contains("expected_quantity"), "{problem}");
    }
    let unreasoned = [("store", store.as_str()), ("product", &tea), ("delta", "1")];
    let page = browser.act("/admin/inventory/adjust/", &unreasoned).await.expect(422);
    assert!(page.text.contains("Reason: Must have 1 to 200 characters."), "{}", page.text);

    let page = browser.get(&format!("/admin/inventory/{store}/{tea}/")).await.expect(200).text;
    assert!(page.contains("+6") && page.contains("-4") && page.contains("recount") && page.contains(">-3<"), "{page}");
    assert!(page.contains("manager@shop.example"), "the history names who did it: {page}");
    let proof = orders::ledger::verify(&app.database.handle(), None).await.unwrap();
    assert!(proof.drifted.is_empty(), "{:?}", proof.drifted);
}

#[tokio::test]
async fn the_inventory_says_whose_it_is() {
    let app = TestApp::start().await;
    let build = app.build().await;
    build.store("Zoo").await;
    let (first, tea) = (build.store("Abbey").await, build.product("Tea", "Tea", "2.50").await);
    build.stock(first, tea, 5).await;
    let mut browser = Browser::signed_in(&app, Role::Manager).await;
    let page = browser.get("/admin/inventory/").await.expect(200).text;
    assert!(page.contains("<h1>Inventory of Abbey</h1>"), "{page}");
    assert!(page.contains(&format!("<option value=\"{first}\" selected>Abbey</option>")), "{page}");
    let stores = page.split("name=\"store\"").nth(1).unwrap().split("</select>").next().unwrap();
    assert!(!stores.contains(">any<"), "{stores}");
    assert!(page.contains(&format!("export.csv?store={first}")), "{page}");
}
