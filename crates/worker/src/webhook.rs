//! Webhooks: what becomes of orders, told to an address of the operator's, signed as Standard Webhooks has it
//! (<https://www.standardwebhooks.com>).
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `WEBHOOK_URL` | where to POST `order.confirmed`, `order.rejected` and `order.cancelled`; the gateways need it as well, to record the first two | none: nobody is told |
//! | `WEBHOOK_SECRET` | `whsec_` and 24 to 64 bytes in Base64 | required with `WEBHOOK_URL` |
//!
//! `webhook-id` and the body depend on the event alone, so that whoever gets it twice can tell. They say nothing of the
//! customer.

use std::time::Duration;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use db::Clock;
use hmac::{Hmac, KeyInit, Mac};
use http::{Request, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use jobs::TaskError;
use serde_json::{Value, json};
use sha2::Sha256;

/// The longest that the receiver may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// Where to tell, and how to sign it.
#[derive(Clone)]
pub(crate) struct Webhook {
    url: Uri,
    key: Hmac<Sha256>,
    client: Client<HttpsConnector<HttpConnector>, String>,
    clock: Clock,
}

/// What is told.
pub(crate) struct Message<'a> {
    /// What happened, such as `order.confirmed`.
    pub(crate) kind: &'static str,
    pub(crate) store_id: i64,
    pub(crate) order_id: i64,
    /// When it happened, RFC 3339.
    pub(crate) at: &'a str,
    pub(crate) data: &'a Value,
}

impl Webhook {
    /// Reads the variables in the module's table; none where nobody is to be told.
    ///
    /// # Errors
    /// When one cannot be understood. Never repeats one, as both may hold secrets.
    pub(crate) fn from_env(clock: &Clock) -> anyhow::Result<Option<Self>> {
        let set = |name| std::env::var(name).ok().filter(|value: &String| !value.is_empty());
        let Some(url) = set("WEBHOOK_URL") else { return Ok(None) };
        let is_http = |url: &Uri| url.host().is_some() && matches!(url.scheme_str(), Some("http" | "https"));
        let url = url.parse().ok().filter(is_http);
        let url = url.context("WEBHOOK_URL is not a URL of http or https")?;
        let secret = set("WEBHOOK_SECRET").context("WEBHOOK_SECRET is not set, and WEBHOOK_URL is")?;
        let secret = secret.strip_prefix("whsec_").and_then(|secret| STANDARD.decode(secret).ok());
        let secret = secret.filter(|secret| (24..=64).contains(&secret.len()));
        let secret = secret.context("WEBHOOK_SECRET is not whsec_ and 24 to 64 bytes in Base64")?;
        let key = Hmac::new_from_slice(&secret).context("WEBHOOK_SECRET cannot be used")?;
        let connector = HttpsConnectorBuilder::new().with_native_roots().context("WEBHOOK_URL needs certificates")?;
        let connector = connector.https_or_http().enable_http1().build();
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Some(Self { url, key, client, clock: clock.clone() }))
    }

    /// Tells what became of an order.
    ///
    /// # Errors
    /// When the receiver does not answer with a 2xx; permanent when it says that it never wants to hear of it (410).
    pub(crate) async fn tell(&self, message: &Message<'_>) -> Result<(), TaskError> {
        let Message { kind, store_id, order_id, at, data } = message;
        // A full stop would separate it from the rest of what is signed.
        let id = format!("{}_{store_id}_{order_id}", kind.replace('.', "_"));
        let body = json!({ "type": kind, "timestamp": at, "data": data }).to_string();
        let timestamp = self.clock.now().timestamp();
        let request = Request::post(self.url.clone())
            .header("content-type", "application/json")
            .header("user-agent", concat!("stockroom/", env!("CARGO_PKG_VERSION")))
            .header("webhook-signature", self.sign(&format!("{id}.{timestamp}.{body}")))
            .header("webhook-timestamp", timestamp)
            .header("webhook-id", id);
        let request = request.body(body).map_err(TaskError::permanent)?;
        // Redirections are not followed: what is signed goes where it was to go, and nowhere else.
        let answer = match tokio::time::timeout(PATIENCE, self.client.request(request)).await {
            Ok(answer) => answer.map_err(TaskError::retry)?,
            Err(_) => return Err(TaskError::retry(format!("the webhook's receiver took longer than {PATIENCE:?}"))),
        };
        match answer.status().as_u16() {
            200..300 => Ok(()),
            410 => Err(TaskError::permanent("the webhook's receiver wants no more: 410")),
            status => Err(TaskError::retry(format!("the webhook's receiver answered {status}"))),
        }
    }

    fn sign(&self, text: &str) -> String {
        let mac = self.key.clone().chain_update(text).finalize();
        format!("v1,{}", STANDARD.encode(mac.into_bytes()))
    }
}
