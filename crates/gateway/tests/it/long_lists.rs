//! Lists that are too long to be counted off for every page: pages by number are those that a plain query shows.

use std::time::Duration;

use serde_json::Value;
use testkit::{TestApp, eventually};

use crate::lists::column;

/// 12,000 products in one category, all carried by the store that has ordered 12,000 times.
async fn fill(app: &TestApp) {
    let fill = "
        INSERT INTO categories (name) VALUES ('Tea'), ('Coffee');
        INSERT INTO stores (name) VALUES ('Corner');
        INSERT INTO products (title, category_id, price)
            SELECT 'Tea ' || md5(n::text), 1, 1 FROM generate_series(1, 12000) AS n;
        INSERT INTO inventory SELECT 1, id, id % 3 FROM products;
        INSERT INTO orders (store_id, status, created_at)
            SELECT 1, CASE WHEN n % 4 = 0 THEN 'REJECTED' ELSE 'CONFIRMED' END, now() - n * interval '1 minute'
            FROM generate_series(1, 12000) AS n;
        VACUUM ANALYZE";
    let sql = app.database.sql().await;
    for statement in fill.split(';') {
        sql.batch_execute(statement).await.unwrap();
    }
}

async fn ids(app: &TestApp, sql: &str) -> Vec<i64> {
    app.database.sql().await.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

/// Each of these pages of twenty of the list at `path`, whose rows should have these ids in `name`.
async fn hold(app: &TestApp, path: &str, name: &str, all: &[i64]) {
    let last = all.len().div_ceil(20);
    for page in [1, 2, 13, 14, 51, last / 2, last - 1, last] {
        let shown = app.get(&format!("{path}page={page}")).await.expect(200);
        let expected: Vec<Value> = all.iter().skip((page - 1) * 20).take(20).map(|id| Value::from(*id)).collect();
        assert_eq!(column(&shown, name), expected, "{path}page={page}");
        assert_eq!(shown["count"], all.len(), "{path}page={page}");
        assert_eq!(shown["next"].is_null(), page == last, "{path}page={page}");
        assert_eq!(shown["previous"].is_null(), page == 1, "{path}page={page}");
    }
    app.get(&format!("{path}page={}", last + 1)).await.expect_problem(404, "no_such_page");
}

#[tokio::test]
async fn pages_by_number_are_those_of_a_plain_query() {
    let app = TestApp::start().await;
    fill(&app).await;
    let by_title = "SELECT product_id FROM inventory JOIN products ON id = product_id WHERE quantity >= ";
    let lists = [
        ("/products/?", "id", "SELECT id FROM products ORDER BY id".to_owned()),
        ("/products/?category=tea&", "id", "SELECT id FROM products WHERE category_id = 1 ORDER BY id".into()),
        ("/stores/1/orders/?", "id", "SELECT id FROM orders ORDER BY created_at DESC, id DESC".into()),
        (
            "/stores/1/orders/?status=CONFIRMED&created_before=2999-01-01T00:00:00Z&",
            "id",
            "SELECT id FROM orders WHERE status = 'CONFIRMED' ORDER BY created_at DESC, id DESC".into(),
        ),
        ("/stores/1/inventory/?", "product_id", format!("{by_title} 0 ORDER BY title_key, id")),
        ("/stores/1/inventory/?in_stock=true&", "product_id", format!("{by_title} 1 ORDER BY title_key, id")),
    ];
    for (path, name, sql) in &lists {
        let all = ids(&app, sql).await;
        // A far page first, of which nothing is known yet; then all of them, with what is known by then.
        let far = app.get(&format!("{path}page=301")).await.expect(200);
        assert_eq!(column(&far, name)[0], all[6_000], "{path}");
        hold(&app, path, name, &all).await;
    }
}

#[tokio::test]
async fn what_is_added_shows_at_once_and_what_goes_soon() {
    let app = TestApp::start().await;
    fill(&app).await;
    let (products, orders) =
        ("SELECT id FROM products ORDER BY id", "SELECT id FROM orders ORDER BY created_at DESC, id DESC");
    let stocked = "SELECT product_id FROM inventory JOIN products ON id = product_id ORDER BY title_key, id";
    for (path, name, sql) in [
        ("/products/?", "id", products),
        ("/stores/1/orders/?", "id", orders),
        ("/stores/1/inventory/?", "product_id", stocked),
    ] {
        app.get(&format!("{path}page=301")).await.expect(200);
        let more = "INSERT INTO products (title, category_id, price) SELECT 'More', 2, 1 FROM generate_series(1, 300);
                    INSERT INTO orders (store_id) SELECT 1 FROM generate_series(1, 300);
                    INSERT INTO inventory SELECT 1, id, 1 FROM products ON CONFLICT DO NOTHING";
        app.database.sql().await.batch_execute(more).await.unwrap();
        hold(&app, path, name, &ids(&app, sql).await).await;
    }
    let less = "DELETE FROM products WHERE id % 12 = 0; DELETE FROM orders WHERE id % 12 = 0";
    app.database.sql().await.batch_execute(less).await.unwrap();
    for (path, name, sql) in [
        ("/products/?", "id", products),
        ("/stores/1/orders/?", "id", orders),
        ("/stores/1/inventory/?", "product_id", stocked),
    ] {
        let all = ids(&app, sql).await;
        eventually("the list is known again as it is", Duration::from_secs(20), async || {
            let count = app.get(path).await.expect(200)["count"].as_u64()?;
            (count == all.len() as u64).then_some(())
        })
        .await;
        hold(&app, path, name, &all).await;
    }
}

#[tokio::test]
async fn few_rows_of_a_large_inventory_are_counted_each_time() {
    let app = TestApp::start().await;
    fill(&app).await;
    let sql = app.database.sql().await;
    sql.batch_execute("UPDATE inventory SET quantity = 7").await.unwrap();
    let path = "/stores/1/inventory/?low_stock=0";
    for sold_out in [0_i64, 1, 3] {
        sql.execute("UPDATE inventory SET quantity = 0 WHERE product_id <= $1", &[&sold_out]).await.unwrap();
        // Twice: what the first reading left behind must not answer the second, nor what comes after it.
        for _ in 0..2 {
            let shown = app.get(path).await.expect(200);
            assert_eq!(shown["count"], sold_out);
            assert_eq!(column(&shown, "product_id").len(), usize::try_from(sold_out).unwrap());
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }
}

#[tokio::test]
async fn a_short_list_is_counted_each_time() {
    let app = TestApp::start().await;
    let build = app.build().await;
    let store = build.store("Corner").await;
    let path = format!("/stores/{store}/inventory/");
    for count in 1..=3 {
        let product = build.product(&format!("Tea {count}"), "Tea", "1.00").await;
        build.stock(store, product, 1).await;
        assert_eq!(app.get(&path).await.expect(200)["count"], count);
    }
}
