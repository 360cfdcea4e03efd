use futures_util::future::join_all;
use orders::events::OrderConfirmed;
use orders::reactions::{Outcome, ReactionError, send_confirmation};
use orders::{Confirmation, ConfirmationState};

use crate::support::Shop;

async fn confirmation(shop: &Shop, event: OrderConfirmed) -> Confirmation {
    shop.orders.find(event.order_id).await.unwrap().unwrap().1.unwrap()
}

async fn confirmed_order(shop: &Shop) -> OrderConfirmed {
    let pen = shop.product("0.10", Some(5)).await;
    let order = shop.place(&[(pen, 1)]).await;
    OrderConfirmed { store_id: shop.store, order_id: order.id }
}

async fn send(shop: &Shop, event: &OrderConfirmed) -> Result<Outcome, ReactionError> {
    send_confirmation(&shop.patient, &shop.clock, event, 1).await
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
    shop.sql.execute("UPDATE confirmations SET state = 'failed', attempts = 8", &[]).await.unwrap();
    let sent = send_confirmation(&shop.patient, &shop.clock, &event, 9).await.unwrap();
    assert_eq!((sent, confirmation(&shop, event).await.attempts), (Outcome::Sent, 9));
}

#[tokio::test]
async fn an_order_that_is_not_there_is_a_permanent_error() {
    let shop = Shop::open().await;
    let event = OrderConfirmed { store_id: shop.store, order_id: 1 };
    let error = send(&shop, &event).await.unwrap_err();
    assert!(matches!(error, ReactionError::UnknownOrder { order_id: 1, .. }) && error.is_permanent(), "{error:?}");
}
