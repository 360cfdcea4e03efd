//! Forms and filters where there are more categories and stores than one can choose from.

use accounts::Role;
use serde_json::json;
use testkit::TestApp;

use crate::browser::Browser;
use crate::lists::numbers;

#[tokio::test]
async fn what_is_not_among_the_first_can_be_typed_and_is_kept() {
    let app = TestApp::start().await;
    let sql = app.database.sql().await;
    sql.batch_execute(
        "INSERT INTO categories (name) SELECT 'Category ' || lpad(n::text, 4, '0') FROM generate_series(1, 1200) AS n;
         INSERT INTO stores (name) SELECT 'Store ' || lpad(n::text, 4, '0') FROM generate_series(1, 1200) AS n;
         INSERT INTO stores (name) VALUES ('Twin'), ('Twin');
         INSERT INTO products (sku, title, category_id, price) VALUES ('T-1', 'Tea', 1150, 1), ('M-1', 'Mug', 1, 1);
         INSERT INTO inventory VALUES (1150, 1, 7), (1, 2, 9)",
    )
    .await
    .unwrap();
    let mut browser = Browser::signed_in(&app, Role::Manager).await;

    // A form that is saved as it was opened leaves the product where it is.
    let page = browser.get("/admin/products/1/").await.expect(200);
    let typed = page.typed("category_id");
    assert_eq!(typed, "Category 1150 #1150");
    let fields = [("title", "Green tea"), ("price", "1"), ("sku", "T-1"), ("category_id", &typed)];
    browser.fill("/admin/products/1/", &fields).await.expect(303);
    assert_eq!(app.get("/products/1/").await.expect(200)["category"], "Category 1150");
    for typed in ["category 1149", "1149"] {
        let fields = [("title", "Green tea"), ("price", "1"), ("sku", "T-1"), ("category_id", typed)];
        browser.fill("/admin/products/1/", &fields).await.expect(303);
        assert_eq!(app.get("/products/1/").await.expect(200)["category"], "Category 1149");
    }
    let fields = [("title", "Green tea"), ("price", "1"), ("sku", "T-1"), ("category_id", "Nowhere")];
    let page = browser.fill("/admin/products/1/", &fields).await.expect(422);
    assert!(page.text.contains("No category is called Nowhere."), "{}", page.text);
    assert_eq!(page.typed("category_id"), "Nowhere");

    // Filters say what they narrow to.
    for given in ["1149", "CATEGORY+1149", "Category+1149+%231149"] {
        let page = browser.get(&format!("/admin/products/?category={given}")).await.expect(200);
        assert_eq!(numbers(&page.text, "products"), [1]);
        assert_eq!(page.typed("category"), "Category 1149 #1149");
    }
    let page = browser.get("/admin/products/?category=Nowhere").await.expect(200);
    assert!(numbers(&page.text, "products").is_empty());
    assert_eq!(page.typed("category"), "Nowhere");
    let page = browser.get("/admin/inventory/?store=Store+1150").await.expect(200);
    assert!(page.text.contains("<h1>Inventory of Store 1150</h1>"), "{}", page.text);
    assert_eq!(numbers(&page.text, "products"), [1]);
    let page = browser.get("/admin/inventory/open/?store=store+1150&product=1").await.expect(303);
    assert_eq!(page.location(), "/admin/inventory/1150/1/");

    // A file names its stores, wherever they stand among all.
    let file = "store,sku,quantity\nSTORE 1150,T-1,8\nTwin,T-1,1\nStore 9999,T-1,1\n";
    let shown = browser.act("/admin/import/", &[("kind", "stock"), ("file", file)]).await.expect(200);
    for words in ["<del>7</del> <ins>8</ins>", "2 stores are called Twin", "No store is called Store 9999"] {
        assert!(shown.text.contains(words), "{words}: {}", shown.text);
    }
    let again = [("kind", "stock"), ("file", file), ("seen", &shown.hidden("seen"))];
    browser.act("/admin/import/", &again).await.expect(303);
    let stock = app.get("/stores/1150/inventory/").await.expect(200);
    assert_eq!(stock["results"][0]["quantity"], json!(8));
}
