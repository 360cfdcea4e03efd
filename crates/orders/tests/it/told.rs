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
