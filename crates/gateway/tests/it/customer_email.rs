//! The customer's address on an order: who may name it, and who gets to see it.

use accounts::Scope;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Answer, TestApp};

use crate::authorization::Keys;

const ANN: &str = "ann@customer.example";

struct Shop {
    app: TestApp,
    keys: Keys,
    store: i64,
    pen: i64,
}

impl Shop {
    async fn open() -> Self {
        let app = TestApp::start().await;
        let build = app.build().await;
        let (store, pen) = (build.store("Corner shop").await, build.product("Pen", "Office", "0.10").await);
        build.stock(store, pen, 5).await;
        let keys = Keys::new(&app).await;
        Self { app, keys, store, pen }
    }

    fn body(&self, address: impl Into<Value>) -> Value {
        let item = json!({ "product_id": self.pen, "quantity_requested": 1 });
        json!({ "store_id": self.store, "items": [item], "customer_email": address.into() })
    }

    async fn send(&self, method: Method, path: &str, token: Option<&str>, body: &Value) -> Answer {
        let mut request = self.app.request(method, path);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        self.app.send(request.json(body)).await
    }

    async fn order(&self, token: Option<&str>, body: &Value) -> Answer {
        self.send(Method::POST, "/orders/", token, body).await
    }

    async fn orders(&self) -> i64 {
        self.app.database.sql().await.query_one("SELECT count(*) FROM orders", &[]).await.unwrap().get(0)
    }
}

#[tokio::test]
async fn it_is_taken_with_a_token_for_it_alone() {
    let shop = Shop::open().await;
    let (narrow, wide) = (
        shop.keys.token(&[Scope::OrdersPlace, Scope::OrdersRead]).await,
        shop.keys.token(&[Scope::OrdersPlace, Scope::OrdersEmail]).await,
    );
    for path in ["/orders/", "/orders/?dry_run=true"] {
        let anonymous = shop.send(Method::POST, path, None, &shop.body(ANN)).await;
        anonymous.expect_problem(401, "unauthorized");
        let refused = shop.send(Method::POST, path, Some(&narrow), &shop.body(ANN)).await;
        refused.expect_problem(403, "forbidden");
        assert!(refused.header("www-authenticate").unwrap().contains("orders:email"));
    }
    assert_eq!(shop.orders().await, 0);
    // Without an address nobody needs it.
    shop.order(None, &shop.body(Value::Null)).await.expect(201);
    shop.order(Some(&wide), &shop.body(ANN)).await.expect(201);
}

#[tokio::test]
async fn what_is_no_address_is_named_with_every_other_fault() {
    let shop = Shop::open().await;
    let token = shop.keys.token(&[Scope::OrdersPlace, Scope::OrdersEmail]).await;
    for (wrong, code) in [
        (json!("ann"), "invalid_email"),
        (json!("a@b\r\nBcc: eve@evil.example"), "invalid_email"),
        (json!(""), "invalid_email"),
        (json!("a@b,c@d"), "invalid_email"),
        (json!(format!("a@{}", "b.".repeat(200))), "invalid_email"),
        (json!(7), "invalid_type"),
        (json!([ANN]), "invalid_type"),
    ] {
        let mut body = shop.body(wrong.clone());
        body["items"][0]["quantity_requested"] = json!(0);
        let problem = shop.order(Some(&token), &body).await.expect_problem(400, "invalid");
        let faults: Vec<(&str, &str)> = problem["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|fault| (fault["pointer"].as_str().unwrap(), fault["code"].as_str().unwrap()))
            .collect();
        assert_eq!(faults, [("/customer_email", code), ("/items/0/quantity_requested", "out_of_range")], "{wrong}");
    }
    assert_eq!(shop.orders().await, 0);
}

#[tokio::test]
async fn it_is_shown_with_a_token_that_may_read_orders_alone() {
    let shop = Shop::open().await;
    let placer = shop.keys.token(&[Scope::OrdersPlace, Scope::OrdersEmail]).await;
    let answer = shop.order(Some(&placer), &shop.body(ANN)).await;
    assert!(!answer.text.contains("ann@"), "{}", answer.text);
    let path = format!("/orders/{}/", answer.expect(201)["id"]);
    let reader = shop.keys.token(&[Scope::OrdersRead]).await;
    let shown = shop.send(Method::GET, &path, Some(&reader), &Value::Null).await.expect(200);
    assert_eq!(shown["customer_email"], ANN);
    for (token, who) in [(None, "nobody"), (Some(placer.as_str()), "who placed it")] {
        let hidden = shop.send(Method::GET, &path, token, &Value::Null).await;
        assert!(!hidden.text.contains("ann@") && hidden.expect(200)["customer_email"].is_null(), "{who}");
    }
    let list = shop.app.get(&format!("/stores/{}/orders/", shop.store)).await;
    assert!(!list.text.contains("ann@"), "{}", list.text);
    let cancel = format!("{path}cancel/");
    let canceller = shop.keys.token(&[Scope::OrdersCancel]).await;
    let cancelled = shop.send(Method::POST, &cancel, Some(&canceller), &Value::Null).await;
    assert!(!cancelled.text.contains("ann@"), "{}", cancelled.text);
    let both = shop.keys.token(&[Scope::OrdersCancel, Scope::OrdersRead]).await;
    let cancelled = shop.send(Method::POST, &cancel, Some(&both), &Value::Null).await.expect(200);
    assert_eq!(cancelled["customer_email"], ANN);
}

#[tokio::test]
async fn a_repeat_under_the_same_key_is_to_the_same_address() {
    let shop = Shop::open().await;
    let token = shop.keys.token(&[Scope::OrdersPlace, Scope::OrdersEmail]).await;
    let order = async |address: Value| {
        let request = shop.app.request(Method::POST, "/orders/").header("Idempotency-Key", "one").bearer_auth(&token);
        shop.app.send(request.json(&shop.body(address))).await
    };
    let first = order(json!(ANN)).await;
    first.expect(201);
    let again = order(json!(ANN)).await;
    assert_eq!((again.header("idempotent-replayed"), &again.text), (Some("true"), &first.text));
    for other in [json!("bob@customer.example"), Value::Null] {
        order(other).await.expect_problem(422, "idempotency_key_reused");
    }
    let kept = "SELECT answer FROM idempotency_keys";
    let kept: String = shop.app.database.sql().await.query_one(kept, &[]).await.unwrap().get(0);
    assert!(!kept.contains("ann@"), "{kept}");
}
