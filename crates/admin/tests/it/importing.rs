//! Files by upload.

use accounts::Role;
use serde_json::json;
use testkit::TestApp;

use crate::browser::Browser;

#[tokio::test]
async fn a_file_is_shown_before_it_is_imported() {
    let app = TestApp::start().await;
    let build = app.build().await;
    let (store, tea) = (build.store("Harbour").await, build.product("Green tea", "Tea", "2.50").await);
    build.stock(store, tea, 5).await;
    app.database.sql().await.batch_execute("UPDATE products SET sku = 'T-1'").await.unwrap();
    let mut browser = Browser::signed_in(&app, Role::Manager).await;
    let file = "sku,title,category,price,description\n\
                T-1,Green tea,tea,2.60,\"two\nlines\"\n\
                M-1,<b>Mug</b>,Kitchen,9,\n\
                M-1,Mug,Kitchen,9,\n\
                ,Nameless,Kitchen,1.234,\n";
    let shown = browser.act("/admin/import/", &[("kind", "products"), ("file", file)]).await.expect(200);
    for words in [
        "<del>2.50</del> <ins>2.60</ins>",
        "for 9.00, in a category Kitchen that is made",
        "an earlier row",
        "price: ",
        "sku: ",
        "Import (2)",
    ] {
        assert!(shown.text.contains(words), "{words}: {}", shown.text);
    }
    assert!(!shown.text.contains("<b>Mug"), "{}", shown.text);
    assert_eq!(app.get("/products/").await.expect(200)["count"], 1);

    // What somebody changed meanwhile is not overwritten by what was shown before.
    let seen = shown.hidden("seen");
    let cheaper = [("title", "Green tea"), ("price", "2.20"), ("category_id", "1"), ("sku", "T-1")];
    browser.fill("/admin/products/1/", &cheaper).await.expect(303);
    let again = [("kind", "products"), ("file", file), ("seen", &seen)];
    let refused = browser.act("/admin/import/", &again).await.expect(409);
    assert!(refused.text.contains("<del>2.20</del>") && refused.text.contains("Nothing was imported"));
    // Browsers write other line ends into what they send back.
    let (seen, sent_back) = (refused.hidden("seen"), file.replace('\n', "\r\n"));
    let again = [("kind", "products"), ("file", &sent_back), ("seen", &seen)];
    let done = browser.act("/admin/import/", &again).await.expect(303);
    assert_eq!(done.location(), "/admin/import/?done=imported&count=2&kind=products");
    let tea = app.get("/products/1/").await.expect(200);
    assert_eq!((&tea["price"], &tea["description"]), (&json!("2.60"), &json!("two\nlines")));
    assert_eq!(app.get("/products/2/").await.expect(200)["category"], "Kitchen");
    assert!(browser.get("/admin/products/2/").await.text.contains("manager@shop.example"), "it is in the history");
    let shown = browser.act("/admin/import/", &again[..2]).await.expect(200);
    assert!(shown.text.contains("There is nothing to do"), "{}", shown.text);

    let file = "store,sku,quantity\nharbour,T-1,7\nHarbour,M-1,3\nQuay,T-1,1\nHarbour,T-2,x\n";
    let shown = browser.act("/admin/import/", &[("kind", "stock"), ("file", file)]).await.expect(200);
    for words in ["<del>5</del> <ins>7</ins>", "3 from now on", "No store is called Quay", "No product has the sku T-2"]
    {
        assert!(shown.text.contains(words), "{words}: {}", shown.text);
    }
    // A sale between the two makes the preview stale.
    let order = json!({"store_id": store, "items": [{"product_id": 1, "quantity_requested": 1}]});
    app.post("/orders/", &order).await.expect(201);
    let again = [("kind", "stock"), ("file", file), ("seen", &shown.hidden("seen"))];
    let shown = browser.act("/admin/import/", &again).await.expect(409);
    assert!(shown.text.contains("<del>4</del> <ins>7</ins>"), "{}", shown.text);
    let again = [("kind", "stock"), ("file", file), ("seen", &shown.hidden("seen"))];
    browser.act("/admin/import/", &again).await.expect(303);
    let stock = app.get(&format!("/stores/{store}/inventory/")).await.expect(200);
    assert_eq!((&stock["results"][0]["quantity"], &stock["results"][1]["quantity"]), (&json!(3), &json!(7)));
    for wrong in ["", "sku\n1\n", "store,sku,quantity\n"] {
        browser.act("/admin/import/", &[("kind", "stock"), ("file", wrong)]).await.expect(422);
    }
    let proof = orders::ledger::verify(&app.database.handle(), None).await.unwrap();
    assert!(proof.drifted.is_empty(), "{:?}", proof.drifted);
}

#[tokio::test]
async fn a_row_that_cannot_be_told_apart_is_left_out_and_named() {
    let app = TestApp::start().await;
    let mut browser = Browser::signed_in(&app, Role::Manager).await;
    let file = "sku,title,category,price,description\nT-1,Tea\nM-1,Mug,Kitchen,9,\nM-2,Mug,Kitchen,9,white,large\n";
    let shown = browser.act("/admin/import/", &[("kind", "products"), ("file", file)]).await.expect(200);
    for words in ["Columns: 2 here, 5 in the first row.", "Columns: 6 here", ">2</td>", ">4</td>", "Import (1)"] {
        assert!(shown.text.contains(words), "{words}: {}", shown.text);
    }
    let file = "store,sku,quantity\nHarbour\n";
    let shown = browser.act("/admin/import/", &[("kind", "stock"), ("file", file)]).await.expect(200);
    assert!(shown.text.contains("Columns: 1 here") && !shown.text.contains("No store"), "{}", shown.text);
    for kind in ["bogus", ""] {
        let refused = browser.act("/admin/import/", &[("kind", kind), ("file", file)]).await.expect(422);
        assert!(refused.text.contains("Choose what the rows are"), "{}", refused.text);
    }
}

#[tokio::test]
async fn a_file_that_is_no_text_is_refused() {
    let app = TestApp::start().await;
    let mut browser = Browser::signed_in(&app, Role::Manager).await;
    let csrf = browser.get("/admin/").await.expect(200).hidden("csrf");
    for (title, told) in [(&b"caf\xe9"[..], "Line 3 of file is not UTF-8."), (b"a\0b", "Line 3 of file holds a NUL")] {
        let file = [b"sku,title,category,price,description\nT-1,Tea,Tea,2,\nC-1,", title, b",Tea,2,\n"].concat();
        let page = browser.upload("/admin/import/", &[("csrf", &csrf), ("kind", "products")], &file).await.expect(400);
        assert!(page.text.contains(told), "{}", page.text);
    }
    let named = format!("csrf={csrf}&name=%ff%fe");
    let page = browser.send_raw("/admin/categories/new/", "application/x-www-form-urlencoded", named.into()).await;
    assert!(page.expect(400).text.contains("What was given as name is not UTF-8."));
    assert_eq!(app.get("/categories/").await.expect(200)["count"], 0);
}
