use accounts::Actor;
use futures_util::future::join_all;
use orders::{CancelError, Status};

use crate::support::Shop;

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[tokio::test]
async fn a_cancelled_order_gives_its_stock_back_and_says_so() {
    let shop = Shop::open().await;
    let (pen, desk) = (shop.product("0.10", Some(5)).await, shop.product("199.99", Some(1)).await);
    let order = shop.place(&[(desk, 1), (pen, 3)]).await;
    let actor = Actor::program("test").in_request("req-7").in_trace(TRACE);
    let (cancelled, _) = shop.orders.cancel(order.id, &actor).await.unwrap();
    assert_eq!(cancelled.terms.status, Status::Cancelled);
    assert_eq!(cancelled.terms.lines, order.terms.lines);
    assert_eq!((shop.stock(pen).await, shop.stock(desk).await), (5, 1));
    let events = "SELECT store_id, payload::text, request_id, traceparent FROM outbox WHERE kind = 'order.cancelled'";
    let event = shop.sql.query_one(events, &[]).await.unwrap();
    assert_eq!((event.get::<_, i64>(0), event.get::<_, &str>(2)), (shop.store, "req-7"));
    assert_eq!(event.get::<_, &str>(3), TRACE);
    let payload: serde_json::Value = serde_json::from_str(event.get(1)).unwrap();
    let expected =
        serde_json::json!({ "store_id": shop.store, "order_id": order.id, "at": "2026-03-01T09:30:00.123456Z" });
    assert_eq!(payload, expected);
    // A cancellation writes no adjustment: its lines stop counting.
    assert_eq!(shop.number("SELECT count(*) FROM stock_adjustments", &[]).await, 2);
    shop.assert_ledger().await;
    // What came back can be sold again.
    assert_eq!(shop.place(&[(desk, 1)]).await.terms.status, Status::Confirmed);
    shop.assert_ledger().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stock_goes_back_once_however_many_cancel_at_once() {
    let shop = Shop::open().await;
    let pen = shop.product("0.10", Some(5)).await;
    let order = shop.place(&[(pen, 3)]).await;
    let actor = Actor::program("test");
    for cancelled in join_all((0..30).map(|_| shop.orders.cancel(order.id, &actor))).await {
        assert_eq!(cancelled.unwrap().0.terms.status, Status::Cancelled);
    }
    assert_eq!(shop.stock(pen).await, 5);
    assert_eq!(shop.number("SELECT count(*) FROM outbox WHERE kind = 'order.cancelled'", &[]).await, 1);
    let told = "SELECT count(*) FROM audit_log WHERE actor = 'test' AND action = 'cancel' AND object_kind = 'order' \
                AND before->>'status' = 'CONFIRMED' AND after->>'status' = 'CANCELLED'";
    assert_eq!(shop.number(told, &[]).await, 1);
    shop.assert_ledger().await;
}

#[tokio::test]
async fn only_a_confirmed_order_can_be_cancelled() {
    let shop = Shop::open().await;
    let pen = shop.product("0.10", Some(1)).await;
    let rejected = shop.place(&[(pen, 2)]).await;
    let insert = "INSERT INTO orders (store_id) VALUES ($1) RETURNING id";
    let pending: i64 = shop.sql.query_one(insert, &[&shop.store]).await.unwrap().get(0);
    for (id, stands) in [(rejected.id, Status::Rejected), (pending, Status::Pending)] {
        let refused = shop.orders.cancel(id, &Actor::program("test")).await;
        assert!(
            matches!(refused, Err(CancelError::NotConfirmed { order_id, status }) if (order_id, status) == (id, stands)),
            "{refused:?}"
        );
    }
    let unknown = shop.orders.cancel(i64::MAX, &Actor::program("test")).await;
    assert!(matches!(unknown, Err(CancelError::UnknownOrder(i64::MAX))));
    assert_eq!(shop.stock(pen).await, 1);
    assert_eq!(shop.number("SELECT count(*) FROM outbox", &[]).await, 0);
}
