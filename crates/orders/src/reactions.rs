//! What is done about our events in the background. Deliveries repeat and overlap; their effects do not.

mod notices;

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use db::{CachedDsl, Clock, Database, Tx};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use futures_util::try_join;
use products::Titles;

use crate::email::CustomerEmail;
use crate::events::OrderConfirmed;
use crate::order::{ConfirmationState, Order, Status, Summary, Terms};
use crate::read::lines;
use crate::schema::{confirmations, orders};

pub use notices::Notices;

/// A process that was held up for so long between the mark and the effect (stopped, or out of memory) has lost the
/// transaction of the mark to a time limit of the database, and somebody else has done the effect.
const HELD_UP: Duration = Duration::from_secs(8);

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

/// A confirmation on its way: marked as sent, and not committed yet. Only [`told`](Self::told) makes the mark last.
///
/// The mark's row lock makes deliveries that overlap wait for each other, so the customer is told twice only if the
/// process dies between telling and the commit, or if whoever takes the letter says so too late to be heard.
pub struct Confirming {
    tx: Tx,
    event: OrderConfirmed,
    attempt: i32,
    began: Instant,
}

/// How the customer is to be told.
#[derive(Debug)]
pub enum Telling {
    /// By this letter.
    Mail(Letter),
    /// By the log alone: the customer left no address.
    Log,
    /// Not any more: the order was cancelled meanwhile.
    Cancelled,
}

/// What is to be told to whom.
#[derive(Debug)]
pub struct Letter {
    /// The order.
    pub order: Order,
    /// Where to.
    pub address: CustomerEmail,
    /// What its products are called.
    pub titles: Titles,
    /// When staff wanted it sent once more, if they did: [`OrderConfirmed::resent`].
    pub resent: Option<i64>,
}

/// Marks the confirmation of an order as sent by this attempt (from 1); `None` if it was sent before. The caller tells
/// the customer, within seconds.
///
/// # Errors
/// As [`ReactionError`] says.
pub async fn confirm(
    database: &Database,
    clock: &Clock,
    event: &OrderConfirmed,
    attempt: u32,
) -> Result<Option<Confirming>, ReactionError> {
    let (event, attempt) = (*event, i32::try_from(attempt).unwrap_or(i32::MAX));
    let (now, began) = (clock.now(), Instant::now());
    let (tx, is_marked) = database.begin(move |tx| Box::pin(mark_sent(tx, event, attempt, now))).await?;
    if is_marked {
        return Ok(Some(Confirming { tx, event, attempt, began }));
    }
    let is_known = is_known(&tx, event).await;
    tx.roll_back().await;
    match is_known? {
        true => Ok(None),
        false => Err(ReactionError::UnknownOrder { store_id: event.store_id, order_id: event.order_id }),
    }
}

impl Confirming {
    /// What goes to the customer, as the order stands now.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn telling(&self) -> Result<Telling, ReactionError> {
        let OrderConfirmed { store_id, order_id, .. } = self.event;
        let row = orders::table.find((store_id, order_id)).select((Summary::as_select(), orders::customer_email));
        let (found, lines) = try_join!(
            async {
                let found: (Summary, Option<CustomerEmail>) = row.first(&mut &**self.tx).await?;
                Ok::<_, db::Error>(found)
            },
            lines(&self.tx, store_id, order_id),
        )?;
        let (summary, address) = found;
        if summary.status == Status::Cancelled {
            return Ok(Telling::Cancelled);
        }
        let Some(address) = address else { return Ok(Telling::Log) };
        let products: Vec<i64> = lines.iter().map(|line| line.product_id).collect();
        let titles = products::titles(&self.tx, &products).await?;
        let Summary { id, status, created_at, total_items, total_price } = summary;
        let terms = Terms { store_id, status, created_at, total_items, total_price, lines };
        let order = Order { id, customer_email: Some(address.clone()), terms };
        Ok(Telling::Mail(Letter { order, address, titles, resent: self.event.resent }))
    }

    /// To be asked right before the customer is told: whether it is still us who have to.
    ///
    /// # Errors
    /// [`ReactionError::Database`] when the process was held up for so long that it has lost the mark.
    pub fn in_time(&self) -> Result<(), ReactionError> {
        match self.began.elapsed() {
            held_up if held_up > HELD_UP => {
                Err(db::Error::Unavailable(format!("the process was held up for {held_up:?}")).into())
            }
            _ => Ok(()),
        }
    }

    /// The customer was told by these means: the log has a line of it, and the mark is committed.
    ///
    /// # Errors
    /// Those of the database. The customer was told all the same, and may be told again.
    pub async fn told(self, by: &str) -> Result<(), ReactionError> {
        say_sent(&self.event, self.attempt, by);
        Ok(self.tx.commit().await?)
    }

    /// The customer could not be told: the confirmation stays to be sent.
    pub async fn not_told(self) {
        self.tx.roll_back().await;
    }
}

fn say_sent(event: &OrderConfirmed, attempt: i32, by: &str) {
    let OrderConfirmed { store_id, order_id, .. } = event;
    tracing::info!(store_id, order_id, attempt, by, "order confirmation sent");
}

/// Whether there is such a confirmation.
async fn is_known(tx: &Tx, event: OrderConfirmed) -> Result<bool, db::Error> {
    let row = confirmations::table.find((event.store_id, event.order_id)).select(confirmations::order_id);
    Ok(row.first::<i64>(&mut &***tx).await.optional()?.is_some())
}

/// Marks the confirmation sent; whether that was still to be done.
async fn mark_sent(tx: &Tx, event: OrderConfirmed, attempt: i32, now: DateTime<Utc>) -> Result<bool, db::Error> {
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
        .execute(&mut &***tx)
        .await?;
    Ok(marked == 1)
}
