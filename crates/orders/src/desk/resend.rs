//! Telling a customer once more.

use accounts::Actor;
use accounts::audit::{self, Action, Object};
use chrono::{DateTime, Utc};
use db::Tx;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::json;
use web::{Code, Coded};

use crate::Orders;
use crate::cancel::cause;
use crate::events::OrderConfirmed;
use crate::order::{ConfirmationState, Status};
use crate::schema::{confirmations, orders};

/// Why a confirmation is not sent again.
#[derive(Debug, thiserror::Error)]
pub enum ResendError {
    /// There is no such order.
    #[error("There is no order {0}.")]
    UnknownOrder(i64),
    /// It has nothing to confirm.
    #[error("Order {0} is not confirmed, so there is nothing to tell its customer.")]
    NothingToTell(i64),
    /// It is on its way already.
    #[error("The confirmation of order {0} is on its way already.")]
    OnItsWay(i64),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] db::Error),
}

impl From<diesel::result::Error> for ResendError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(error.into())
    }
}

impl Coded for ResendError {
    fn code(&self) -> Code {
        match self {
            Self::UnknownOrder(_) => Code::NotFound,
            Self::NothingToTell(_) | Self::OnItsWay(_) => Code::Conflict,
            Self::Database(error) => error.code(),
        }
    }
}

impl Orders {
    /// Has the confirmation of an order sent once more, whatever became of the last one: what was given up is tried
    /// from the beginning, what was sent is sent again. Who wanted it is in the audit log.
    ///
    /// # Errors
    /// As [`ResendError`] says.
    pub async fn resend_confirmation(&self, id: i64, actor: &Actor) -> Result<(), ResendError> {
        let (actor, now) = (actor.clone(), self.clock.now());
        self.database.transaction(move |tx| Box::pin(async move { resend(tx, id, &actor, now).await })).await?;
        self.bell.ring();
        Ok(())
    }
}

/// The confirmation's row is locked first, as by whoever sends it: so it is either sent or wanted again, not both.
async fn resend(tx: &mut Tx, order_id: i64, actor: &Actor, now: DateTime<Utc>) -> Result<(), ResendError> {
    let found: Option<(i64, Status, bool)> = {
        let mut conn: &AsyncPgConnection = tx;
        let columns = (orders::store_id, orders::status, orders::customer_email.is_not_null());
        orders::table.filter(orders::id.eq(order_id)).select(columns).first(&mut conn).await.optional()?
    };
    let (store_id, status, has_address) = found.ok_or(ResendError::UnknownOrder(order_id))?;
    if status != Status::Confirmed {
        return Err(ResendError::NothingToTell(order_id));
    }
    let row = confirmations::table.find((store_id, order_id));
    let state: Option<ConfirmationState> = {
        let mut conn: &AsyncPgConnection = tx;
        row.select(confirmations::state).for_no_key_update().first(&mut conn).await.optional()?
    };
    let state = state.ok_or(ResendError::NothingToTell(order_id))?;
    // What was sent, or given up for good, is a letter of its own when it is sent again; any other may have arrived and not
    // be on record.
    let resent = (state != ConfirmationState::Pending).then(|| now.timestamp_micros());
    let event = OrderConfirmed { store_id, order_id, has_address, resent };
    let about = json!({ "order_id": order_id });
    match outbox::standing(tx, <OrderConfirmed as outbox::Event>::KIND, store_id, &about).await? {
        Some(event) if event.parked_at.is_some() => {
            let which = outbox::Which { ids: Some(vec![event.id]), ..outbox::Which::default() };
            outbox::redrive(tx, &which, 1).await?;
        }
        Some(_) => return Err(ResendError::OnItsWay(order_id)),
        None => outbox::record(tx, &event, cause(actor)).await?,
    }
    let mut conn: &AsyncPgConnection = tx;
    diesel::update(row)
        .set((
            confirmations::state.eq(ConfirmationState::Pending.as_str()),
            confirmations::attempts.eq(0),
            confirmations::sent_at.eq(None::<DateTime<Utc>>),
        ))
        .execute(&mut conn)
        .await?;
    let (before, after) = (json!({ "confirmation": state.as_str() }), json!({ "confirmation": "pending" }));
    audit::record(tx, actor, Action::Resend, Object::new("order", order_id), Some(before), Some(after)).await?;
    Ok(())
}
