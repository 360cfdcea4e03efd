//! A flood of sign-ins is a queue of its own, and not a load on everybody else.

use accounts::{Error, SignIn, SignInError};
use futures_util::future::join_all;
use secrecy::SecretString;
use serde_json::json;
use testkit::TestApp;

/// Sign-ins at once: far more than there are connections in the pool.
const FLOOD: u32 = 500;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_sign_ins_keep_nobody_from_ordering() {
    let app = TestApp::start().await;
    let build = app.build().await;
    let (store, product) = (build.store("Corner").await, build.product("Oolong Tea", "Tea", "2.50").await);
    build.stock(store, product, 1_000_000).await;
    let order = json!({"store_id": store, "items": [{"product_id": product, "quantity_requested": 1}]});
    // All for one account: they wait for each other's row, and whoever waits there would hold a connection.
    let flood = (0..FLOOD).map(|number| {
        let accounts = app.services().accounts.clone();
        let attempt = SignIn {
            email: "ann@shop.example".into(),
            password: SecretString::from("wrong horse battery"),
            address: Some((0x0a00_0000 + number).to_be_bytes().into()),
            presented: None,
            request_id: None,
        };
        tokio::spawn(async move { accounts.sign_in(attempt).await.unwrap_err() })
    });
    let flood: Vec<_> = flood.collect();
    let client = async || {
        let mut answered = 0;
        while answered < 25 || flood.iter().any(|attempt| !attempt.is_finished()) {
            app.post("/orders/", &order).await.expect(201);
            app.get("/products/").await.expect(200);
            answered += 1;
        }
    };
    join_all((0..4).map(|_| client())).await;
    let (mut looked_at, mut sent_away) = (0, 0);
    for attempt in flood {
        match attempt.await.unwrap() {
            SignInError::Refused | SignInError::TooSoon(_) => looked_at += 1,
            SignInError::Failed(Error::Busy) => sent_away += 1,
            SignInError::Failed(other) => panic!("{other}"),
        }
    }
    assert!(looked_at >= 100, "{looked_at} were looked at, {sent_away} were told to come again");
}
