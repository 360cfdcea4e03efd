//! Cancelling an order: its stock goes back, once.

use std::time::Duration;

use accounts::Actor;
use accounts::audit::{self, Action, Object};
use db::{CachedDsl, Tx};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use futures_util::{TryFutureExt, try_join};
use serde_json::json;
use stores::stock;
use web::Timestamp;

use crate::events::OrderCancelled;
use crate::order::{Confirmation, ConfirmationState, Order, Status};
use crate::place::Orders;
use crate::schema::{confirmations, order_items, orders};

/// How often an attempt that met another transaction, or a connection that broke, is made again.
const RETRIES: u32 = 3;

/// Why an order was not cancelled.
#[derive(Debug, thiserror::Error)]
pub enum CancelError {
    /// There is no such order.
    #[error("There is no order {0}.")]
    UnknownOrder(i64),
    /// It took no stock that could go back.
    #[error("Order {order_id} is {}: only a CONFIRMED order can be cancelled.", status.as_str())]
    NotConfirmed {
        /// The order.
        order_id: i64,
        /// Where it stands.
        status: Status,
    },
    /// The stock of a product has grown meanwhile, and what would go back is more than can be counted.
    #[error(
        "The store has {held} units of product {product_id}: the {returned} of order {order_id} do not fit on top."
    )]
    StockIsFull {
        /// The order.
        order_id: i64,
        /// The product.
        product_id: i64,
        /// Units on hand.
        held: i32,
        /// Units that would go back.
        returned: i32,
    },
    /// The database failed.
    #[error(transparent)]
    Database(#[from] db::Error),
}

impl Orders {
    /// Cancels a confirmed order and gives its stock back; one that is cancelled already stays as it is. The order as it
    /// is then. Who did it is in the audit log.
    ///
    /// # Errors
    /// As [`CancelError`] says.
    pub async fn cancel(&self, id: i64, actor: &Actor) -> Result<(Order, Option<Confirmation>), CancelError> {
        let mut tries = 0;
        loop {
            let (actor, at) = (actor.clone(), Timestamp(self.clock.now()));
            let attempt =
                self.database.transaction(move |tx| Box::pin(async move { cancel(tx, id, at, &actor).await }));
            match attempt.await {
                // If the connection broke during the COMMIT, the next attempt waits for the order's row, hence for the
                // end of this one, and finds what became of it.
                Err(CancelError::Database(error)) if may_pass(&error) && tries < RETRIES => {
                    tries += 1;
                    tokio::time::sleep(Duration::from_millis(u64::from(tries) * rand::random_range(1..10))).await;
                }
                Err(error) => return Err(error),
                Ok(()) => {
                    self.bell.ring();
                    return self.find(id).await?.ok_or(CancelError::UnknownOrder(id));
                }
            }
        }
    }
}

/// What an event of somebody's doing came of.
pub(crate) fn cause(actor: &Actor) -> outbox::Cause<'_> {
    outbox::Cause { request_id: actor.request_id(), traceparent: actor.traceparent() }
}

fn may_pass(error: &db::Error) -> bool {
    error.is_transient() || matches!(error, db::Error::Unavailable(_))
}

/// The order's row is locked first, so of many cancellations one finds it confirmed. Then its stock, in the order in
/// which everybody locks stock: whoever holds stock never waits for an order.
async fn cancel(tx: &mut Tx, order_id: i64, at: Timestamp, actor: &Actor) -> Result<(), CancelError> {
    let store_id: Option<i64> = orders::table
        .filter(orders::id.eq(order_id))
        .select(orders::store_id)
        .first(&mut **tx)
        .await
        .optional()
        .map_err(db::Error::from)?;
    let store_id = store_id.ok_or(CancelError::UnknownOrder(order_id))?;
    let order = orders::table.find((store_id, order_id));
    let status: Status =
        order.select(orders::status).for_no_key_update().first(&mut **tx).await.map_err(db::Error::from)?;
    match status {
        Status::Confirmed => {}
        Status::Cancelled => return Ok(()),
        Status::Pending | Status::Rejected => return Err(CancelError::NotConfirmed { order_id, status }),
    }

    let lines: Vec<(i64, i64, i32)> = order_items::table
        .filter(order_items::store_id.eq(store_id).and(order_items::order_id.eq(order_id)))
        .select((order_items::store_id, order_items::product_id, order_items::quantity_requested))
        .load(&mut **tx)
        .await
        .map_err(db::Error::from)?;
    let rows: Vec<stock::Key> = lines.iter().map(|(store, product, _)| (*store, *product)).collect();
    let held = stock::lock(tx, &rows).await?;
    for &(store, product_id, returned) in &lines {
        let held = held.get(&(store, product_id)).copied().unwrap_or_default();
        if held.checked_add(returned).is_none() {
            return Err(CancelError::StockIsFull { order_id, product_id, held, returned });
        }
    }

    let cancelled = OrderCancelled { store_id, order_id, at };
    let [before, after] =
        [Status::Confirmed, Status::Cancelled].map(|status| Some(json!({ "status": status.as_str() })));
    // A confirmation that was given up for good is nothing to see to any more.
    let failed = confirmations::state.eq(ConfirmationState::Failed.as_str());
    let of_order = confirmations::table.find((store_id, order_id)).filter(failed);
    let settled = (confirmations::state.eq(ConfirmationState::Sent.as_str()), confirmations::sent_at.eq(Some(at.0)));
    try_join!(
        stock::restore(tx, &lines),
        diesel::update(of_order).set(settled).cached().execute(&mut &***tx).err_into(),
        diesel::update(order)
            .set(orders::status.eq(Status::Cancelled.as_str()))
            .cached()
            .execute(&mut &***tx)
            .err_into(),
        outbox::record(tx, &cancelled, cause(actor)),
        audit::record(tx, actor, Action::Cancel, Object::new("order", order_id), before, after),
    )?;
    Ok(())
}
