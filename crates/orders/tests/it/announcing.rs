use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use accounts::Actor;
use orders::{Config, CustomerEmail, Orders, Placed, Request, Status};
use serde_json::{Value, json};
use testkit::eventually;

use crate::support::{Shop, relaxed};

async fn events(shop: &Shop) -> Vec<(String, Value, Option<String>)> {
    let query = "SELECT kind, payload::text, request_id FROM outbox ORDER BY kind, id";
    let rows = shop.sql.query(query, &[]).await.unwrap();
    rows.iter().map(|row| (row.get(0), serde_json::from_str(row.get(1)).unwrap(), row.get(2))).collect()
}

#[tokio::test]
async fn where_no_webhook_listens_a_rejected_order_records_nothing() {
    let shop = Shop::open().await;
    let pen = shop.product("0.10", Some(1)).await;
    assert_eq!(shop.place(&[(pen, 2)]).await.terms.status, Status::Rejected);
    assert_eq!(events(&shop).await, []);
    assert_eq!(shop.place(&[(pen, 1)]).await.terms.status, Status::Confirmed);
    assert_eq!(events(&shop).await.len(), 1);
}

#[tokio::test]
async fn a_webhook_is_told_of_every_decision_and_of_no_person() {
    let shop = Shop::open().await;
    let config = Config { announces: true, ..relaxed() };
    let orders = Orders::new(shop.patient.clone(), shop.clock.clone(), &config).unwrap();
    let pen = shop.product("0.10", Some(1)).await;
    let place = async |quantity| {
        let customer_email = Some(CustomerEmail::parse("ann@customer.example").unwrap());
        let request = Request { customer_email, ..shop.request(&[(pen, quantity)]) };
        let Placed::New(order) = orders.place(request).await.unwrap() else { panic!("it is new") };
        order.id
    };
    let (rejected, confirmed) = (place(2).await, place(1).await);
    let told = |order_id: i64, status: &str, total_items: i64, total_price: &str| {
        let at = "2026-03-01T09:30:00.123456Z";
        json!({ "store_id": shop.store, "order_id": order_id, "status": status, "at": at,
                "total_items": total_items, "total_price": total_price })
    };
    let confirmation = json!({ "store_id": shop.store, "order_id": confirmed, "has_address": true });
    let by = || Some("test".to_owned());
    assert_eq!(
        events(&shop).await,
        [
            ("order.confirmed".to_owned(), confirmation, by()),
            ("order.decided".to_owned(), told(rejected, "REJECTED", 2, "0.20"), by()),
            ("order.decided".to_owned(), told(confirmed, "CONFIRMED", 1, "0.10"), by()),
        ]
    );
}

/// Not from the transaction itself, where it would make all orders commit one after another.
#[tokio::test]
async fn whoever_carries_events_on_is_woken_by_each_order_and_cancellation() {
    let shop = Shop::open().await;
    let pen = shop.product("0.10", Some(9)).await;
    let woken = Arc::new(AtomicUsize::new(0));
    let counted = woken.clone();
    tokio::spawn(outbox::listen(shop.patient.clone(), move || _ = counted.fetch_add(1, Ordering::Relaxed)));
    let heard = async |times: usize| {
        let is_heard = async || (woken.load(Ordering::Relaxed) >= times).then_some(());
        eventually("it is woken", Duration::from_secs(10), is_heard).await;
    };
    heard(1).await;
    let order = shop.place(&[(pen, 1)]).await;
    heard(2).await;
    shop.orders.cancel(order.id, &Actor::program("test")).await.unwrap();
    heard(3).await;
}

#[tokio::test]
async fn the_database_refuses_an_address_that_could_end_a_line() {
    let shop = Shop::open().await;
    let insert = "INSERT INTO orders (store_id, customer_email) VALUES ($1, $2)";
    for wrong in ["ann", "a@b\r\nBcc: eve@evil.example", "a@b\n", "a b@c"] {
        let refused = shop.sql.execute(insert, &[&shop.store, &wrong]).await.unwrap_err();
        let broken = refused.as_db_error().and_then(|error| error.constraint().map(str::to_owned));
        assert_eq!(broken.as_deref(), Some("orders_customer_email_plain"), "{wrong:?}");
    }
}
