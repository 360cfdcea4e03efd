//! Confirmations by mail.

use db::Error;
use orders::events::OrderConfirmed;
use orders::{Basket, Config, CustomerEmail, Orders, Placed, Request, Wanted};
use serde_json::json;
use testkit::{Inbox, TestApp, eventually};

use crate::orders::Shop;
use crate::process::{Process, SOON};

const ANN: &str = "ann@customer.example";

/// Places an order for one unit; its id.
async fn order_for(shop: &Shop, address: &str) -> i64 {
    order_at(shop, address, &Config::default()).await
}

/// The same, at a gateway with this configuration.
pub(crate) async fn order_at(shop: &Shop, address: &str, config: &Config) -> i64 {
    let database = shop.app.database.handle();
    let orders = Orders::new(database, db::Clock::system(), config).unwrap();
    let basket = Basket::new(vec![Wanted { product_id: shop.product, quantity: 1 }]).unwrap();
    let request = Request {
        store_id: shop.store,
        basket,
        expected_total: None,
        customer_email: Some(CustomerEmail::parse(address).unwrap()),
        key: None,
        request_id: None,
        traceparent: None,
    };
    match orders.place(request).await.unwrap() {
        Placed::New(order) => order.id,
        Placed::Replayed { .. } => panic!("it has no key"),
    }
}

fn mailing(shop: &Shop, inbox: &Inbox) -> Process {
    let from = "Shop <orders@shop.example>".into();
    shop.worker_with(&[("SMTP_URL", inbox.url()), ("MAIL_FROM", from)])
}

/// By which means the customer of an order was told, as the log has it.
async fn told_by(worker: &Process, order: i64) -> String {
    let line = async || {
        let said = worker.said("order confirmation sent");
        said.into_iter().find(|line| line["order_id"] == order)
    };
    eventually("the log says so", SOON, line).await["by"].as_str().unwrap().to_owned()
}

fn assert_silent_about_ann(worker: &Process) {
    let log = worker.log();
    assert!(
        !log.iter().any(|line| line.to_string().contains("ann@")),
        "addresses of people are never logged: {log:#?}"
    );
}

async fn attempts(shop: &Shop, order: i64) -> i32 {
    let query = "SELECT attempts FROM confirmations WHERE order_id = $1 AND state = 'sent'";
    shop.sql.query_one(query, &[&order]).await.unwrap().get(0)
}

#[tokio::test]
async fn a_confirmation_goes_by_mail_to_who_left_an_address() {
    let title = "Pen <script>alert(1)</script> & more\r\nBcc: eve@evil.example";
    let (shop, inbox) = (Shop::selling(title, TestApp::start().await).await, Inbox::open().await);
    // The first attempt fails.
    inbox.refuse_once("451 not now");
    let (ann, (nobody, _)) = (order_for(&shop, ANN).await, shop.order().await);
    let worker = mailing(&shop, &inbox);
    shop.eventually_sent(2).await;
    shop.eventually_idle().await;

    let mails = inbox.mails();
    assert_eq!(mails.len(), 1, "{mails:#?}");
    let mail = &mails[0];
    assert_eq!((mail.from.as_str(), mail.to.as_slice()), ("orders@shop.example", [ANN.to_owned()].as_slice()));
    for (name, value) in [
        ("From", "Shop <orders@shop.example>"),
        ("To", ANN),
        ("Subject", &format!("Your order {ann} is confirmed")),
        ("Message-ID", &format!("<order-{}-{ann}@shop.example>", shop.store)),
        ("Auto-Submitted", "auto-generated"),
    ] {
        assert_eq!(mail.header(name).as_deref(), Some(value), "{name}");
    }
    assert_eq!(mail.header("Bcc"), None);
    // Quoted-printable breaks lines with a sign of its own, and writes the sign itself as 3D.
    let text = mail.text.replace("=\n", "").replace("=3D", "=");
    let (_, bodies) = text.split_once("Content-Type: text/plain").unwrap();
    let (plain, html) = bodies.split_once("Content-Type: text/html").unwrap();
    assert!(plain.contains("1 x Pen <script>alert(1)</script> & more  Bcc: eve@evil.example, 2.50 each\n"), "{plain}");
    assert!(plain.contains("Total: 2.50\n"), "{plain}");
    assert!(html.contains("Pen &#60;script&#62;alert(1)&#60;/script&#62; &#38; more  Bcc"), "{html}");
    assert!(!html.contains("<script"), "{html}");

    assert_eq!((told_by(&worker, ann).await, told_by(&worker, nobody).await), ("mail".into(), "log".into()));
    assert_eq!((attempts(&shop, ann).await, attempts(&shop, nobody).await), (2, 1));
    assert_eq!(worker.said("task failed, and comes again")[0]["error"], "the mail server refused: 451");
    assert_silent_about_ann(&worker);
}

#[tokio::test]
async fn without_a_mail_server_the_log_tells_and_does_not_have_the_address() {
    let shop = Shop::open().await;
    let order = order_for(&shop, ANN).await;
    let worker = shop.worker_with(&[]);
    shop.eventually_sent(1).await;
    assert_eq!(told_by(&worker, order).await, "log");
    assert_silent_about_ann(&worker);
}

#[tokio::test]
async fn a_worker_that_dies_after_the_mail_repeats_it_under_the_same_message_id() {
    let (shop, inbox) = (Shop::open().await, Inbox::open().await);
    inbox.fall_silent();
    let order = order_for(&shop, ANN).await;
    let mut dying = mailing(&shop, &inbox);
    eventually("the server has it", SOON, async || (inbox.mails().len() == 1).then_some(())).await;
    dying.signal("KILL");
    dying.ended().await;
    inbox.answer();
    let _worker = mailing(&shop, &inbox);
    shop.eventually_sent(1).await;
    shop.eventually_idle().await;
    let ids: Vec<_> = inbox.mails().iter().map(|mail| mail.header("Message-ID").unwrap()).collect();
    assert_eq!(ids, vec![format!("<order-{}-{order}@shop.example>", shop.store); 2]);
    assert_eq!(attempts(&shop, order).await, 2);
}

#[tokio::test]
async fn a_refusal_that_is_not_about_the_mailbox_is_tried_again() {
    let (shop, inbox) = (Shop::open().await, Inbox::open().await);
    // As a server says of a sender whom it does not know, or who sent too much today.
    inbox.refuse_once("550 5.7.1 relaying denied");
    order_for(&shop, ANN).await;
    let worker = mailing(&shop, &inbox);
    shop.eventually_sent(1).await;
    inbox.refuse_once("550 daily limit exceeded");
    order_for(&shop, ANN).await;
    shop.eventually_sent(2).await;
    assert_eq!(inbox.mails().len(), 2);
    let errors: Vec<_> = worker.said("task failed, and comes again").iter().map(|line| line["error"].clone()).collect();
    assert_eq!(errors, ["the mail server refused: 550 5.7.1", "the mail server refused: 550"]);
}

#[tokio::test]
async fn an_order_that_is_cancelled_before_its_letter_gets_none() {
    let (shop, inbox) = (Shop::open().await, Inbox::open().await);
    let (ann, bob) = (order_for(&shop, ANN).await, order_for(&shop, "bob@customer.example").await);
    shop.sql.execute("UPDATE orders SET status = 'CANCELLED' WHERE id = $1", &[&ann]).await.unwrap();
    let worker = mailing(&shop, &inbox);
    shop.eventually_sent(2).await;
    shop.eventually_idle().await;
    let told: Vec<_> = inbox.mails().into_iter().flat_map(|mail| mail.to).collect();
    assert_eq!(told, ["bob@customer.example"]);
    assert_eq!(
        (told_by(&worker, ann).await.as_str(), told_by(&worker, bob).await.as_str()),
        ("nothing: cancelled", "mail")
    );
}

#[tokio::test]
async fn a_letter_that_staff_want_sent_again_is_no_repetition() {
    let (shop, inbox) = (Shop::open().await, Inbox::open().await);
    let order = order_for(&shop, ANN).await;
    let _worker = mailing(&shop, &inbox);
    shop.eventually_sent(1).await;
    shop.eventually_idle().await;
    shop.sql.execute("UPDATE confirmations SET state = 'pending', sent_at = NULL", &[]).await.unwrap();
    let event = OrderConfirmed { store_id: shop.store, order_id: order, has_address: true, resent: Some(4711) };
    let database = shop.app.database.handle();
    let record =
        database.transaction::<_, Error, _>(move |tx| Box::pin(async move { outbox::record(tx, &event, None).await }));
    record.await.unwrap();
    eventually("it is sent again", SOON, async || (inbox.mails().len() == 2).then_some(())).await;
    shop.eventually_idle().await;
    let ids: Vec<_> = inbox.mails().iter().map(|mail| mail.header("Message-ID").unwrap()).collect();
    assert_eq!(ids, ["", "-4711"].map(|again| format!("<order-{}-{order}{again}@shop.example>", shop.store)));
}

#[tokio::test]
async fn a_mail_server_that_never_answers_keeps_nobody_waiting_who_left_no_address() {
    let (shop, inbox) = (Shop::open().await, Inbox::open().await);
    inbox.fall_silent();
    for number in 0..30 {
        order_for(&shop, &format!("customer-{number}@customer.example")).await;
    }
    shop.orders(100).await;
    let _worker = mailing(&shop, &inbox);
    shop.eventually_sent(100).await;
    inbox.answer();
    shop.eventually_sent(130).await;
}

#[tokio::test]
async fn an_address_that_is_refused_for_good_is_given_up_at_once_and_harms_no_other() {
    let (shop, inbox) = (Shop::open().await, Inbox::open().await);
    inbox.refuse(ANN, "550 5.1.1 no such mailbox: ann@customer.example");
    let (ann, bob) = (order_for(&shop, ANN).await, order_for(&shop, "bob@customer.example").await);
    let worker = mailing(&shop, &inbox);
    shop.eventually_sent(1).await;
    let parked = async || {
        let row = "SELECT payload->>'order_id', last_error, failures FROM outbox WHERE parked_at IS NOT NULL";
        shop.sql.query_opt(row, &[]).await.unwrap()
    };
    let parked = eventually("it is given up", SOON, parked).await;
    let error = "the mail server refused the address: 550 5.1.1";
    assert_eq!(
        (parked.get::<_, &str>(0), parked.get::<_, &str>(1), parked.get::<_, i32>(2)),
        (ann.to_string().as_str(), error, 1)
    );
    assert_eq!(told_by(&worker, bob).await, "mail");
    assert_eq!(inbox.mails().len(), 1);
    let shown = shop.app.get(&format!("/orders/{ann}/")).await.expect(200);
    assert_eq!(shown["confirmation"]["state"], "failed");
    let given_up =
        eventually("the log says so", SOON, async || worker.said("task failed, and is given up").pop()).await;
    assert_eq!(given_up["error"], json!(error));
    assert_silent_about_ann(&worker);
}
