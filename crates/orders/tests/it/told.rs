//! What a page of confirmations costs, whatever it is narrowed to: 100,000 that nobody sends, most of them given up, and
//! older ones that were sent.

use db::Seek;
use diesel_async::SimpleAsyncConnection;
use orders::ConfirmationState::{Failed, Pending, Sent};
use orders::desk::{self, Outcome, WantedConfirmations as Wanted};
use testkit::{TestDatabase, rows_read};

const MANY: &str = "
    INSERT INTO stores (name) SELECT 'Store ' || n FROM generate_series(1, 40) AS n;
    INSERT INTO orders (store_id, status, total_items, total_price, created_at)
        SELECT 1 + n * 7 % 40, 'CONFIRMED', 1, 1, timestamptz '2026-01-01 00:00:00Z' + (n / 4) * interval '1 second'
        FROM generate_series(1, 120000) AS n;
    INSERT INTO confirmations (store_id, order_id, state, sent_at, created_at)
        SELECT store_id, id, CASE WHEN id <= 20000 THEN 'sent' ELSE 'pending' END,
               CASE WHEN id <= 20000 THEN created_at END, created_at FROM orders;
    INSERT INTO outbox (store_id, kind, payload, failures, parked_at)
        SELECT store_id, 'order.confirmed', jsonb_build_object('store_id', store_id, 'order_id', id), 8, now()
        FROM orders WHERE id > 20000 AND id % 100 <> 0;
    VACUUM ANALYZE orders; VACUUM ANALYZE confirmations; VACUUM ANALYZE outbox";

#[tokio::test]
async fn a_page_of_confirmations_looks_at_little_whatever_it_is_narrowed_to() {
    let test = TestDatabase::new().await;
    let sql = test.sql().await;
    for statement in MANY.split(';') {
        sql.batch_execute(statement).await.unwrap();
    }
    let mut conn = test.connection().await.unwrap();
    let middle = (chrono::DateTime::parse_from_rfc3339("2026-01-01T04:10:00Z").unwrap().timestamp_micros(), 60_000);
    for mode in ["force_custom_plan", "force_generic_plan"] {
        conn.batch_execute(&format!("SET plan_cache_mode = {mode}")).await.unwrap();
        for outcome in
            [Outcome::Any, Outcome::Unsent, Outcome::Only(Sent), Outcome::Only(Pending), Outcome::Only(Failed)]
        {
            for (oldest_first, seek) in [
                (false, Seek::Skip(0)),
                (true, Seek::Skip(0)),
                (false, Seek::After(middle)),
                (false, Seek::Before(middle)),
            ] {
                let wanted = Wanted { outcome, oldest_first, ..Wanted::default() };
                let look =
                    async |conn: &mut db::Connection| desk::confirmations(conn, &wanted, &seek, 50).await.unwrap();
                let ((page, reached), read) = rows_read(&mut conn, look).await;
                assert!(read < 30_000, "{mode} {wanted:?} {seek:?}: {read} rows");
                assert!(page.rows.len() == 50 || reached.is_some(), "{mode} {wanted:?} {seek:?}: {page:?}");
                assert!(page.rows.iter().all(|told| wanted.includes(told)), "{mode} {wanted:?} {seek:?}: {page:?}");
            }
        }
    }
}

/// Stores whose newest or oldest orders were rejected, or whose customers were not told, beside others: what a store's
/// first order promises is not what it has.
const MIXED: &str = "
    INSERT INTO stores (name) SELECT 'Store ' || n FROM generate_series(1, 40) AS n;
    INSERT INTO orders (store_id, status, created_at)
        SELECT 1 + n * n % 40, CASE WHEN n * n % 40 % 3 = 0 AND n > 300 OR n % 11 = 0 THEN 'REJECTED' ELSE 'CONFIRMED' END,
               timestamptz '2026-01-01 00:00:00Z' + (n * 7 % 600 / 5) * interval '1 second'
        FROM generate_series(1, 600) AS n;
    INSERT INTO confirmations (store_id, order_id, state, sent_at, created_at)
        SELECT store_id, id, CASE WHEN told THEN 'sent' ELSE 'pending' END, CASE WHEN told THEN created_at END, created_at
        FROM (SELECT *, store_id % 4 > 0 AND created_at < '2026-01-01 00:01:30Z' OR id % 5 = 0 AS told FROM orders) AS orders
        WHERE status = 'CONFIRMED'";

#[tokio::test]
async fn confirmations_are_walked_past_orders_that_have_none() {
    let test = TestDatabase::new().await;
    test.sql().await.batch_execute(MIXED).await.unwrap();
    let conn = test.connection().await.unwrap();
    for (outcome, condition) in [(Outcome::Any, "true"), (Outcome::Only(Sent), "state = 'sent'")] {
        for (oldest_first, order) in [(false, "DESC"), (true, "ASC")] {
            let expected = format!(
                "SELECT order_id FROM confirmations WHERE {condition} ORDER BY created_at {order}, order_id {order}"
            );
            let expected = test.sql().await.query(&expected, &[]).await.unwrap();
            let expected: Vec<i64> = expected.iter().map(|row| row.get(0)).collect();
            assert!(expected.len() > 200, "{}", expected.len());
            for size in [1, 7, 50] {
                let wanted = Wanted { outcome, oldest_first, ..Wanted::default() };
                let (mut seek, mut there) = (Seek::Skip(0), Vec::new());
                loop {
                    let (page, reached) = desk::confirmations(&conn, &wanted, &seek, size).await.unwrap();
                    assert_eq!(reached, None);
                    there.extend(page.rows.iter().map(|told| told.order_id));
                    match page.rows.last() {
                        Some(last) if page.more => seek = Seek::After(last.key()),
                        last => {
                            seek = Seek::Before(last.unwrap().key());
                            break;
                        }
                    }
                }
                assert_eq!(there, expected, "{wanted:?}, {size} a page");
                let mut back = expected.last().copied().into_iter().collect::<Vec<_>>();
                loop {
                    let (page, _) = desk::confirmations(&conn, &wanted, &seek, size).await.unwrap();
                    back.splice(0..0, page.rows.iter().map(|told| told.order_id));
                    match page.rows.first() {
                        Some(first) if page.more => seek = Seek::Before(first.key()),
                        _ => break,
                    }
                }
                assert_eq!(back, expected, "{wanted:?}, {size} a page, on the way back");
            }
        }
    }
}
