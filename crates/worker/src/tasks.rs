//! Which task of which domain answers which event.

use db::{Clock, Database};
use jobs::{Delivery, Lane, Registry, TaskError};
use orders::events::{OrderCancelled, OrderConfirmed, OrderDecided};
use orders::reactions::{Confirming, Notices, ReactionError, Telling, confirm};
use outbox::Event;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::mail::Mailer;
use crate::webhook::{Message, Webhook};

/// What the tasks work with.
#[derive(Clone)]
pub(crate) struct Means {
    pub(crate) database: Database,
    pub(crate) clock: Clock,
    pub(crate) notices: Notices,
    pub(crate) mailer: Option<Mailer>,
    pub(crate) webhook: Option<Webhook>,
}

/// Every task that this process knows.
pub(crate) fn registry(means: &Means) -> Registry {
    let [confirming, deciding, cancelling] = [(); 3].map(|()| means.clone());
    Registry::new()
        .on(OrderConfirmed::KIND, "send_order_confirmation", move |delivery| {
            let means = confirming.clone();
            async move { send_confirmation(&means, delivery).await }
        })
        .on(OrderDecided::KIND, "announce_order_decision", move |delivery| {
            let means = deciding.clone();
            async move {
                // A gateway records decisions for a webhook alone. One that has it may take this up.
                let missing = || TaskError::retry("this worker has no WEBHOOK_URL, and a gateway has one");
                announce(means.webhook.as_ref().ok_or_else(missing)?, delivery).await
            }
        })
        .on(OrderCancelled::KIND, "note_order_cancellation", move |delivery| {
            let means = cancelling.clone();
            async move {
                let About { store_id, order_id, .. } = event(&delivery)?;
                tracing::info!(store_id, order_id, "order cancelled");
                let Some(webhook) = &means.webhook else { return Ok(()) };
                announce(webhook, delivery).await
            }
        })
        // Whoever is slow to take mail or webhooks keeps no other waiting.
        .aside(Lane::Mail, OrderConfirmed::KIND, json!({ "has_address": true }))
        .aside(Lane::Webhook, OrderDecided::KIND, json!({}))
        .aside(Lane::Webhook, OrderCancelled::KIND, json!({}))
}

/// By mail where there is a server for it and an address, else by the log alone.
async fn send_confirmation(means: &Means, delivery: Delivery) -> Result<(), TaskError> {
    let about: OrderConfirmed = event(&delivery)?;
    let Some(mailer) = means.mailer.as_ref().filter(|_| about.has_address) else {
        return means.notices.note(&about, delivery.attempt).await.map_err(failed);
    };
    let _turn = mailer.turn().await?;
    let confirming = confirm(&means.database, &means.clock, &about, delivery.attempt).await.map_err(failed)?;
    let Some(confirming) = confirming else { return Ok(()) };
    match tell_customer(mailer, &confirming).await {
        Ok(by) => confirming.told(by).await.map_err(failed),
        Err(error) => {
            confirming.not_told().await;
            Err(error)
        }
    }
}

/// Returns by which means.
async fn tell_customer(mailer: &Mailer, confirming: &Confirming) -> Result<&'static str, TaskError> {
    let telling = confirming.telling().await.map_err(failed)?;
    confirming.in_time().map_err(failed)?;
    match telling {
        Telling::Mail(letter) => mailer.send(&letter).await.map(|()| "mail"),
        Telling::Log => Ok("log"),
        Telling::Cancelled => Ok("nothing: cancelled"),
    }
}

fn failed(error: ReactionError) -> TaskError {
    match error {
        ReactionError::Database(error) => error.into(),
        error if error.is_permanent() => TaskError::permanent(error),
        error => TaskError::retry(error),
    }
}

/// What is common to the events that webhooks tell of.
#[derive(Deserialize)]
struct About {
    store_id: i64,
    order_id: i64,
    /// How it was decided; a cancellation has none.
    status: Option<String>,
    at: String,
}

async fn announce(webhook: &Webhook, delivery: Delivery) -> Result<(), TaskError> {
    let About { store_id, order_id, status, at } = event(&delivery)?;
    let kind = match status.as_deref() {
        None => "order.cancelled",
        Some("CONFIRMED") => "order.confirmed",
        Some("REJECTED") => "order.rejected",
        Some(_) => return Err(TaskError::permanent("nobody is told of this status")),
    };
    webhook.tell(&Message { kind, store_id, order_id, at: &at, data: &delivery.payload }).await
}

/// The event that was recorded. What serde has against it is not told, as it may quote from it.
fn event<E: DeserializeOwned>(delivery: &Delivery) -> Result<E, TaskError> {
    E::deserialize(&delivery.payload).map_err(|_| TaskError::permanent("the payload is not one of this event"))
}
