//! How a batch finds its rows: by their keys, whatever the planner knew when the statements were prepared.

use db::{Config, Connection, Role};
use diesel::sql_types::{BigInt, Text};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use testkit::{Plan, TestDatabase, size};

use super::*;
use crate::basket::{Basket, Wanted as Line};

/// Nobody analyses behind the test's back.
const UNWATCHED: &str = "
    ALTER TABLE stores SET (autovacuum_enabled = false);
    ALTER TABLE products SET (autovacuum_enabled = false);
    ALTER TABLE inventory SET (autovacuum_enabled = false);
    ALTER TABLE idempotency_keys SET (autovacuum_enabled = false)";

/// A key for each row of the inventory.
const KEYS: &str = "INSERT INTO idempotency_keys (store_id, key, request_hash, order_id, answer) \
                    SELECT store_id, 'key ' || product_id, '', 1, '' FROM inventory";

/// The statements that read more than they write: a part of each that no other has, and arguments that make it find
/// four rows of two stores, or two of one.
const STATEMENTS: [(&str, &str); 7] = [
    ("AS asked (product_id) CROSS JOIN LATERAL", "1, '{1,3}'"),
    ("AS asked (store_id, product_id) CROSS JOIN LATERAL", "'{1,1,2,2}', '{1,3,1,2}'"),
    ("inventory.ctid = held.ctid", "'{1,1,2,2}', '{1,3,1,2}', '{1,1,1,1}'"),
    ("pg_try_advisory_xact_lock", "'{1,2}', '{\"\",\"\"}', '{\"key 1\",\"key 2\"}', '{1,2}', '2000-01-01'"),
    ("DELETE FROM idempotency_keys", "'{1,2}', '{\"\",\"\"}', '{\"key 1\",\"key 2\"}', '2000-01-01'"),
    ("SELECT \"products\".\"id\", \"products\".\"price\"", "'{1,2,3}'"),
    ("SELECT \"stores\".\"id\" FROM \"stores\" WHERE (\"stores\".\"id\" = ANY(", "'{1,2}'"),
];

fn request(store_id: i64, products: &[i64], key: usize) -> Request {
    let lines = products.iter().map(|&product_id| Line { product_id, quantity: 1 }).collect();
    Request {
        store_id,
        basket: Basket::new(lines).unwrap(),
        expected_total: None,
        customer_email: None,
        key: Some(Key { client: "test".into(), key: key.to_string() }),
        request_id: None,
        traceparent: None,
    }
}

/// The key of this request was answered too long ago to count.
async fn expire(batches: &Batches, request: &Request) {
    let insert = "INSERT INTO idempotency_keys (store_id, client, key, request_hash, order_id, answer, created_at) \
                  VALUES ($1, $2, $3, '', 1, '', now() - interval '4 days')";
    let key = request.key.as_ref().unwrap();
    let insert = diesel::sql_query(insert).bind::<BigInt, _>(request.store_id).bind::<Text, _>(&key.client);
    insert.bind::<Text, _>(&key.key).execute(&mut batches.database.connection().await.unwrap()).await.unwrap();
}

/// Places orders at one store, then at two, as often as it takes PostgreSQL to stop planning anew.
async fn place(batches: &Batches, keys: &mut std::ops::RangeFrom<usize>) {
    for _ in 0..8 {
        let mut next = |store, products: &[i64]| request(store, products, keys.next().unwrap());
        let (one, two) = ([next(1, &[1, 3]), next(1, &[3])], [next(1, &[3, 1]), next(2, &[1, 2])]);
        for requests in [&one, &two] {
            expire(batches, &requests[1]).await;
            let requests: Vec<&Request> = requests.iter().collect();
            let placed = batches.place(&requests, Pass::default()).await.unwrap();
            assert!(placed.iter().all(|placed| matches!(placed, Ok(Placed::New(_)))), "{placed:?}");
        }
        // Asked only of stores of which no row is wanted.
        stores::existing(&batches.database.connection().await.unwrap(), &[1, 2]).await.unwrap();
    }
}

async fn assert_by_key(conn: &mut Connection, stage: &str) {
    for (part, arguments) in STATEMENTS {
        conn.batch_execute("BEGIN").await.unwrap();
        let plan = Plan::of(conn, part, arguments).await;
        conn.batch_execute("ROLLBACK").await.unwrap();
        let steps = plan.steps();
        assert!(!steps.iter().any(|step| step.starts_with("Seq Scan")), "{stage}: {part}: {steps:?}");
        assert!(plan.buffers() < 80, "{stage}: {part}: {} buffers, {steps:?}", plan.buffers());
    }
}

#[tokio::test]
async fn load_rows_are_found_by_their_keys_from_an_empty_database_on() {
    let test = TestDatabase::new().await;
    let sql = test.sql().await;
    sql.batch_execute(UNWATCHED).await.unwrap();
    // As empty as a database can be in which orders are placed.
    test.build().await.fill(2, 3).await;
    let database = Database::new(&Config::new(test.url(), Role::Gateway)).unwrap();
    // As the lanes have it, with one connection.
    let database = database.apart_planned_once(1).unwrap();
    let batches = Batches::new(database.clone(), Clock::system(), false, Bell::hang(&database).unwrap());
    let mut keys = 0..;
    place(&batches, &mut keys).await;
    assert_by_key(&mut batches.database.connection().await.unwrap(), "empty").await;

    test.build().await.fill(20, size(5_000, 60_000)).await;
    sql.batch_execute(KEYS).await.unwrap();
    assert_by_key(&mut batches.database.connection().await.unwrap(), "grown, and planned when empty").await;
    place(&batches, &mut keys).await;
    // Planned anew while the statistics know of nothing.
    let mut conn = batches.database.connection().await.unwrap();
    conn.batch_execute("DISCARD PLANS").await.unwrap();
    assert_by_key(&mut conn, "grown, and never analysed").await;
    conn.batch_execute("SET plan_cache_mode = auto").await.unwrap();
    assert_by_key(&mut conn, "grown, never analysed, planned as PostgreSQL likes").await;
    conn.batch_execute("SET plan_cache_mode = force_custom_plan").await.unwrap();
    assert_by_key(&mut conn, "grown, never analysed, planned each time").await;

    sql.batch_execute("ANALYZE").await.unwrap();
    assert_by_key(&mut conn, "analysed, planned each time").await;
    conn.batch_execute("SET plan_cache_mode = force_generic_plan").await.unwrap();
    assert_by_key(&mut conn, "analysed, planned once").await;
}
