//! What a page of orders costs, whatever it is narrowed to and whatever the planner was told: 60,000 orders that were
//! confirmed, 60,000 later ones that were rejected as everything was sold, all but a few of 40 stores.

use accounts::Actor;
use db::{Clock, Seek};
use diesel_async::SimpleAsyncConnection;
use orders::desk::{self, ResendError};
use orders::{Config, Filter, Orders, Status};
use testkit::{TestDatabase, rows_read};
use tokio_postgres::Client;

use crate::support::Shop;

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

/// Whoever throws confirmations away and whoever has them sent again need the same rows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn discarding_and_sending_again_do_not_stand_in_each_others_way() {
    let test = TestDatabase::new().await;
    let sql = test.sql().await;
    let given_up = "
        INSERT INTO stores (name) VALUES ('Corner shop');
        INSERT INTO orders (store_id, status) SELECT 1, 'CONFIRMED' FROM generate_series(1, 60);
        INSERT INTO confirmations (store_id, order_id) SELECT store_id, id FROM orders ORDER BY id DESC;
        INSERT INTO outbox (store_id, kind, payload, failures, parked_at)
            SELECT store_id, 'order.confirmed', jsonb_build_object('store_id', store_id, 'order_id', id), 8, now()
            FROM orders ORDER BY id % 7, id";
    sql.batch_execute(given_up).await.unwrap();
    let orders = Orders::new(test.handle(), Clock::system(), &Config::default()).unwrap();
    for round in 0..5 {
        sql.batch_execute("UPDATE outbox SET parked_at = now()").await.unwrap();
        let discard = async || {
            let all = outbox::Which::default();
            let gone = test.transaction(move |tx| Box::pin(async move { desk::discard(tx, &all, 500).await }));
            gone.await.unwrap()
        };
        let resend = async |from: i64| {
            for id in (0..60).map(|n| 1 + (n + from) % 60) {
                match orders.resend_confirmation(id, &Actor::program("test")).await {
                    Ok(()) | Err(ResendError::OnItsWay(_)) => {}
                    Err(error) => panic!("round {round}, order {id}: {error}"),
                }
            }
        };
        tokio::join!(discard(), resend(0), resend(31), discard());
        let odd = "SELECT count(*) FROM confirmations WHERE (state = 'pending') <> EXISTS ( \
                       SELECT FROM outbox WHERE payload @> jsonb_build_object('order_id', order_id))";
        assert_eq!(sql.query_one(odd, &[]).await.unwrap().get::<_, i64>(0), 0, "round {round}");
    }
}

#[tokio::test]
async fn nothing_is_left_to_see_to_of_an_order_that_was_cancelled() {
    let shop = Shop::open().await;
    let tea = shop.product("1.00", Some(10)).await;
    let mut placed = Vec::new();
    for _ in 0..2 {
        placed.push(shop.place(&[(tea, 1)]).await.id);
    }
    shop.sql.batch_execute("UPDATE outbox SET parked_at = now()").await.unwrap();
    let actor = Actor::program("test");
    // One is cancelled before its confirmation is thrown away, the other afterwards.
    shop.orders.cancel(placed[0], &actor).await.unwrap();
    let which = outbox::Which { kind: Some("order.confirmed".into()), ..outbox::Which::default() };
    let gone = shop.database.transaction(move |tx| Box::pin(async move { desk::discard(tx, &which, 9).await }));
    assert_eq!(gone.await.unwrap().len(), 2);
    let states = async || {
        let states = "SELECT string_agg(state, ' ' ORDER BY order_id) FROM confirmations";
        shop.sql.query_one(states, &[]).await.unwrap().get::<_, String>(0)
    };
    assert_eq!(states().await, "sent failed");
    // Sent again, it is a letter of its own; that is given up and thrown away once more.
    shop.orders.resend_confirmation(placed[1], &actor).await.unwrap();
    let own = "SELECT count(*) FROM outbox WHERE kind = 'order.confirmed' AND payload ? 'resent'";
    assert_eq!(shop.number(own, &[]).await, 1);
    shop.sql.batch_execute("UPDATE outbox SET parked_at = now()").await.unwrap();
    let which = outbox::Which { kind: Some("order.confirmed".into()), ..outbox::Which::default() };
    let gone = shop.database.transaction(move |tx| Box::pin(async move { desk::discard(tx, &which, 9).await }));
    assert_eq!(gone.await.unwrap().len(), 1);
    assert_eq!(states().await, "sent failed");
    shop.orders.cancel(placed[1], &actor).await.unwrap();
    assert_eq!(states().await, "sent sent");
}
