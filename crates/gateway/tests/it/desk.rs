//! A client that may change things.

use accounts::Scope;
use reqwest::Method;
use serde_json::Value;
use testkit::{Answer, TestApp};

use crate::authorization::Keys;

/// An application, and a token of `ann@shop.example` for it.
pub(crate) struct Desk {
    pub(crate) app: TestApp,
    token: String,
}

impl Desk {
    pub(crate) async fn new(scopes: &[Scope]) -> Self {
        let app = TestApp::start().await;
        let token = Keys::new(&app).await.token(scopes).await;
        Self { app, token }
    }

    /// A request with this body, or none where it is null.
    pub(crate) async fn send(&self, method: Method, path: &str, body: &Value) -> Answer {
        let request = self.app.request(method, path).bearer_auth(&self.token);
        self.app.send(if body.is_null() { request } else { request.json(body) }).await
    }

    /// The same, if the object still has this tag.
    pub(crate) async fn send_if(&self, method: Method, path: &str, etag: &str, body: &Value) -> Answer {
        let request = self.app.request(method, path).bearer_auth(&self.token).header("If-Match", etag);
        self.app.send(if body.is_null() { request } else { request.json(body) }).await
    }

    /// What the audit log tells about objects of this kind: `action id before -> after`.
    pub(crate) async fn log(&self, kind: &str) -> Vec<String> {
        let sql = "SELECT concat_ws(' ', action, object_id, before, '->', after) \
                   FROM audit_log WHERE object_kind = $1 AND actor = 'ann@shop.example (test)' \
                   AND staff_id IS NOT NULL AND token_id IS NOT NULL AND request_id IS NOT NULL ORDER BY id";
        let rows = self.app.database.sql().await.query(sql, &[&kind]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }
}
