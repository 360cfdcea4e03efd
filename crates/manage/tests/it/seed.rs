use crate::support::Bench;

/// What a seeded row is, apart from ids and from when it was written.
const PRODUCTS: &str =
    "sku, title, description, price, created_at, (SELECT name FROM categories c WHERE c.id = category_id)";
const STORES: &str = "name, location, created_at";
const INVENTORY: &str =
    "(SELECT name FROM stores s WHERE s.id = store_id), (SELECT sku FROM products p WHERE p.id = product_id), quantity";

async fn content(bench: &Bench) -> Vec<String> {
    let mut content = Vec::new();
    for (columns, table) in [(PRODUCTS, "products"), (STORES, "stores"), (INVENTORY, "inventory")] {
        content.push(bench.checksum_of(columns, table).await);
    }
    content
}

#[tokio::test]
async fn makes_what_was_asked_for_and_the_ledger_adds_up() {
    let bench = Bench::new().await;
    let run = bench.manage(&["seed", "--products", "700", "--stores", "5"]).await.ok();
    assert!(run.out.starts_with("Seeded 700 products in 22 categories, 5 stores and "), "{run:?}");
    assert_eq!((run.out.lines().count(), run.err.as_str()), (1, ""), "one line where there is no terminal");
    assert_eq!(bench.number("SELECT count(*) FROM products WHERE sku ~ '^SR-[0-9]{6}$'").await, 700);
    assert_eq!(bench.number("SELECT count(DISTINCT title) FROM products").await, 700);
    assert!(bench.number("SELECT count(DISTINCT category_id) FROM products").await >= 12);
    assert_eq!(bench.number("SELECT count(*) FROM stores").await, 5);
    let outside =
        "SELECT count(*) FROM (SELECT FROM inventory GROUP BY store_id HAVING count(*) NOT BETWEEN 300 AND 600) s";
    assert_eq!(bench.number(outside).await, 0);
    assert!(bench.number("SELECT count(*) FROM inventory WHERE quantity = 0").await > 0);
    assert!(bench.number("SELECT count(*) FROM inventory WHERE quantity BETWEEN 1 AND 5").await > 0);
    assert_eq!(bench.drift().await, 0);
    let unaccounted =
        "SELECT count(*) FROM stock_adjustments WHERE reason <> 'seed' OR actor <> 'manage' OR delta <= 0";
    assert_eq!(bench.number(unaccounted).await, 0);
    assert_eq!(
        bench
            .number("SELECT count(*) FROM pg_stat_user_tables WHERE relname = 'products' AND last_analyze IS NULL")
            .await,
        0
    );
}

#[tokio::test]
async fn the_same_seed_makes_the_same_rows_and_another_seed_others() {
    let (one, two, other) = tokio::join!(Bench::new(), Bench::new(), Bench::new());
    one.manage(&["seed", "--products", "400", "--stores", "3"]).await.ok();
    two.manage(&["seed", "--products", "400", "--stores", "3"]).await.ok();
    other.manage(&["seed", "--products", "400", "--stores", "3", "--seed", "7"]).await.ok();
    let (one, two, other) = (content(&one).await, content(&two).await, content(&other).await);
    assert_eq!(one, two);
    assert!(one.iter().zip(&other).all(|(one, other)| one != other), "{one:?} {other:?}");
}

#[tokio::test]
async fn seeding_again_goes_on_where_it_stopped() {
    let (at_once, in_parts) = tokio::join!(Bench::new(), Bench::new());
    at_once.manage(&["seed", "--products", "300", "--stores", "0"]).await.ok();
    at_once.manage(&["seed", "--products", "0", "--stores", "4"]).await.ok();
    in_parts.manage(&["seed", "--products", "100", "--stores", "0"]).await.ok();
    in_parts.manage(&["seed", "--products", "200", "--stores", "1"]).await.ok();
    in_parts.manage(&["seed", "--products", "0", "--stores", "3"]).await.ok();
    assert_eq!(content(&at_once).await, content(&in_parts).await);
    assert_eq!(in_parts.drift().await, 0);
}

#[tokio::test]
async fn adds_to_what_an_operator_made_by_hand() {
    let bench = Bench::new().await;
    let build = bench.database.build().await;
    build.product("Lamp of my own", "LIGHTING", "10.00").await;
    bench.manage(&["seed", "--products", "5", "--stores", "1"]).await.ok();
    let taken: String = bench.database.sql().await.query_one("SELECT name FROM stores", &[]).await.unwrap().get(0);
    bench
        .database
        .sql()
        .await
        .execute("DELETE FROM products WHERE sku = 'SR-000002' AND id NOT IN (SELECT product_id FROM inventory)", &[])
        .await
        .unwrap();
    bench.manage(&["seed", "--products", "200", "--stores", "2"]).await.ok();
    assert_eq!(bench.number("SELECT count(*) FROM categories WHERE lower(name) = 'lighting'").await, 1);
    assert_eq!(bench.number("SELECT count(*) FROM stores").await, 3);
    assert_eq!(bench.number(&format!("SELECT count(*) FROM stores WHERE name = '{taken}'")).await, 1);
    assert_eq!(bench.number("SELECT max(substr(sku, 4)::bigint) FROM products").await, 205);
}

#[tokio::test]
async fn if_empty_leaves_a_catalogue_alone() {
    let bench = Bench::new().await;
    bench.manage(&["seed", "--products", "50", "--stores", "1", "--if-empty"]).await.ok();
    let before = bench.checksum().await;
    let again = bench.manage(&["seed", "--if-empty"]).await.ok();
    assert_eq!(again.out, "There are products already; nothing seeded.\n");
    assert_eq!(bench.checksum().await, before);
}

#[tokio::test]
async fn two_that_seed_at_once_take_turns() {
    let bench = Bench::new().await;
    let arguments = ["seed", "--products", "150", "--stores", "2"];
    let (one, two) = tokio::join!(bench.manage(&arguments), bench.manage(&arguments));
    one.ok();
    two.ok();
    assert_eq!(bench.number("SELECT count(*) FROM products").await, 300);
    assert_eq!(bench.number("SELECT count(DISTINCT lower(name)) FROM stores").await, 4);
}

#[tokio::test]
async fn more_categories_than_there_are_words_for() {
    let bench = Bench::new().await;
    bench.manage(&["seed", "--products", "2500", "--stores", "1", "--categories", "300"]).await.ok();
    assert_eq!(bench.number("SELECT count(DISTINCT lower(name)) FROM categories").await, 300);
    assert_eq!(bench.number("SELECT count(DISTINCT category_id) FROM products").await, 300);
}

#[tokio::test]
async fn orders_of_the_past_leave_the_ledger_exact() {
    let bench = Bench::new().await;
    let run = bench
        .manage(&["seed", "--products", "300", "--stores", "12", "--assortment", "40", "--orders", "900"])
        .await
        .ok();
    assert!(run.out.contains("480 inventory rows, and 900 orders in "), "{run:?}");
    let others = "SELECT count(*) FROM (SELECT FROM inventory GROUP BY store_id HAVING count(*) <> 40) AS s";
    assert_eq!(bench.number(others).await, 0);
    assert_eq!(bench.number("SELECT count(*) FROM orders").await, 900);
    assert_eq!(bench.number("SELECT count(DISTINCT status) FROM orders").await, 3);
    let totals = "SELECT count(*) FROM orders o WHERE (total_items, total_price) <> \
                  (SELECT sum(quantity_requested), sum(quantity_requested * unit_price) FROM order_items l \
                   WHERE (l.store_id, l.order_id) = (o.store_id, o.id))";
    assert_eq!(bench.number(totals).await, 0);
    let odd = "SELECT count(*) FROM orders o WHERE (status = 'REJECTED') <> NOT EXISTS \
               (SELECT FROM confirmations c WHERE (c.store_id, c.order_id) = (o.store_id, o.id) AND state = 'sent')";
    assert_eq!(bench.number(odd).await, 0);
    assert_eq!(bench.drift().await, 0);
    bench.manage(&["seed", "--products", "0", "--stores", "0", "--orders", "100"]).await.ok();
    assert_eq!(bench.number("SELECT count(*) FROM orders").await, 1_000);
    assert_eq!(bench.number("SELECT count(DISTINCT created_at) FROM orders").await, 1_000, "they are others");
    assert_eq!(bench.drift().await, 0);
    bench.manage(&["ledger", "verify"]).await.ok();
}

#[tokio::test]
async fn orders_need_something_that_can_be_ordered() {
    let bench = Bench::new().await;
    let run = bench.manage(&["seed", "--products", "0", "--stores", "0", "--orders", "1"]).await;
    assert_eq!(run.status, 1, "{run:?}");
    assert!(run.err.contains("no store carries anything"), "{run:?}");
}

#[tokio::test]
async fn seeding_is_one_line_of_the_audit_log() {
    let bench = Bench::new().await;
    bench.manage(&["seed", "--products", "20", "--stores", "1", "--orders", "3"]).await.ok();
    let told = "SELECT count(*) FROM audit_log WHERE (actor, action, object_kind) = ('manage', 'seed', 'database') \
                AND before IS NULL AND after->>'products' = '20' AND after->>'orders' = '3'";
    assert_eq!(bench.number(told).await, 1);
    assert_eq!(bench.number("SELECT count(*) FROM audit_log").await, 1);
}

#[tokio::test]
async fn a_great_deal_is_seeded_into_the_same_schema() {
    /// Every index with its comment, and every trigger with whether it fires.
    const SCHEMA: &str = "SELECT indexdef || coalesce(obj_description(indexname::regclass, 'pg_class'), '') FROM pg_indexes \
         WHERE schemaname = 'public' \
         UNION ALL SELECT concat(tgrelid::regclass, ' ', tgname, ' ', tgenabled) FROM pg_trigger ORDER BY 1";
    let bench = Bench::new().await;
    let sql = bench.database.sql().await;
    let schema = async || -> Vec<String> {
        sql.query(SCHEMA, &[]).await.unwrap().iter().map(|row| row.get::<_, Option<String>>(0).unwrap()).collect()
    };
    let before = schema().await;
    assert!(before.iter().any(|line| line.contains("products_price_idx")), "{before:?}");
    bench.manage(&["seed", "--products", "10001", "--stores", "1"]).await.ok();
    assert_eq!(schema().await, before);
    assert_eq!(bench.drift().await, 0);
    let changes = "SELECT count(*) FILTER (WHERE kind = 'everything'), count(*) FROM search_changes";
    let changes = sql.query_one(changes, &[]).await.unwrap();
    let [everything, all] = [0, 1].map(|column| changes.get::<_, i64>(column));
    assert!(
        everything > 0 && all - everything <= 22,
        "only the categories are told of one by one: {everything} of {all}"
    );
    // Where there is something to be read, nothing is put aside.
    bench.manage(&["seed", "--products", "10001", "--stores", "0"]).await.ok();
    assert_eq!(bench.number("SELECT count(*) FROM search_changes WHERE kind = 'title'").await, 10_001);
}
