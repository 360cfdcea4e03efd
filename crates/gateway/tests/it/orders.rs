//! Placing and reading orders over HTTP.

mod cancelling;
mod placing;
mod reading;
mod refused;
mod repeating;

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Answer, TestApp};

struct Shop {
    app: TestApp,
    store: i64,
    pen: i64,
    desk: i64,
}

/// A store with 5 pens at 0.10 and a desk at 199.99.
async fn shop() -> Shop {
    let app = TestApp::start().await;
    let build = app.build().await;
    let store = build.store("Corner shop").await;
    let pen = build.product("Pen", "Office", "0.10").await;
    let desk = build.product("Desk", "Office", "199.99").await;
    build.stock(store, pen, 5).await;
    build.stock(store, desk, 1).await;
    Shop { app, store, pen, desk }
}

impl Shop {
    fn body(&self, lines: &[(i64, i64)]) -> Value {
        let items =
            lines.iter().map(|(product, quantity)| json!({"product_id": product, "quantity_requested": quantity}));
        json!({"store_id": self.store, "items": items.collect::<Vec<_>>()})
    }

    async fn order(&self, lines: &[(i64, i64)]) -> Value {
        self.app.post("/orders/", &self.body(lines)).await.expect(201)
    }

    async fn post_with_key(&self, key: &str, body: &Value) -> Answer {
        self.app.send(self.app.request(Method::POST, "/orders/").header("Idempotency-Key", key).json(body)).await
    }

    async fn post_text(&self, body: impl Into<String>) -> Answer {
        let request = self.app.request(Method::POST, "/orders/").header("Content-Type", "application/json");
        self.app.send(request.body(body.into())).await
    }

    /// Asserts that nothing was ever stored, and that the stock is whole.
    async fn assert_untouched(&self) {
        let sql = self.app.database.sql().await;
        for table in ["orders", "order_items", "confirmations", "outbox", "idempotency_keys"] {
            let rows = sql.query_one(&format!("SELECT count(*) FROM {table}"), &[]).await.unwrap().get::<_, i64>(0);
            assert_eq!(rows, 0, "{table}");
        }
        let stock = sql.query_one("SELECT sum(quantity) FROM inventory", &[]).await.unwrap().get::<_, i64>(0);
        assert_eq!(stock, 6);
    }
}

/// (pointer, code) of every fault, in their order.
fn faults(problem: &Value) -> Vec<(&str, &str)> {
    let faults = problem["errors"].as_array().unwrap().iter();
    faults.map(|fault| (fault["pointer"].as_str().unwrap(), fault["code"].as_str().unwrap())).collect()
}
