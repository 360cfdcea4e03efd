//! A batch of orders: one transaction, read from top to bottom.
//!
//! ```text
//! round trip 1   BEGIN; what is known of the keys; lock the rows of all orders in one global order; then read prices
//!                and stores, and take numbers
//!                decide order after order, as they arrived, against what those before it left
//!            2   orders with lines and confirmations; stock; events; answers under their keys
//!            3   COMMIT
//! ```
//!
//! Nobody is answered before the COMMIT is.

#[cfg(test)]
mod plans;

use std::collections::HashSet;
use std::time::Duration;

use chrono::{DateTime, Utc};
use db::{Clock, Database, Tx};
use futures_util::{TryFutureExt, try_join};
use outbox::Cause;
use products::Prices;
use stores::stock::{self, Balances};
use tokio::time::{Instant, timeout};

use crate::answer;
use crate::commit::{self, Mark};
use crate::decide::decide;
use crate::events::{OrderConfirmed, OrderDecided};
use crate::idempotency::{self, Answer, Claim, Key};
use crate::in_flight::Entered;
use crate::lane::{Failure, Pass, Results, Work};
use crate::order::{Order, Status};
use crate::place::{PlaceError, Placed, Request};
use crate::write::{self, Numbers};

/// How long a part of a batch that failed waits for a lock: as part of the whole it has waited for long already.
const SHORT_WAIT: Duration = Duration::from_millis(50);

/// When a server that says nothing at all is given up. Longer than the limits under which it works itself.
const SILENCE: Duration = Duration::from_secs(4);

/// A request under way.
pub(crate) struct Job {
    pub(crate) request: Request,
    /// Its key, among those that are worked on until this is dropped.
    pub(crate) _entered: Option<Entered>,
}

/// Places orders together.
pub(crate) struct Batches {
    pub(crate) database: Database,
    pub(crate) clock: Clock,
    /// Whether a webhook wants to hear of every decision.
    pub(crate) announces: bool,
}

impl Work for Batches {
    type Job = Job;
    type Answer = Placed;
    type Error = PlaceError;

    /// The number of lines, since it is they that cost.
    fn weight(job: &Job) -> usize {
        job.request.basket.lines().len()
    }

    async fn attempt(&self, jobs: &[&Job], pass: Pass) -> Result<Results<Self>, Failure<PlaceError>> {
        let requests: Vec<&Request> = jobs.iter().map(|job| &job.request).collect();
        self.place(&requests, pass).await.map_err(|error| error.of_a_batch(pass))
    }
}

/// What waits for its COMMIT.
struct Written {
    tx: Tx,
    /// What the transaction is known by; `None` if it wrote nothing.
    mark: Option<Mark>,
    results: Results<Batches>,
}

impl Written {
    fn nothing(tx: Tx, results: Vec<Option<Result<Placed, PlaceError>>>) -> Self {
        Self { tx, mark: None, results: results.into_iter().flatten().collect() }
    }
}

impl Batches {
    async fn place(&self, requests: &[&Request], pass: Pass) -> Result<Results<Self>, PlaceError> {
        let written = timeout(SILENCE, self.write(requests, pass)).await;
        let away = || db::Error::Away(silent().to_string());
        let Written { tx, mark, results } = written.unwrap_or_else(|_| Err(away().into()))?;
        match mark {
            None => tx.roll_back().await,
            Some(mark) => {
                let begun = Instant::now();
                let committed = timeout(SILENCE, tx.commit()).await.unwrap_or_else(|_| Err(silent()));
                metrics::histogram!("orders_commit_seconds").record(begun.elapsed());
                commit::settle(&self.database, &mark, committed).await?;
            }
        }
        Ok(results)
    }

    /// Everything but the COMMIT.
    async fn write(&self, requests: &[&Request], pass: Pass) -> Result<Written, PlaceError> {
        let now = self.clock.now();
        let (tx, (claims, held)) = self.open(requests, pass, now).await?;

        // What was answered before, or cannot be, is out of it.
        let mut results: Vec<Option<Result<Placed, PlaceError>>> = replays(requests, claims);
        let fresh: Vec<usize> = (0..requests.len()).filter(|place| results[*place].is_none()).collect();
        if fresh.is_empty() {
            return Ok(Written::nothing(tx, results));
        }

        let mut held = match held {
            Some(held) => held,
            None => hold(&tx, &Wanted::by(fresh.iter().map(|place| requests[*place]), pass)).await?,
        };
        let mut places = Vec::with_capacity(fresh.len());
        let mut decided = Vec::with_capacity(fresh.len());
        for place in fresh {
            match held.decide(requests[place], now) {
                Err(refused) => results[place] = Some(Err(refused)),
                Ok(order) => {
                    places.push(place);
                    decided.push((requests[place], order));
                }
            }
        }
        if decided.is_empty() {
            return Ok(Written::nothing(tx, results));
        }

        self.store(&tx, &decided, now).await?;
        let mark = decided.first().map(|(request, order)| Mark {
            transaction: held.numbers.transaction,
            store_id: request.store_id,
            order_id: order.id,
            created_at: order.terms.created_at,
        });
        for (place, (_, order)) in places.into_iter().zip(decided) {
            results[place] = Some(Ok(Placed::New(order)));
        }
        Ok(Written { mark, ..Written::nothing(tx, results) })
    }

    /// Begins, asks what is known of the keys, and locks and reads, all at once. Only the parts of a batch that failed
    /// ask for the keys alone, first: there a repeat may be what waits for the rows that its own first request holds,
    /// in another process.
    async fn open(
        &self,
        requests: &[&Request],
        pass: Pass,
        now: DateTime<Utc>,
    ) -> Result<(Tx, (Vec<Claim>, Option<Held>)), db::Error> {
        let keys: Vec<(i64, Key)> =
            requests.iter().filter_map(|request| Some((request.store_id, request.key.clone()?))).collect();
        let wanted = Wanted::by(requests.iter().copied(), pass);
        let keys_first = pass.is_part && !keys.is_empty();
        self.database
            .begin(move |tx| {
                Box::pin(async move {
                    if keys_first {
                        return Ok((idempotency::claim(tx, &keys, now).await?, None));
                    }
                    let (claims, held) = try_join!(idempotency::claim(tx, &keys, now), hold(tx, &wanted))?;
                    Ok((claims, Some(held)))
                })
            })
            .await
    }

    /// Everything that is written, in one round trip. No statement needs the rows of another.
    async fn store(&self, tx: &Tx, decided: &[(&Request, Order)], now: DateTime<Utc>) -> Result<(), PlaceError> {
        let orders: Vec<&Order> = decided.iter().map(|(_, order)| order).collect();
        let taken: Vec<stock::Quantity> = orders.iter().flat_map(|order| order.terms.taken()).collect();
        let confirmed = decided.iter().filter(|(_, order)| order.terms.status == Status::Confirmed);
        let confirmed: Vec<(OrderConfirmed, Cause<'_>)> =
            confirmed.map(|(request, order)| (OrderConfirmed::of(order), request.cause())).collect();
        // Rows that nobody would read are not written.
        let announced = decided.iter().filter(|_| self.announces);
        let announced: Vec<(OrderDecided, Cause<'_>)> =
            announced.map(|(request, order)| (OrderDecided::of(order), request.cause())).collect();
        try_join!(
            write::insert(tx, &orders).err_into(),
            stock::deduct(tx, &taken).err_into(),
            outbox::record_all(tx, &confirmed).err_into(),
            outbox::record_all(tx, &announced).err_into(),
            remember(tx, decided, now),
        )?;
        Ok(())
    }
}

/// The answers that the keys' claims give already, by request; `None` for those that are to be decided.
fn replays(requests: &[&Request], claims: Vec<Claim>) -> Vec<Option<Result<Placed, PlaceError>>> {
    let mut claims = claims.into_iter();
    let replay = |request: &&Request| {
        request.key.as_ref()?;
        match claims.next()? {
            Claim::New => None,
            Claim::InFlight => Some(Err(PlaceError::KeyInFlight)),
            Claim::Answered(answer) if answer.digest != request.digest() => Some(Err(PlaceError::KeyReused)),
            Claim::Answered(Answer { order_id, body, .. }) => Some(Ok(Placed::Replayed { order_id, body })),
        }
    };
    requests.iter().map(replay).collect()
}

/// What a batch needs to be decided.
struct Wanted {
    rows: Vec<stock::Key>,
    products: Vec<i64>,
    stores: Vec<i64>,
    orders: usize,
    is_part: bool,
}

impl Wanted {
    fn by<'r>(requests: impl Iterator<Item = &'r Request>, pass: Pass) -> Self {
        let (mut rows, mut stores, mut orders) = (Vec::new(), HashSet::new(), 0);
        for request in requests {
            rows.extend(request.basket.lines().iter().map(|line| (request.store_id, line.product_id)));
            stores.insert(request.store_id);
            orders += 1;
        }
        let products: HashSet<i64> = rows.iter().map(|(_, product)| *product).collect();
        Self {
            rows,
            products: products.into_iter().collect(),
            stores: stores.into_iter().collect(),
            orders,
            is_part: pass.is_part,
        }
    }
}

/// What is known while the rows are locked.
struct Held {
    balances: Balances,
    prices: Prices,
    stores: HashSet<i64>,
    numbers: Numbers,
}

/// Locks and reads, in one round trip. The statements are sent and run in this order, so the prices are of a moment at
/// which the stock was held already: both were true at once.
async fn hold(tx: &Tx, wanted: &Wanted) -> Result<Held, db::Error> {
    let limit_wait = async {
        match wanted.is_part {
            true => tx.limit_lock_wait(SHORT_WAIT).await,
            false => Ok(()),
        }
    };
    let (_, balances, prices, stores, numbers) = try_join!(
        limit_wait,
        stock::lock(tx, &wanted.rows),
        products::prices(tx, &wanted.products),
        stores::existing(tx, &wanted.stores),
        write::take_numbers(tx, wanted.orders),
    )?;
    Ok(Held { balances, prices, stores, numbers })
}

impl Held {
    /// Decides one request against what those before it left.
    fn decide(&mut self, request: &Request, now: DateTime<Utc>) -> Result<Order, PlaceError> {
        if !self.stores.contains(&request.store_id) {
            return Err(PlaceError::UnknownStore(request.store_id));
        }
        let Request { store_id, basket, expected_total, .. } = request;
        let terms = decide(*store_id, basket, *expected_total, &self.prices, &mut self.balances, now)?;
        let id = self.numbers.next().ok_or(PlaceError::Overtaken("numbers ran out"))?;
        Ok(Order { id, customer_email: request.customer_email.clone(), terms })
    }
}

/// Keeps the answers to those who sent a key.
async fn remember(tx: &Tx, decided: &[(&Request, Order)], now: DateTime<Utc>) -> Result<(), PlaceError> {
    let mut answers = Vec::new();
    for (request, order) in decided {
        if let Some(key) = &request.key {
            let answer = Answer { digest: request.digest().into(), order_id: order.id, body: answer::placed(order)? };
            answers.push((request.store_id, key, answer));
        }
    }
    match idempotency::keep(tx, &answers, now).await? {
        true => Ok(()),
        false => Err(PlaceError::Overtaken("a key was answered")),
    }
}

fn silent() -> db::Error {
    db::Error::Unavailable(format!("no answer within {SILENCE:?}"))
}
