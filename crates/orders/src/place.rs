//! Placing an order: what is asked for, what may come of it, and the way into a lane. What happens there is told in
//! `batch`, and how it is decided in `decide`.

use std::io;
use std::sync::Arc;

use db::{Clock, Database};
use outbox::{Bell, Cause};
use rust_decimal::Decimal;
use stores::stock;
use web::Atlas;

use crate::basket::Basket;
use crate::batch::{Batches, Job};
use crate::config::Config;
use crate::decide::{Refusal, UnknownProduct, decide};
use crate::email::CustomerEmail;
use crate::idempotency::Key;
use crate::in_flight::InFlight;
use crate::lane::{self, Failure, Lane, NotDone, Pass};
use crate::order::{Order, Terms};
use crate::read::{Listed, Snapshot};

/// How often an attempt that stood in the way of another transaction is made again.
const RETRIES: u32 = 4;

/// How often an attempt is made again when its connection broke: those that broke while they lay idle are noticed only
/// when they are used. When no new one is to be had either, the database is away, and nobody waits for that twice.
const RECONNECTS: u32 = 2;

/// The orders of all stores. Cheap to clone; clones share lanes.
#[derive(Clone)]
pub struct Orders {
    pub(crate) database: Database,
    pub(crate) clock: Clock,
    lanes: Arc<[Lane<Batches>]>,
    /// Rung when events are committed.
    pub(crate) bell: Bell,
    in_flight: InFlight,
    pub(crate) atlas: Atlas<Listed>,
}

/// What a client asks for.
#[derive(Debug, Clone)]
pub struct Request {
    /// The store that is to serve it.
    pub store_id: i64,
    /// What is wanted.
    pub basket: Basket,
    /// What the client believes that it costs; anything else is refused.
    pub expected_total: Option<Decimal>,
    /// The client's name for this order, if it has one.
    pub key: Option<Key>,
    /// Where its confirmation is to go by mail.
    pub customer_email: Option<CustomerEmail>,
    /// The request, for the logs.
    pub request_id: Option<String>,
    /// The trace that it belongs to (W3C Trace Context), for the logs.
    pub traceparent: Option<String>,
}

/// What was done about a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placed {
    /// It was decided and stored now.
    New(Order),
    /// It was answered before, under the same key.
    Replayed {
        /// The order that was placed then.
        order_id: i64,
        /// The answer that was given then, byte for byte.
        body: String,
    },
}

/// Why nothing was placed. Nothing is stored then, but for [`PlaceError::Unknown`].
#[derive(Debug, Clone, thiserror::Error)]
pub enum PlaceError {
    /// There is no such store.
    #[error("There is no store {0}.")]
    UnknownStore(i64),
    /// Lines name products that do not exist.
    #[error("{} of the products do not exist.", .0.len())]
    UnknownProducts(Vec<UnknownProduct>),
    /// It costs this, and not what was expected.
    #[error("The items cost {0:.2}, not what was expected.")]
    TotalDiffers(Decimal),
    /// The first request with this key is still being worked on.
    #[error("A request with this Idempotency-Key is still being worked on.")]
    KeyInFlight,
    /// The key was used for another request.
    #[error("This Idempotency-Key was used before with another body.")]
    KeyReused,
    /// It was not its turn in time, or the work on it went wrong.
    #[error(transparent)]
    NotDone(#[from] NotDone),
    /// The database failed.
    #[error(transparent)]
    Database(Arc<db::Error>),
    /// The connection broke during the COMMIT, and the database did not come back in time to tell what became of it.
    #[error("it is not known whether the transaction was committed")]
    Unknown,
    /// Something that was read at the start was no longer so at the end: trying again helps.
    #[error("another transaction changed what this one had read: {0}")]
    Overtaken(&'static str),
    /// Another transaction keeps a row of the inventory that it needs.
    #[error("product {product_id} of store {store_id} is kept locked by another transaction")]
    RowHeld {
        /// Whose inventory.
        store_id: i64,
        /// What it asked for.
        product_id: i64,
    },
    /// The connection was lost, and what was begun on it holds the request's key still.
    #[error("the connection was lost, and what was begun on it has not ended yet")]
    Lingers,
    /// It was left out of its batch: a fault of ours.
    #[error("an order of the batch was left without a result")]
    Forgotten,
    /// The answer cannot be written as JSON.
    #[error(transparent)]
    Answer(Arc<serde_json::Error>),
}

impl Orders {
    /// The orders kept in `database`, placed in lanes, each with a connection and a thread of its own.
    ///
    /// # Errors
    /// When the database's configuration cannot be used, or no thread be had.
    pub fn new(database: Database, clock: Clock, config: &Config) -> Result<Self, db::Error> {
        lane::begin_metrics();
        let bell = Bell::hang(&database)?;
        let batches = || {
            let database = database.apart_planned_once(1).map_err(io::Error::other)?;
            Ok(Batches::new(database, clock.clone(), config.announces, bell.clone()))
        };
        let open = |_| {
            Lane::open(config, batches)
                .map_err(|error| db::Error::Unavailable(format!("a lane for orders cannot be opened: {error}")))
        };
        let lanes = (0..config.lanes).map(open).collect::<Result<_, _>>()?;
        Ok(Self { database, clock, lanes, bell, in_flight: InFlight::default(), atlas: Atlas::default() })
    }

    /// Decides a request, stores the order and takes its stock: all of it, or nothing. Shares its transaction with the
    /// requests that wait at the same moment.
    ///
    /// Goes on to the end when the caller goes away.
    ///
    /// # Errors
    /// As [`PlaceError`] says.
    pub async fn place(&self, request: Request) -> Result<Placed, PlaceError> {
        let entered = match &request.key {
            Some(key) => Some(self.in_flight.enter(request.store_id, key).ok_or(PlaceError::KeyInFlight)?),
            None => None,
        };
        self.lane(request.store_id).ask(Job { request, _entered: entered }).await
    }

    /// A store's orders all take the same lane, so that lanes do not wait for each other's rows.
    fn lane(&self, store_id: i64) -> &Lane<Batches> {
        &self.lanes[store_id.rem_euclid(self.lanes.len() as i64) as usize]
    }

    /// What [`place`](Self::place) would decide now: by the same function, on one snapshot of the database, whatever the
    /// request's key. Writes nothing and locks nothing, so the next order may change it.
    ///
    /// # Errors
    /// [`PlaceError::UnknownStore`], [`PlaceError::UnknownProducts`], [`PlaceError::TotalDiffers`] and
    /// [`PlaceError::Database`].
    pub async fn preview(&self, request: &Request) -> Result<Terms, PlaceError> {
        let Request { store_id, basket, expected_total, .. } = request;
        let conn = self.database.connection().await?;
        let snapshot = Snapshot::take(&conn, *store_id, &basket.product_ids()).await?;
        let Some(Snapshot { prices, mut balances }) = snapshot else {
            return Err(PlaceError::UnknownStore(*store_id));
        };
        Ok(decide(*store_id, basket, *expected_total, &prices, &mut balances, self.clock.now())?)
    }
}

impl Request {
    /// What a key stands for: equal for requests that ask for the same.
    pub(crate) fn digest(&self) -> [u8; 32] {
        self.basket.digest(self.expected_total, self.customer_email.as_ref())
    }

    /// The rows of the inventory that it needs.
    pub(crate) fn rows(&self) -> impl Iterator<Item = stock::Key> {
        self.basket.lines().iter().map(|line| (self.store_id, line.product_id))
    }

    /// What its events came of.
    pub(crate) fn cause(&self) -> Cause<'_> {
        Cause { request_id: self.request_id.as_deref(), traceparent: self.traceparent.as_deref() }
    }
}

impl From<Refusal> for PlaceError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::UnknownProducts(lines) => Self::UnknownProducts(lines),
            Refusal::TotalDiffers(total) => Self::TotalDiffers(total),
        }
    }
}

impl From<db::Error> for PlaceError {
    fn from(error: db::Error) -> Self {
        Self::Database(Arc::new(error))
    }
}

impl From<serde_json::Error> for PlaceError {
    fn from(error: serde_json::Error) -> Self {
        Self::Answer(Arc::new(error))
    }
}

impl PlaceError {
    /// What is to be done about a batch that failed so.
    pub(crate) fn of_a_batch(self, pass: Pass) -> Failure<Self> {
        match &self {
            Self::Unknown => Failure::All(self),
            Self::Database(error) if matches!(**error, db::Error::Away(_)) => Failure::All(self),
            _ if self.is_loss() => match pass.tries < RECONNECTS {
                true => Failure::Lost(self),
                false => Failure::All(self),
            },
            Self::Lingers => Failure::Lost(self),
            // What was asked for at once was too much for the time, or the server is: parts of it would take as long.
            Self::Database(error) if matches!(**error, db::Error::Timeout(_)) && !error.is_lock_timeout() => {
                Failure::All(self)
            }
            _ if self.is_passing() && pass.tries < RETRIES => Failure::Again(self),
            _ => Failure::One(self),
        }
    }

    /// Whether the connection broke.
    pub(crate) fn is_loss(&self) -> bool {
        matches!(self, Self::Database(error) if matches!(**error, db::Error::Unavailable(_)))
    }

    /// Whether a lock was waited for in vain.
    pub(crate) fn is_lock_timeout(&self) -> bool {
        matches!(self, Self::Database(error) if error.is_lock_timeout())
    }

    /// Whether the same request may well be served when tried again right away.
    fn is_passing(&self) -> bool {
        // A store or product that was deleted between reading it and referring to it: the next attempt misses it.
        const DELETED: [&str; 2] = ["orders_store_id_fkey", "order_items_product_id_fkey"];
        // A key that another transaction answered meanwhile: the next attempt finds the answer.
        const ANSWERED: &str = "idempotency_keys_pkey";
        match self {
            Self::Overtaken(_) => true,
            Self::Database(error) => {
                let broken = error.constraint();
                error.is_transient() || broken.is_some_and(|broken| DELETED.contains(&broken) || broken == ANSWERED)
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Halving a batch, or trying it again, would wait for the same silence once more for each part.
    #[test]
    fn a_database_that_is_away_is_waited_for_once() {
        let failure = |error: db::Error, tries| PlaceError::from(error).of_a_batch(Pass { tries, ..Pass::default() });
        let (away, broken) = (|| db::Error::Away("gone".into()), || db::Error::Unavailable("it broke".into()));
        assert!(matches!(failure(away(), 0), Failure::All(_)));
        assert!(matches!(failure(broken(), 0), Failure::Lost(_)));
        assert!(matches!(failure(broken(), RECONNECTS), Failure::All(_)));
    }
}
