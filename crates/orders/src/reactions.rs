//! What is done about our events in the background. Deliveries repeat and overlap; their effects do not.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use db::{CachedDsl, Clock, Database, Tx};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::events::OrderConfirmed;
use crate::order::ConfirmationState;
use crate::schema::confirmations;

/// A process that was held up for so long between the mark and the effect (stopped, or out of memory) has lost the
/// transaction of the mark to a time limit of the database, and somebody else has done the effect.
const HELD_UP: Duration = Duration::from_secs(8);

/// What came of an attempt to confirm an order to its customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was sent now.
    Sent,
    /// It was sent before; nothing was done.
    AlreadySent,
}

/// Why a confirmation was not sent.
#[derive(Debug, thiserror::Error)]
pub enum ReactionError {
    /// There is no such order with something to confirm. Trying again will not help.
    #[error("order {order_id} of store {store_id} has no confirmation to be sent")]
    UnknownOrder {
        /// The store of the event.
        store_id: i64,
        /// The order of the event.
        order_id: i64,
    },
    /// The database failed. Trying again may help.
    #[error(transparent)]
    Database(#[from] db::Error),
}

impl ReactionError {
    /// Whether trying again is of no use.
    pub fn is_permanent(&self) -> bool {
        matches!(self, Self::UnknownOrder { .. })
    }
}

/// Tells the customer of a confirmed order, and marks the confirmation sent, exactly once.
///
/// The mark is set, the effect done, and the mark committed: the mark's row lock makes deliveries that overlap wait for
/// each other, so the effect is repeated only if the process dies between it and the commit. `attempt` is which one this
/// is, from 1.
///
/// # Errors
/// As [`ReactionError`] says.
pub async fn send_confirmation(
    database: &Database,
    clock: &Clock,
    event: &OrderConfirmed,
    attempt: u32,
) -> Result<Outcome, ReactionError> {
    let (event, attempt) = (*event, i32::try_from(attempt).unwrap_or(i32::MAX));
    let (now, began) = (clock.now(), Instant::now());
    database
        .transaction(move |tx| {
            Box::pin(async move {
                if !mark_sent(tx, event, attempt, now).await? {
                    return known(tx, event).await;
                }
                if began.elapsed() > HELD_UP {
                    return Err(
                        db::Error::Unavailable(format!("the process was held up for {:?}", began.elapsed())).into()
                    );
                }
                let OrderConfirmed { store_id, order_id } = event;
                tracing::info!(store_id, order_id, attempt, "order confirmation sent");
                Ok(Outcome::Sent)
            })
        })
        .await
}

/// What an event without anything left to send is about.
async fn known(tx: &mut Tx, event: OrderConfirmed) -> Result<Outcome, ReactionError> {
    let OrderConfirmed { store_id, order_id } = event;
    let row = confirmations::table.find((store_id, order_id)).select(confirmations::order_id);
    match row.first::<i64>(&mut **tx).await.optional().map_err(db::Error::from)? {
        Some(_) => Ok(Outcome::AlreadySent),
        None => Err(ReactionError::UnknownOrder { store_id, order_id }),
    }
}

/// Marks the confirmation sent; whether that was still to be done.
async fn mark_sent(tx: &mut Tx, event: OrderConfirmed, attempt: i32, now: DateTime<Utc>) -> Result<bool, db::Error> {
    let unsent = confirmations::table
        .find((event.store_id, event.order_id))
        .filter(confirmations::state.ne(ConfirmationState::Sent.as_str()));
    let marked = diesel::update(unsent)
        .set((
            confirmations::state.eq(ConfirmationState::Sent.as_str()),
            confirmations::attempts.eq(attempt),
            confirmations::sent_at.eq(now),
        ))
        .cached()
        .execute(&mut **tx)
        .await?;
    Ok(marked == 1)
}
