//! What a page costs, whatever the planner was told: 60,000 products, a store that carries most of them, one that
//! carries few.

use db::{Config, Connection, Database, Role, Seek, Tx};
use diesel_async::SimpleAsyncConnection;
use stores::inventory::{self, Filter, Place};
use stores::stock;
use testkit::{Plan, TestDatabase, rows_read, rows_read_so_far};
use web::Spot;

const LARGE: i64 = 1;
const SMALL: i64 = 2;

/// Nothing of it is analysed, and nobody does so behind the test's back.
async fn fill(test: &TestDatabase) {
    let fill = "
        ALTER TABLE products SET (autovacuum_enabled = false);
        ALTER TABLE inventory SET (autovacuum_enabled = false);
        INSERT INTO categories (name) SELECT 'Category ' || n FROM generate_series(1, 30) AS n;
        INSERT INTO stores (name) VALUES ('Large'), ('Small');
        INSERT INTO products (title, category_id, price)
            SELECT 'Product ' || md5(n::text), 1 + n % 30, 1 FROM generate_series(1, 60000) AS n;
        INSERT INTO inventory SELECT 1, n, n % 50 FROM generate_series(1, 50000) AS n;
        INSERT INTO inventory SELECT 2, n * 200, n % 50 FROM generate_series(1, 300) AS n";
    test.sql().await.batch_execute(fill).await.unwrap();
}

fn from(seek: Seek<Place>, count: i64) -> Spot<Place> {
    Spot { seek, size: 20, page: 2, count: Some(count), list: None }
}

fn start() -> Seek<Place> {
    Seek::After((String::new(), 0))
}

async fn page(conn: &Connection, store: i64, spot: &Spot<Place>) -> usize {
    inventory::list(conn, store, &Filter::default(), spot).await.unwrap().1.rows.len()
}

#[tokio::test]
async fn a_page_of_a_large_store_costs_the_same_at_any_depth() {
    let test = TestDatabase::new().await;
    fill(&test).await;
    let mut conn = test.connection().await.unwrap();
    for settings in [
        "SET plan_cache_mode = force_generic_plan",
        "SET plan_cache_mode = force_custom_plan",
        "SET plan_cache_mode = auto; ANALYZE products; ANALYZE inventory",
        "SET plan_cache_mode = force_generic_plan",
    ] {
        conn.batch_execute(settings).await.unwrap();
        for _ in 0..7 {
            assert_eq!(page(&conn, LARGE, &from(start(), 50_000)).await, 20);
        }
        let mut costs = Vec::new();
        for title in ["", "product 8", "product ff8"] {
            let arguments = format!("{LARGE}, '', NULL, 0, 2147483647, '{title}', 0, 21");
            let plan = Plan::of(&mut conn, "LIMIT 250", &arguments).await;
            assert_eq!(plan.rows(), 21);
            assert!(
                !plan.steps().iter().any(|step| step.contains("Sort") || step == "Seq Scan on products"),
                "{plan:?}"
            );
            costs.push(plan.buffers());
        }
        let (least, most) = (costs.iter().min().unwrap(), costs.iter().max().unwrap());
        assert!(
            *most < 400 && most - least < 100,
            "{settings}: {costs:?} buffers at the start, in the middle, at the end"
        );
    }
}

#[tokio::test]
async fn a_page_of_a_small_store_reads_that_store_alone() {
    let test = TestDatabase::new().await;
    fill(&test).await;
    let mut conn = test.connection().await.unwrap();
    for settings in ["SELECT 1", "ANALYZE products; ANALYZE inventory", "SET plan_cache_mode = force_generic_plan"] {
        conn.batch_execute(settings).await.unwrap();
        for seek in [start(), Seek::After(("product 8".into(), 0)), Seek::Before(("product 8".into(), 0))] {
            let spot = from(seek, 300);
            let (rows, read) = rows_read(&mut conn, async |conn| page(conn, SMALL, &spot).await).await;
            assert_eq!(rows, 20);
            assert!(read < 1_000, "{settings}: {read} rows read for {spot:?}");
        }
    }
}

/// Statements of orders are prepared once per connection, and may outlive what the planner knew then.
#[tokio::test]
async fn stock_is_found_by_its_key_even_by_a_plan_from_when_there_was_little() {
    let test = TestDatabase::new().await;
    let one_connection = Config { pool_size: 1, ..Config::new(test.url(), Role::Gateway) };
    let database = Database::new(&one_connection).unwrap();
    let little = "
        ALTER TABLE inventory SET (autovacuum_enabled = false);
        INSERT INTO categories (name) VALUES ('Tea');
        INSERT INTO stores (name) SELECT 'Store ' || n FROM generate_series(1, 20) AS n;
        INSERT INTO products (title, category_id, price) SELECT 'P' || n, 1, 1 FROM generate_series(1, 2000) AS n;
        INSERT INTO inventory SELECT 1 + n % 2, n, 100 FROM generate_series(1, 100) AS n;
        ANALYZE";
    test.sql().await.batch_execute(little).await.unwrap();
    // More often than it takes PostgreSQL to stop planning anew.
    for _ in 0..8 {
        take_and_count(&database).await;
    }
    let much = "INSERT INTO inventory SELECT store, n, 100 FROM generate_series(1, 20) AS store, \
                generate_series(1, 2000) AS n ON CONFLICT DO NOTHING";
    test.sql().await.batch_execute(much).await.unwrap();
    let read = take_and_count(&database).await;
    assert!(read <= 30, "{read} rows were read to lock and change four");
}

/// Takes from one store, then from two, and tells how many rows were read for it.
async fn take_and_count(database: &Database) -> i64 {
    database
        .transaction::<_, db::Error, _>(|tx| {
            Box::pin(async move {
                let before = rows_read_so_far(tx).await;
                take(tx, &[(1, 2, 1), (1, 4, 1)]).await?;
                take(tx, &[(1, 2, 1), (2, 3, 1)]).await?;
                Ok(rows_read_so_far(tx).await - before)
            })
        })
        .await
        .unwrap()
}

async fn take(tx: &Tx, moves: &[stock::Quantity]) -> Result<(), db::Error> {
    let keys: Vec<stock::Key> = moves.iter().map(|&(store, product, _)| (store, product)).collect();
    assert_eq!(stock::lock(tx, &keys).await?.len(), 2);
    stock::deduct(tx, moves).await
}

#[tokio::test]
async fn a_category_of_a_large_store_is_walked_without_looking_at_all_of_it() {
    let test = TestDatabase::new().await;
    fill(&test).await;
    let sql = test.sql().await;
    sql.batch_execute("ANALYZE products; ANALYZE inventory").await.unwrap();
    let mut conn = test.connection().await.unwrap();
    // The products of a category lie together.
    let category = Filter { category: Some("category 3".into()), ..Filter::default() };
    for place in ["", "product 8", "product e"] {
        let spot = from(Seek::After((place.into(), 0)), 50_000);
        let (found, read) =
            rows_read(&mut conn, async |conn| inventory::list(conn, LARGE, &category, &spot).await.unwrap()).await;
        assert_eq!(found.1.rows.len(), 20);
        assert!(read < 300, "{read} rows read for a page of a category from {place:?} on");
    }
}

#[tokio::test]
async fn a_page_of_products_that_were_asked_for_costs_the_same_at_any_depth() {
    let test = TestDatabase::new().await;
    fill(&test).await;
    let mut conn = test.connection().await.unwrap();
    let given: Vec<i64> = (1..=10_000).map(|n| n * 7_919 % 60_000).collect();
    for settings in [
        "SET plan_cache_mode = force_generic_plan",
        "SET plan_cache_mode = force_custom_plan",
        "ANALYZE products; ANALYZE inventory",
    ] {
        conn.batch_execute(settings).await.unwrap();
        for seek in [Seek::Skip(0), Seek::After(5_000), Seek::Before(5_000), Seek::After(9_900)] {
            for (store, least, limit) in [(LARGE, 20, 4_300), (SMALL, 1, 2_500)] {
                let page =
                    async |conn: &mut Connection| inventory::among(conn, store, &given, None, &seek, 20).await.unwrap();
                let ((page, _), read) = rows_read(&mut conn, page).await;
                assert!(page.rows.len() >= least, "{settings}, {seek:?}: {} rows", page.rows.len());
                assert!(read < limit, "{settings}, {seek:?}: {read} rows read");
            }
            // Nothing is so scarce.
            let page =
                async |conn: &mut Connection| inventory::among(conn, LARGE, &given, Some(-1), &seek, 20).await.unwrap();
            let ((page, reached), read) = rows_read(&mut conn, page).await;
            assert!(page.rows.is_empty() && (reached.is_some() || seek == Seek::After(9_900)));
            assert!(read < 6_500, "{settings}, {seek:?}: {read} rows read in vain");
        }
    }
}
