//! Webhooks, told to a real HTTP server.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use actix_web::web::{Bytes, Data, post};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use orders::Config;
use orders::events::OrderCancelled;
use serde_json::{Value, json};
use sha2::Sha256;
use testkit::{TestApp, eventually};

use crate::mail::order_at;
use crate::orders::Shop;
use crate::process::{Process, SOON};

const SECRET: [u8; 32] = [7; 32];

/// What was POSTed: id, timestamp, signature, body.
#[derive(Debug, Clone)]
struct Told {
    id: String,
    timestamp: String,
    signature: String,
    body: String,
}

/// A server that answers 500 at first, and keeps all that it is told.
#[derive(Clone)]
struct Receiver {
    port: u16,
    told: Arc<Mutex<Vec<Told>>>,
    refusals: Arc<Mutex<usize>>,
}

impl Receiver {
    /// Refuses this often.
    fn open(refusals: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let receiver = Self { port, told: Arc::default(), refusals: Arc::new(Mutex::new(refusals)) };
        let shared = receiver.clone();
        let app = move || App::new().app_data(Data::new(shared.clone())).route("/hook", post().to(take));
        tokio::spawn(HttpServer::new(app).workers(1).disable_signals().listen(listener).unwrap().run());
        receiver
    }

    fn told(&self) -> Vec<Told> {
        self.told.lock().unwrap().clone()
    }

    fn worker(&self, shop: &Shop) -> Process {
        shop.worker_with(&[
            ("WEBHOOK_URL", format!("http://127.0.0.1:{}/hook", self.port)),
            ("WEBHOOK_SECRET", format!("whsec_{}", STANDARD.encode(SECRET))),
        ])
    }
}

async fn take(request: HttpRequest, receiver: Data<Receiver>, body: Bytes) -> HttpResponse {
    let header = |name| request.headers().get(name).unwrap().to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "application/json");
    receiver.told.lock().unwrap().push(Told {
        id: header("webhook-id"),
        timestamp: header("webhook-timestamp"),
        signature: header("webhook-signature"),
        body: String::from_utf8(body.to_vec()).unwrap(),
    });
    let mut refusals = receiver.refusals.lock().unwrap();
    match refusals.checked_sub(1) {
        Some(left) => {
            *refusals = left;
            HttpResponse::InternalServerError().finish()
        }
        None => HttpResponse::Ok().finish(),
    }
}

impl Told {
    /// As the receiver of a Standard Webhook checks it.
    fn is_genuine(&self) -> bool {
        let mut mac = Hmac::<Sha256>::new_from_slice(&SECRET).unwrap();
        mac.update(format!("{}.{}.{}", self.id, self.timestamp, self.body).as_bytes());
        let signature = STANDARD.decode(self.signature.strip_prefix("v1,").unwrap()).unwrap();
        mac.verify_slice(&signature).is_ok()
    }

    fn body(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

async fn announcing_shop() -> Shop {
    Shop::selling("Pen", TestApp::start_with(|_, settings| settings.orders.announces = true).await).await
}

/// Records that an order was cancelled.
async fn cancel(shop: &Shop, order_id: i64) {
    let at = web::Timestamp("2026-03-01T09:30:00Z".parse().unwrap());
    let cancelled = OrderCancelled { store_id: shop.store, order_id, at };
    let recorded = shop
        .app
        .database
        .transaction::<_, db::Error, _>(move |tx| Box::pin(async move { outbox::record(tx, &cancelled, None).await }));
    recorded.await.unwrap();
}

#[tokio::test]
async fn every_fate_of_an_order_is_told_signed_and_again_until_it_is_taken() {
    let (shop, receiver) = (announcing_shop().await, Receiver::open(2));
    let _worker = receiver.worker(&shop);
    let (confirmed, _) = shop.order().await;
    let much = json!({ "product_id": shop.product, "quantity_requested": 1_000_000 });
    let rejected = shop.app.post("/orders/", &json!({ "store_id": shop.store, "items": [much] })).await.expect(201);
    assert_eq!(rejected["status"], "REJECTED");
    eventually("both are told", SOON, async || (receiver.told().len() == 4).then_some(())).await;
    cancel(&shop, confirmed).await;
    eventually("all are told", SOON, async || (receiver.told().len() == 5).then_some(())).await;
    shop.eventually_sent(1).await;
    shop.eventually_idle().await;

    let told = receiver.told();
    assert_eq!(told.len(), 5, "two were refused, and three taken: {told:#?}");
    assert!(told.iter().all(Told::is_genuine), "{told:#?}");
    let tampered = Told { body: told[0].body.replace("order", "0rder"), ..told[0].clone() };
    assert!(!tampered.is_genuine());
    let mut seen: Vec<(String, String)> = told.iter().map(|told| (told.id.clone(), told.body.clone())).collect();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 3, "a repeat has the id and the body of the first: {seen:#?}");
    let find = |kind: &str| {
        let mut bodies = told.iter().map(Told::body);
        bodies.find(|body| body["type"] == kind).unwrap_or_else(|| panic!("no {kind} in {told:#?}"))
    };
    let created_at = |order: &Value| order["data"]["at"].clone();
    for (kind, order, total) in
        [("order.confirmed", confirmed, "2.50"), ("order.rejected", rejected["id"].as_i64().unwrap(), "2500000.00")]
    {
        let body = find(kind);
        assert_eq!((&body["data"]["order_id"], &body["data"]["total_price"]), (&json!(order), &json!(total)));
        assert_eq!((&body["data"]["store_id"], &body["timestamp"]), (&json!(shop.store), &created_at(&body)));
        let id = format!("{}_{}_{order}", kind.replace('.', "_"), shop.store);
        assert!(told.iter().any(|told| told.id == id), "{id}: {told:#?}");
    }
    let body = find("order.cancelled");
    assert_eq!(
        (&body["data"]["order_id"], &body["timestamp"]),
        (&json!(confirmed), &json!("2026-03-01T09:30:00.000000Z"))
    );
}

#[tokio::test]
async fn a_receiver_that_is_down_keeps_no_customer_waiting_and_hears_of_no_address() {
    let (shop, receiver) = (announcing_shop().await, Receiver::open(usize::MAX));
    order_at(&shop, "ann@customer.example", &Config { announces: true, ..Config::default() }).await;
    shop.order().await;
    let worker = receiver.worker(&shop);
    shop.eventually_sent(2).await;
    eventually("it is told", SOON, async || (!receiver.told().is_empty()).then_some(())).await;
    let retried = eventually("and again", SOON, async || worker.said("task failed, and comes again").pop()).await;
    assert_eq!(retried["error"], "the webhook's receiver answered 500");
    assert!(!receiver.told().iter().any(|told| told.body.contains('@')), "{:#?}", receiver.told());
    *receiver.refusals.lock().unwrap() = 0;
    shop.eventually_idle().await;
}

#[tokio::test]
async fn a_worker_without_a_webhook_loses_none_that_a_gateway_recorded() {
    let (shop, receiver) = (announcing_shop().await, Receiver::open(0));
    let (order, _) = shop.order().await;
    // Cancellations are recorded in any case, so they say nothing of a webhook.
    cancel(&shop, order).await;
    let unaware = shop.worker_with(&[]);
    let waiting = "SELECT FROM outbox WHERE kind = 'order.cancelled'";
    let is_done = async || shop.sql.query_opt(waiting, &[]).await.unwrap().is_none().then_some(());
    eventually("a cancellation is done", SOON, is_done).await;
    let failed =
        eventually("a decision is not", SOON, async || unaware.said("task failed, and comes again").pop()).await;
    assert_eq!(failed["error"], "this worker has no WEBHOOK_URL, and a gateway has one");
    drop(unaware);
    let _aware = receiver.worker(&shop);
    eventually("another tells it", SOON, async || receiver.told().pop()).await;
    shop.eventually_idle().await;
    assert_eq!(receiver.told()[0].body()["type"], "order.confirmed");
}

/// One that takes connections and never says a word, and how to tell it.
fn silent_receiver() -> (TcpListener, [(&'static str, String); 2]) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    (listener, [("WEBHOOK_URL", url), ("WEBHOOK_SECRET", format!("whsec_{}", STANDARD.encode(SECRET)))])
}

#[tokio::test]
async fn a_receiver_that_never_answers_keeps_no_confirmation_waiting() {
    let (shop, (_listener, told)) = (announcing_shop().await, silent_receiver());
    let _worker = shop.worker_with(&told);
    shop.orders(300).await;
    shop.eventually_sent(300).await;
}

#[tokio::test]
async fn without_a_broker_too_a_receiver_that_never_answers_keeps_no_confirmation_waiting() {
    let (shop, (_listener, told)) = (announcing_shop().await, silent_receiver());
    let _worker = shop.direct_worker_with(&told);
    shop.orders(300).await;
    shop.eventually_sent(300).await;
}

#[tokio::test]
async fn a_secret_that_is_none_is_refused_at_the_start_and_not_repeated() {
    for (name, value) in [("WEBHOOK_SECRET", "whsec_c2hvcnQ="), ("WEBHOOK_SECRET", ""), ("WEBHOOK_URL", "ftp://hidden")]
    {
        let mut command = crate::process::binary();
        command.env("DATABASE_URL", "postgres://127.0.0.1:1/none").env("WORKER_OPS_ADDR", "127.0.0.1:0");
        command.env("WEBHOOK_URL", "http://127.0.0.1:1/").env("WEBHOOK_SECRET", "").env(name, value);
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(name), "{said}");
        assert!(value.is_empty() || !said.contains(value), "{said}");
    }
}
