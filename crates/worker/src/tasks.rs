//! Which task of which domain answers which event.

use db::{Clock, Database};
use jobs::{Delivery, Registry, TaskError};
use orders::events::{OrderCancelled, OrderConfirmed};
use orders::reactions::{ReactionError, send_confirmation};
use outbox::Event;
use serde::de::DeserializeOwned;

/// Every task that this process knows.
pub(crate) fn registry(database: &Database, clock: &Clock) -> Registry {
    let (database, clock) = (database.clone(), clock.clone());
    let registry = Registry::new().on(OrderCancelled::KIND, "note_order_cancellation", |delivery| async move {
        let OrderCancelled { store_id, order_id } = event(delivery)?;
        tracing::info!(store_id, order_id, "order cancelled");
        Ok(())
    });
    registry.on(OrderConfirmed::KIND, "send_order_confirmation", move |delivery| {
        let (database, clock) = (database.clone(), clock.clone());
        async move {
            let attempt = delivery.attempt;
            let event: OrderConfirmed = event(delivery)?;
            match send_confirmation(&database, &clock, &event, attempt).await {
                Ok(_) => Ok(()),
                Err(ReactionError::Database(error)) => Err(error.into()),
                Err(error) if error.is_permanent() => Err(TaskError::permanent(error)),
                Err(error) => Err(TaskError::retry(error)),
            }
        }
    })
}

/// The event that was recorded. What serde has against it is not told, as it may quote from it.
fn event<E: DeserializeOwned>(delivery: Delivery) -> Result<E, TaskError> {
    serde_json::from_value(delivery.payload).map_err(|_| TaskError::permanent("the payload is not one of this event"))
}
