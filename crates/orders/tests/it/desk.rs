//! What a page of orders costs, whatever it is narrowed to and whatever the planner was told: 60,000 orders that were
//! confirmed, 60,000 later ones that were rejected as everything was sold, all but a few of 40 stores.

use db::Seek;
use diesel_async::SimpleAsyncConnection;
use orders::{Filter, Status, desk};
use testkit::{TestDatabase, rows_read};
use tokio_postgres::Client;

const STORES: &str = "
    ALTER TABLE orders SET (autovacuum_enabled = false);
    INSERT INTO stores (name) SELECT 'Store ' || n FROM generate_series(1, 41) AS n;
    INSERT INTO orders (store_id, status, created_at) SELECT 1, 'CONFIRMED', timestamptz '2025-12-31 00:00:00Z'
        FROM generate_series(1, 300);
    VACUUM ANALYZE orders";

const SOLD_OUT: &str = "
    INSERT INTO orders (store_id, status, created_at)
        SELECT 1 + n * 7 % 40, CASE WHEN n > 60000 THEN 'REJECTED' ELSE 'CONFIRMED' END,
               timestamptz '2026-01-01 00:00:00Z' + (n / 4) * interval '1 second'
        FROM generate_series(1, 120000) AS n;
    UPDATE orders SET status = 'CANCELLED' WHERE id % 40000 = 301;
    INSERT INTO orders (store_id, status, created_at)
        SELECT 41, 'CONFIRMED', timestamptz '2026-01-01 06:00:00Z' FROM generate_series(1, 3)";

#[tokio::test]
async fn a_page_of_orders_looks_at_little_whatever_it_is_narrowed_to() {
    let test = TestDatabase::new().await;
    let sql = test.sql().await;
    for statement in STORES.split(';').chain(SOLD_OUT.split(';')) {
        sql.batch_execute(statement).await.unwrap();
    }
    let mut conn = test.connection().await.unwrap();
    let middle = (chrono::DateTime::parse_from_rfc3339("2026-01-01T04:10:00Z").unwrap().timestamp_micros(), 60_300);
    // First with what the planner knew of 300 orders of one store.
    for settings in [
        "SET plan_cache_mode = force_generic_plan",
        "SET plan_cache_mode = force_custom_plan",
        "ANALYZE orders",
        "SET plan_cache_mode = force_generic_plan",
    ] {
        conn.batch_execute(settings).await.unwrap();
        for store_id in [None, Some(1), Some(41)] {
            for status in [None, Some(Status::Confirmed), Some(Status::Rejected), Some(Status::Cancelled)] {
                for (oldest_first, seek) in [
                    (false, Seek::Skip(0)),
                    (true, Seek::Skip(0)),
                    (false, Seek::After(middle)),
                    (false, Seek::Before(middle)),
                ] {
                    let filter = Filter { status, ..Filter::default() };
                    let look = async |conn: &mut db::Connection| {
                        desk::browse(conn, store_id, &filter, oldest_first, &seek, 50).await.unwrap()
                    };
                    let ((page, _), read) = rows_read(&mut conn, look).await;
                    let what = format!("{settings}, {store_id:?}, {filter:?}, oldest first {oldest_first}, {seek:?}");
                    assert!(read < 10_000, "{what}: {read} rows");
                    assert!(page.rows.iter().all(|row| status.is_none_or(|status| row.status == status)), "{what}");
                    assert!(page.rows.iter().all(|row| store_id.is_none_or(|store| row.store_id == store)), "{what}");
                    if page.rows.len() < 50 && !page.more {
                        let there = remaining(&sql, store_id, status, oldest_first, &seek).await;
                        assert_eq!(page.rows.len(), there, "{what}");
                    }
                }
            }
        }
    }
}

/// How many orders lie in this direction.
async fn remaining(
    sql: &Client,
    store_id: Option<i64>,
    status: Option<Status>,
    oldest_first: bool,
    seek: &Seek<(i64, i64)>,
) -> usize {
    let (after, (micros, id)) = match seek {
        Seek::Skip(_) => (">", (0, 0)),
        Seek::After(place) => (if oldest_first { ">" } else { "<" }, *place),
        Seek::Before(place) => (if oldest_first { "<" } else { ">" }, *place),
    };
    let count = format!(
        "SELECT count(*) FROM orders WHERE ($1::bigint IS NULL OR store_id = $1) AND ($2::text IS NULL OR status = $2) \
         AND (created_at, id) {after} ('epoch'::timestamptz + {micros} * interval '1 microsecond', {id})"
    );
    let count: i64 = sql.query_one(&count, &[&store_id, &status.map(Status::as_str)]).await.unwrap().get(0);
    usize::try_from(count).unwrap()
}

#[tokio::test]
async fn confirmed_orders_are_found_behind_many_that_were_rejected() {
    let test = TestDatabase::new().await;
    let sql = test.sql().await;
    for statement in STORES.split(';').chain(SOLD_OUT.split(';')) {
        sql.batch_execute(statement).await.unwrap();
    }
    let conn = test.connection().await.unwrap();
    let filter = Filter { status: Some(Status::Confirmed), ..Filter::default() };
    for store in [None, Some(8)] {
        for oldest_first in [false, true] {
            let order = if oldest_first { "ASC" } else { "DESC" };
            let expected = format!(
                "SELECT id FROM orders WHERE status = 'CONFIRMED' AND ($1::bigint IS NULL OR store_id = $1) \
                 ORDER BY created_at {order}, id {order}"
            );
            let expected = sql.query(&expected, &[&store]).await.unwrap();
            let expected: Vec<i64> = expected.iter().map(|row| row.get(0)).collect();
            let (mut seek, mut found, mut pages) = (Seek::Skip(0), Vec::new(), 0);
            loop {
                let (page, reached) = desk::browse(&conn, store, &filter, oldest_first, &seek, 1_000).await.unwrap();
                found.extend(page.rows.iter().map(|row| row.id));
                pages += 1;
                match reached.or(page.rows.last().map(|row| row.key())) {
                    Some(place) if page.more => seek = Seek::After(place),
                    _ => break,
                }
            }
            assert_eq!(found, expected, "{store:?}, oldest first {oldest_first}");
            assert!(pages >= found.len() / 1_000 + found.len() / 40_000 * 25, "{pages} pages, many of them empty");
        }
    }
}
