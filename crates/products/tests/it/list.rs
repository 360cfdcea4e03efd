//! What a page costs, whatever the planner was told.

use db::{Connection, Seek};
use diesel_async::SimpleAsyncConnection;
use products::Filter;
use testkit::{Plan, TestDatabase, rows_read};
use web::Spot;

/// 60,000 products, of which the last 6,000 are tea and all others something else. Nothing is analysed.
async fn fill(test: &TestDatabase) {
    let fill = "
        ALTER TABLE products SET (autovacuum_enabled = false);
        INSERT INTO categories (name) VALUES ('Tea'), ('Other');
        INSERT INTO products (title, category_id, price)
            SELECT 'Product ' || n, CASE WHEN n > 54000 THEN 1 ELSE 2 END, 1 FROM generate_series(1, 60000) AS n";
    test.sql().await.batch_execute(fill).await.unwrap();
}

async fn page(conn: &Connection, filter: &Filter, seek: Seek<i64>) -> (i64, Vec<i64>, bool) {
    let spot = Spot::new(seek, 20);
    let (count, page) = products::list(conn, filter, &spot).await.unwrap();
    (count, page.rows.iter().map(|product| product.id).collect(), page.more)
}

#[tokio::test]
async fn a_page_costs_the_same_at_any_depth() {
    let test = TestDatabase::new().await;
    fill(&test).await;
    let mut conn = test.connection().await.unwrap();
    let tea = Filter { category: Some("tea".into()), sku: None };
    for settings in [
        "SET plan_cache_mode = force_generic_plan",
        "SET plan_cache_mode = force_custom_plan",
        "SET plan_cache_mode = auto; ANALYZE products; ANALYZE categories",
    ] {
        conn.batch_execute(settings).await.unwrap();
        for _ in 0..7 {
            page(&conn, &Filter::default(), Seek::After(30_000)).await;
            page(&conn, &tea, Seek::After(0)).await;
            page(&conn, &tea, Seek::Before(60_001)).await;
        }
        let mut costs = Vec::new();
        for (part, arguments) in [
            ("> $1) ORDER BY \"products\".\"id\"", "0, 21"),
            ("> $1) ORDER BY \"products\".\"id\"", "30000, 21"),
            ("> $1) ORDER BY \"products\".\"id\"", "59970, 21"),
            ("(products.category_id, products.id) >", "1, 0, 1, 21"),
            ("(products.category_id, products.id) >", "1, 59970, 1, 21"),
            ("(products.category_id, products.id) <", "1, 60001, 1, 21"),
            ("(products.category_id, products.id) <", "1, 54030, 1, 21"),
        ] {
            let plan = Plan::of(&mut conn, part, arguments).await;
            assert_eq!(plan.rows(), 21, "{part}");
            assert!(!plan.steps().contains(&"Seq Scan on products".to_owned()), "{:?}", plan.steps());
            costs.push(plan.buffers());
        }
        assert!(costs.iter().all(|buffers| *buffers < 120), "{settings}: {costs:?} buffers");
    }
}

#[tokio::test]
async fn a_page_by_number_reads_its_own_rows_alone() {
    let test = TestDatabase::new().await;
    fill(&test).await;
    test.sql().await.batch_execute("VACUUM (ANALYZE) products").await.unwrap();
    let mut conn = test.connection().await.unwrap();
    let tea = Filter { category: Some("1".into()), sku: None };
    for (filter, count, before) in [(Filter::default(), 60_000, 0), (tea, 6_000, 54_000)] {
        for skip in [0, 20, 5_980, 5_990, i64::MAX] {
            let (found, read) = rows_read(&mut conn, async |conn| page(conn, &filter, Seek::Skip(skip)).await).await;
            let first = skip.saturating_add(before).saturating_add(1);
            let ids: Vec<i64> = (first..=60_000).take(20).collect();
            let more = skip.saturating_add(20) < count;
            assert_eq!(found, (count, ids, more), "skipping {skip}");
            assert!(read < 100, "{read} rows read to skip {skip}");
        }
    }
}

#[tokio::test]
async fn a_category_is_found_by_its_name_before_its_id() {
    let test = TestDatabase::new().await;
    let build = test.build().await;
    let tea = build.category("Tea").await;
    let confusing = build.category(&tea.to_string()).await;
    let conn = test.connection().await.unwrap();
    for (given, found) in [
        ("tEA", Some(tea)),
        (&*tea.to_string(), Some(confusing)),
        (&*confusing.to_string(), Some(confusing)),
        ("te", None),
        ("", None),
        ("-1", None),
        ("99999999999999999999", None),
    ] {
        assert_eq!(products::find_category(&conn, given).await.unwrap(), found, "{given}");
    }
}
