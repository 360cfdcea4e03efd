use accounts::Actor;
use futures_util::future::join_all;
use orders::events::OrderConfirmed;
use orders::reactions::{Notices, ReactionError, Telling, confirm};
use orders::{Confirmation, ConfirmationState, CustomerEmail, Request};

use crate::support::Shop;

async fn confirmation(shop: &Shop, event: OrderConfirmed) -> Confirmation {
    shop.orders.find(event.order_id).await.unwrap().unwrap().1.unwrap()
}

async fn confirmed_order(shop: &Shop) -> OrderConfirmed {
    let pen = shop.product("0.10", Some(5)).await;
    let order = shop.place(&[(pen, 1)]).await;
    OrderConfirmed { store_id: shop.store, order_id: order.id, has_address: false, resent: None }
}

/// What came of an attempt to confirm an order to its customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Sent,
    AlreadySent,
}

async fn send_at(shop: &Shop, event: &OrderConfirmed, attempt: u32) -> Result<Outcome, ReactionError> {
    match confirm(&shop.patient, &shop.clock, event, attempt).await? {
        Some(confirming) => confirming.told("test").await.map(|()| Outcome::Sent),
        None => Ok(Outcome::AlreadySent),
    }
}

async fn send(shop: &Shop, event: &OrderConfirmed) -> Result<Outcome, ReactionError> {
    send_at(shop, event, 1).await
}

#[tokio::test]
async fn it_is_sent_once_however_often_it_is_asked_for() {
    let shop = Shop::open().await;
    let event = confirmed_order(&shop).await;
    let pending = Confirmation { state: ConfirmationState::Pending, attempts: 0, sent_at: None };
    assert_eq!(confirmation(&shop, event).await, pending);

    assert_eq!(send(&shop, &event).await.unwrap(), Outcome::Sent);
    let sent = confirmation(&shop, event).await;
    let now = Some(shop.clock.now());
    assert_eq!(sent, Confirmation { state: ConfirmationState::Sent, attempts: 1, sent_at: now });

    shop.clock.advance(chrono::TimeDelta::hours(1));
    assert_eq!(send(&shop, &event).await.unwrap(), Outcome::AlreadySent);
    assert_eq!(confirmation(&shop, event).await, sent, "the second time changes nothing");
}

#[tokio::test]
async fn what_staff_have_sent_again_after_it_was_sent_is_told_apart_and_belongs_to_their_trace() {
    let shop = Shop::open().await;
    let event = confirmed_order(&shop).await;
    send(&shop, &event).await.unwrap();
    shop.sql.execute("DELETE FROM outbox", &[]).await.unwrap();
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    shop.orders.resend_confirmation(event.order_id, &Actor::program("test").in_trace(trace)).await.unwrap();
    let pending = Confirmation { state: ConfirmationState::Pending, attempts: 0, sent_at: None };
    assert_eq!(confirmation(&shop, event).await, pending);
    let row = "SELECT (payload->>'resent')::bigint, traceparent FROM outbox";
    let row = shop.sql.query_one(row, &[]).await.unwrap();
    assert_eq!(row.get::<_, Option<i64>>(0), Some(shop.clock.now().timestamp_micros()));
    assert_eq!(row.get::<_, Option<&str>>(1), Some(trace));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deliveries_that_overlap_send_it_once() {
    let shop = Shop::open().await;
    let event = confirmed_order(&shop).await;
    let outcomes = join_all((0..10).map(|_| send(&shop, &event))).await;
    let sent = outcomes.iter().filter(|outcome| matches!(outcome, Ok(Outcome::Sent))).count();
    let repeats = outcomes.iter().filter(|outcome| matches!(outcome, Ok(Outcome::AlreadySent))).count();
    assert_eq!((sent, repeats), (1, 9), "{outcomes:?}");
    assert_eq!(confirmation(&shop, event).await.state, ConfirmationState::Sent);
}

#[tokio::test]
async fn one_that_was_given_up_can_be_asked_for_again() {
    let shop = Shop::open().await;
    let event = confirmed_order(&shop).await;
    shop.sql.execute("UPDATE outbox SET parked_at = now(), failures = 8", &[]).await.unwrap();
    assert_eq!(confirmation(&shop, event).await.state, ConfirmationState::Failed);
    let other = confirmed_order(&shop).await;
    assert_eq!(confirmation(&shop, other).await.state, ConfirmationState::Pending, "of others nothing is said");
    shop.sql.execute("UPDATE outbox SET parked_at = NULL, failures = 0", &[]).await.unwrap();
    assert_eq!(confirmation(&shop, event).await.state, ConfirmationState::Pending);
    let sent = send_at(&shop, &event, 9).await.unwrap();
    assert_eq!((sent, confirmation(&shop, event).await.attempts), (Outcome::Sent, 9));
}

#[tokio::test]
async fn an_order_that_is_not_there_is_a_permanent_error() {
    let shop = Shop::open().await;
    let event = OrderConfirmed { store_id: shop.store, order_id: 1, has_address: false, resent: None };
    let error = send(&shop, &event).await.unwrap_err();
    assert!(matches!(error, ReactionError::UnknownOrder { order_id: 1, .. }) && error.is_permanent(), "{error:?}");
}

#[tokio::test]
async fn one_that_could_not_be_told_stays_to_be_sent() {
    let shop = Shop::open().await;
    let event = confirmed_order(&shop).await;
    let confirming = confirm(&shop.patient, &shop.clock, &event, 1).await.unwrap().unwrap();
    let telling = confirming.telling().await.unwrap();
    assert!(matches!(telling, Telling::Log), "the customer left no address: {telling:?}");
    confirming.not_told().await;
    assert_eq!(confirmation(&shop, event).await.state, ConfirmationState::Pending);
    // Nor is one marked whose task came to its end half-way.
    drop(confirm(&shop.patient, &shop.clock, &event, 1).await.unwrap().unwrap());
    assert_eq!(send_at(&shop, &event, 2).await.unwrap(), Outcome::Sent);
    assert_eq!(confirmation(&shop, event).await.attempts, 2);
}

#[tokio::test]
async fn the_letter_is_of_the_order_and_the_event_does_not_have_the_address() {
    let shop = Shop::open().await;
    let (pen, desk) = (shop.product("0.10", Some(5)).await, shop.product("199.99", Some(1)).await);
    let address = CustomerEmail::parse("ann@customer.example").unwrap();
    let request = Request { customer_email: Some(address.clone()), ..shop.request(&[(desk, 1), (pen, 3)]) };
    let orders::Placed::New(order) = shop.orders.place(request).await.unwrap() else { panic!("it is new") };
    let payload = "SELECT payload::text FROM outbox";
    let payload: String = shop.sql.query_one(payload, &[]).await.unwrap().get(0);
    let event: OrderConfirmed = serde_json::from_str(&payload).unwrap();
    assert!(event.has_address && !payload.contains('@'), "{payload}");

    let confirming = confirm(&shop.patient, &shop.clock, &event, 1).await.unwrap().unwrap();
    let Telling::Mail(letter) = confirming.telling().await.unwrap() else { panic!("there is an address") };
    assert_eq!((letter.address, &letter.order), (address.clone(), &order));
    assert_eq!((letter.titles[&pen].as_str(), letter.titles[&desk].as_str()), ("A thing", "A thing"));
    confirming.told("test").await.unwrap();
    assert_eq!(shop.orders.find(order.id).await.unwrap().unwrap().0.customer_email, Some(address));
}

/// Confirmed orders, more than share a transaction.
async fn confirmed_orders(shop: &Shop) -> Vec<OrderConfirmed> {
    let pen = shop.product("0.10", Some(100)).await;
    let place = async || shop.place(&[(pen, 1)]).await.id;
    let orders = join_all((0..100).map(|_| place())).await;
    let event = |order_id| OrderConfirmed { store_id: shop.store, order_id, has_address: false, resent: None };
    orders.into_iter().map(event).collect()
}

async fn sent(shop: &Shop) -> i64 {
    shop.sql.query_one("SELECT count(*) FROM confirmations WHERE state = 'sent'", &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn notices_of_one_moment_share_transactions() {
    let shop = Shop::open().await;
    let events = confirmed_orders(&shop).await;
    let notices = Notices::open(&shop.patient, &shop.clock);
    let noted = join_all(events.iter().zip(1_u32..).map(|(event, attempt)| notices.note(event, attempt))).await;
    assert!(noted.iter().all(Result::is_ok), "{noted:?}");
    let rows = "SELECT count(*), count(DISTINCT xmin::text) FROM confirmations WHERE state = 'sent'";
    let rows = shop.sql.query_one(rows, &[]).await.unwrap();
    let (sent, transactions): (i64, i64) = (rows.get(0), rows.get(1));
    assert!(sent == 100 && (2..10).contains(&transactions), "{sent} in {transactions}");
    for (event, attempt) in events.into_iter().zip(1_i32..) {
        assert_eq!(confirmation(&shop, event).await.attempts, attempt);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn notices_that_overlap_note_it_once() {
    let shop = Shop::open().await;
    let event = confirmed_order(&shop).await;
    let notices = [(); 2].map(|()| Notices::open(&shop.patient, &shop.clock));
    let noted = join_all((0..20).map(|number| notices[number % 2].note(&event, 1))).await;
    assert!(noted.iter().all(Result::is_ok), "{noted:?}");
    let once = confirmation(&shop, event).await;
    assert_eq!((once.state, once.attempts), (ConfirmationState::Sent, 1));
    shop.clock.advance(chrono::TimeDelta::hours(1));
    notices[0].note(&event, 2).await.unwrap();
    assert_eq!(confirmation(&shop, event).await, once, "a later one changes nothing");
}

#[tokio::test]
async fn a_notice_of_no_order_fails_alone() {
    let shop = Shop::open().await;
    let mut events = confirmed_orders(&shop).await;
    events[50].order_id = -1;
    let notices = Notices::open(&shop.patient, &shop.clock);
    let noted = join_all(events.iter().map(|event| notices.note(event, 1))).await;
    let failed: Vec<&ReactionError> = noted.iter().filter_map(|noted| noted.as_ref().err()).collect();
    assert!(matches!(failed[..], [ReactionError::UnknownOrder { order_id: -1, .. }]), "{failed:?}");
    assert_eq!(sent(&shop).await, 99);
}

#[tokio::test]
async fn a_notice_that_cannot_be_kept_fails_alone() {
    let shop = Shop::open().await;
    let events = confirmed_orders(&shop).await;
    let refuse =
        format!("ALTER TABLE confirmations ADD CHECK (state <> 'sent' OR order_id <> {})", events[50].order_id);
    shop.sql.batch_execute(&refuse).await.unwrap();
    let notices = Notices::open(&shop.patient, &shop.clock);
    let noted = join_all(events.iter().map(|event| notices.note(event, 1))).await;
    let failed: Vec<usize> = (0..noted.len()).filter(|place| noted[*place].is_err()).collect();
    assert_eq!((failed, sent(&shop).await), (vec![50], 99));
}

#[tokio::test]
async fn a_notice_whose_row_is_held_keeps_no_other_waiting() {
    let shop = Shop::open().await;
    let events = confirmed_orders(&shop).await;
    let held = confirm(&shop.patient, &shop.clock, &events[50], 1).await.unwrap().unwrap();
    let notices = Notices::open(&shop.patient, &shop.clock);
    let mut all = std::pin::pin!(join_all(events.iter().map(|event| notices.note(event, 2))));
    let others = testkit::eventually("the others are noted", std::time::Duration::from_secs(5), async || {
        _ = futures_util::poll!(&mut all);
        (sent(&shop).await == 99).then_some(())
    });
    others.await;
    held.not_told().await;
    assert!(all.await.iter().all(Result::is_ok));
    assert_eq!(sent(&shop).await, 100);
}
