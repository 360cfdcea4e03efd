//! Placing an order: one transaction, read from top to bottom.

use std::sync::Arc;
use std::time::Duration;

use db::{Clock, Database, Tx};
use futures_util::{TryFutureExt, try_join};
use stores::stock;
use tokio::sync::Semaphore;

use crate::answer;
use crate::basket::Basket;
use crate::decide::{UnknownProduct, decide};
use crate::events::OrderConfirmed;
use crate::idempotency::{self, Answer, Claim, Key};
use crate::order::{Order, Status, Terms};
use crate::read;
use crate::write;

/// How often an attempt that stood in the way of another transaction is made again.
const RETRIES: u32 = 4;

/// How long a request waits for its turn.
const PATIENCE: Duration = Duration::from_secs(2);

/// The orders of all stores. Cheap to clone; clones take turns.
#[derive(Clone)]
pub struct Orders {
    pub(crate) database: Database,
    pub(crate) clock: Clock,
    /// As many as orders may be placed at once.
    turns: Arc<Semaphore>,
}

/// What a client asks for.
#[derive(Debug, Clone)]
pub struct Request {
    /// The store that is to serve it.
    pub store_id: i64,
    /// What is wanted.
    pub basket: Basket,
    /// The client's name for this order, if it has one.
    pub key: Option<Key>,
    /// The request, for the logs.
    pub request_id: Option<String>,
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

/// Why nothing was placed. Nothing is stored then.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// There is no such store.
    #[error("There is no store {0}.")]
    UnknownStore(i64),
    /// Lines name products that do not exist.
    #[error("{} of the products do not exist.", .0.len())]
    UnknownProducts(Vec<UnknownProduct>),
    /// The first request with this key is still being worked on.
    #[error("A request with this Idempotency-Key is still being worked on.")]
    KeyInFlight,
    /// The key was used for another basket.
    #[error("This Idempotency-Key was used before with another body.")]
    KeyReused,
    /// Too many orders are being placed. Trying later helps.
    #[error("no turn came in time: too many orders are being placed")]
    Busy,
    /// The database failed.
    #[error(transparent)]
    Database(#[from] db::Error),
    /// Something that was read at the start was no longer so at the end: trying again helps.
    #[error("another transaction changed what this one had read: {0}")]
    Overtaken(&'static str),
    /// The answer cannot be written as JSON.
    #[error(transparent)]
    Answer(#[from] serde_json::Error),
}

impl Orders {
    /// The orders kept in `database`. Placing takes up to three quarters of its connections, and waits in line for them
    /// first come, first served: a rush on one product leaves the rest to those who read.
    pub fn new(database: Database, clock: Clock) -> Self {
        let turns = Arc::new(Semaphore::new((database.max_size() * 3 / 4).max(1)));
        Self { database, clock, turns }
    }

    /// Decides a request, stores the order and takes its stock: all of it, or nothing.
    ///
    /// Goes on to the end when the caller goes away. An attempt that stands in the way of other transactions is made
    /// again a few times.
    ///
    /// # Errors
    /// As [`PlaceError`] says. After [`PlaceError::Database`] it is unknown whether the order was stored if the
    /// connection broke in the middle of the commit; asking again with the same key tells.
    pub async fn place(&self, request: Request) -> Result<Placed, PlaceError> {
        let request = Arc::new(request);
        let mut retries = 0;
        loop {
            let (clock, asked) = (self.clock.clone(), Arc::clone(&request));
            let turn = tokio::time::timeout(PATIENCE, Arc::clone(&self.turns).acquire_owned());
            let turn = turn.await.map_err(|_| PlaceError::Busy)?;
            let attempt = self.database.transaction(move |tx| {
                Box::pin(async move {
                    // The turn is handed back with the result, hence after the commit, even if the caller has gone.
                    place(tx, &clock, &asked).await.map(|placed| (placed, turn))
                })
            });
            match attempt.await {
                Err(error) if error.is_passing() && retries < RETRIES => {
                    retries += 1;
                    tracing::debug!(retries, "placing again: {error}");
                    tokio::time::sleep(jitter(retries)).await;
                }
                outcome => return outcome.map(|(placed, _)| placed),
            }
        }
    }

    /// What [`place`](Self::place) would decide now. Writes nothing and locks nothing, so the next order may change it.
    ///
    /// # Errors
    /// [`PlaceError::UnknownStore`], [`PlaceError::UnknownProducts`] and [`PlaceError::Database`].
    pub async fn preview(&self, store_id: i64, basket: &Basket) -> Result<Terms, PlaceError> {
        let conn = self.database.connection().await?;
        let ids = basket.product_ids();
        let (store_exists, prices, mut balances) = try_join!(
            stores::exists(&conn, store_id),
            products::prices(&conn, &ids),
            read::balances(&conn, store_id, &ids),
        )?;
        if !store_exists {
            return Err(PlaceError::UnknownStore(store_id));
        }
        decide(store_id, basket, &prices, &mut balances, self.clock.now()).map_err(PlaceError::UnknownProducts)
    }
}

async fn place(tx: &Tx, clock: &Clock, request: &Request) -> Result<Placed, PlaceError> {
    let Request { store_id, basket, key, request_id } = request;
    // The key comes first and alone: a repeat must not wait for rows that the first request holds.
    if let Some(key) = key
        && let Some(placed) = replay(tx, clock, request, key).await?
    {
        return Ok(placed);
    }

    // Reads and locks, in one round trip.
    let ids = basket.product_ids();
    let rows: Vec<stock::Key> = ids.iter().map(|id| (*store_id, *id)).collect();
    let (store_exists, prices, mut balances, id) = try_join!(
        stores::exists(tx, *store_id),
        products::prices(tx, &ids),
        stock::lock(tx, &rows),
        write::take_id(tx),
    )?;
    if !store_exists {
        return Err(PlaceError::UnknownStore(*store_id));
    }

    let terms = decide(*store_id, basket, &prices, &mut balances, clock.now()).map_err(PlaceError::UnknownProducts)?;
    let order = Order { id, terms };

    let taken = order.terms.taken();
    let orders = [&order];

    // Everything that is written, in one round trip. No statement here needs the rows of another, since they may run in
    // any order.
    try_join!(
        write::insert(tx, &orders).err_into(),
        stock::deduct(tx, &taken).err_into(),
        announce(tx, &order, request_id.as_deref()).err_into(),
        remember(tx, request, &order),
    )?;
    Ok(Placed::New(order))
}

/// Claims the key; what was answered under it before, if anything.
async fn replay(tx: &Tx, clock: &Clock, request: &Request, key: &Key) -> Result<Option<Placed>, PlaceError> {
    let claims = idempotency::claim(tx, &[(request.store_id, key)], clock.now()).await?;
    match claims.into_iter().next() {
        None | Some(Claim::New) => Ok(None),
        Some(Claim::InFlight) => Err(PlaceError::KeyInFlight),
        Some(Claim::Answered(answer)) if answer.digest != request.basket.digest() => Err(PlaceError::KeyReused),
        Some(Claim::Answered(Answer { order_id, body, .. })) => Ok(Some(Placed::Replayed { order_id, body })),
    }
}

/// Keeps the answer under the request's key, if it has one.
async fn remember(tx: &Tx, request: &Request, order: &Order) -> Result<(), PlaceError> {
    let Some(key) = &request.key else { return Ok(()) };
    let answer = Answer { digest: request.basket.digest().into(), order_id: order.id, body: answer::placed(order)? };
    match idempotency::keep(tx, &[(request.store_id, key, &answer)], order.terms.created_at).await? {
        true => Ok(()),
        false => Err(PlaceError::Overtaken("the key was answered")),
    }
}

async fn announce(tx: &Tx, order: &Order, request_id: Option<&str>) -> Result<(), db::Error> {
    match order.terms.status {
        Status::Confirmed => {
            let event = OrderConfirmed { store_id: order.terms.store_id, order_id: order.id };
            outbox::record(tx, &event, request_id).await
        }
        _ => Ok(()),
    }
}

impl PlaceError {
    /// Whether the same request may well be served when tried again right away.
    fn is_passing(&self) -> bool {
        // A store or product that was deleted between reading it and referring to it: the next attempt misses it.
        const DELETED: [&str; 2] = ["orders_store_id_fkey", "order_items_product_id_fkey"];
        match self {
            Self::Overtaken(_) => true,
            Self::Database(error) => {
                error.is_transient() || error.constraint().is_some_and(|broken| DELETED.contains(&broken))
            }
            _ => false,
        }
    }
}

/// Up to 5 ms before the first retry, twice that before each further one, so that those who met do not meet again.
fn jitter(retry: u32) -> Duration {
    Duration::from_micros(rand::random_range(0..5_000_u64 << retry.saturating_sub(1)))
}
