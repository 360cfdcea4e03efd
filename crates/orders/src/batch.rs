//! A batch of orders: one transaction, read from top to bottom.
//!
//! ```text
//! round trip 1   BEGIN; what is known of the keys; lock the rows of all orders in one global order; then read prices
//!                and take numbers
//!                decide order after order, as they arrived, against what those before it left
//!            2   orders with lines and confirmations; stock; events; answers under their keys; COMMIT
//! ```
//!
//! Nobody is answered before the COMMIT is.

mod hold;
#[cfg(test)]
mod plans;
mod stuck;

use std::time::Duration;

use chrono::{DateTime, Utc};
use db::{Clock, Database, Tx};
use futures_util::{TryFutureExt, try_join};
use outbox::{Bell, Cause};
use stores::stock;
use tokio::time::{Instant, timeout};

use self::hold::{Held, Wanted, hold};
use self::stuck::Stuck;
use crate::answer;
use crate::commit::{self, Mark};
use crate::events::{OrderConfirmed, OrderDecided};
use crate::idempotency::{self, Answer, Claim, Key};
use crate::in_flight::Entered;
use crate::lane::{Failure, Pass, Results, Work};
use crate::order::{Order, Status};
use crate::place::{PlaceError, Placed, Request};
use crate::write;

/// How often it is found out which rows are stuck, before it is given up to go round them.
const LOOKS: u32 = 3;

/// How often it is tried again while an attempt that lost its connection holds a key: for about a second, in which a
/// server notices that its client is gone.
const LINGERING: u32 = 9;

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
    database: Database,
    clock: Clock,
    /// Whether a webhook wants to hear of every decision.
    announces: bool,
    /// Rung after each COMMIT.
    bell: Bell,
    /// Rows that nobody waits for, since somebody else keeps them.
    stuck: Stuck,
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
        match self.place(&requests, pass).await {
            Ok(results) => Ok(results),
            // Whoever keeps a row keeps it from the next attempt, too: that one goes round it.
            Err(error) if error.is_lock_timeout() && pass.tries < LOOKS && self.look_for_stuck(&requests).await => {
                Err(Failure::Again(error))
            }
            Err(error) => Err(error.of_a_batch(pass)),
        }
    }
}

/// What was decided, and is still to be written.
struct Ready<'r> {
    tx: Tx,
    /// What the transaction is known by; `None` if there is nothing to write.
    mark: Option<Mark>,
    decided: Vec<Decided<'r>>,
    some_expired: bool,
    known: Known,
    now: DateTime<Utc>,
}

/// A request and the order that it becomes, with its place in the batch.
struct Decided<'r> {
    place: usize,
    request: &'r Request,
    order: Order,
}

/// Results as far as they are known, by request.
type Known = Vec<Option<Result<Placed, PlaceError>>>;

impl Batches {
    /// Works on connections of `database`, one at a time.
    pub(crate) fn new(database: Database, clock: Clock, announces: bool, bell: Bell) -> Self {
        Self { database, clock, announces, bell, stuck: Stuck::default() }
    }

    async fn place(&self, requests: &[&Request], pass: Pass) -> Result<Results<Self>, PlaceError> {
        let ready = timeout(SILENCE, self.decide(requests, pass)).await;
        let Ready { tx, mark, decided, some_expired, mut known, now } =
            ready.unwrap_or_else(|_| Err(db::Error::Away(silence()).into()))?;
        match mark {
            None => tx.roll_back().await,
            Some(mark) => {
                let begun = Instant::now();
                let commit = tx.commit_with(self.store(&tx, &decided, some_expired, now));
                let committed =
                    timeout(SILENCE, commit).await.unwrap_or_else(|_| Err(db::Error::Unavailable(silence()).into()));
                metrics::histogram!("orders_commit_seconds").record(begun.elapsed());
                drop(tx);
                commit::settle(&self.database, &mark, committed).await?;
                self.bell.ring();
            }
        }
        for Decided { place, order, .. } in decided {
            known[place] = Some(Ok(Placed::New(order)));
        }
        complete(known)
    }

    /// Everything but the writing.
    async fn decide<'r>(&self, requests: &[&'r Request], pass: Pass) -> Result<Ready<'r>, PlaceError> {
        let now = self.clock.now();
        let (tx, (claims, held)) = self.open(requests, pass, now).await?;
        let some_expired = claims.contains(&Claim::Expired);
        let known = replays(requests, claims, pass);
        match self.decide_in(&tx, requests, known, held, pass, now).await {
            Ok((mark, decided, known)) => Ok(Ready { tx, mark, decided, some_expired, known, now }),
            Err(error) => {
                // What it holds, the keys above all, is free when the same is tried again.
                tx.roll_back().await;
                Err(error)
            }
        }
    }

    /// Decides what is not known yet. `held` is `None` where the keys were asked for alone.
    async fn decide_in<'r>(
        &self,
        tx: &Tx,
        requests: &[&'r Request],
        mut known: Known,
        held: Option<Held>,
        pass: Pass,
        now: DateTime<Utc>,
    ) -> Result<(Option<Mark>, Vec<Decided<'r>>, Known), PlaceError> {
        // A key that our own lost attempt holds is worth a moment, since its client heard nothing yet.
        if pass.tries < LINGERING && known.iter().any(|known| matches!(known, Some(Err(PlaceError::Lingers)))) {
            return Err(PlaceError::Lingers);
        }
        // What was answered before, or cannot be, is out of it.
        let fresh: Vec<usize> = (0..requests.len()).filter(|place| known[*place].is_none()).collect();
        if fresh.is_empty() {
            return Ok((None, Vec::new(), known));
        }
        let mut held = match held {
            Some(held) => held,
            None => hold(tx, &self.wanted(fresh.iter().map(|place| requests[*place]), pass)).await?,
        };
        self.stuck.learn(&held.stuck, &held.freed);
        let mut decided = Vec::with_capacity(fresh.len());
        for place in fresh {
            let request = requests[place];
            match held.decide(request, now) {
                Err(refused) => known[place] = Some(Err(refused)),
                Ok(order) => decided.push(Decided { place, request, order }),
            }
        }
        let mark = decided.first().map(|Decided { request, order, .. }| Mark {
            transaction: held.numbers.transaction.clone(),
            store_id: request.store_id,
            order_id: order.id,
            created_at: order.terms.created_at,
        });
        Ok((mark, decided, known))
    }

    fn wanted<'r>(&self, requests: impl Iterator<Item = &'r Request>, pass: Pass) -> Wanted {
        Wanted::by(requests, pass, &self.stuck)
    }

    /// Whether a row of these requests is stuck; those that are will be gone round.
    async fn look_for_stuck(&self, requests: &[&Request]) -> bool {
        let rows = requests.iter().flat_map(|request| request.rows()).collect();
        let found = timeout(SILENCE, self.stuck.look(&self.database, rows)).await;
        // Whatever keeps it from looking will be met again.
        matches!(found, Ok(Ok(true)))
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
        let wanted = self.wanted(requests.iter().copied(), pass);
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

    /// Everything that is written. No statement needs the rows of another, and whatever is wrong the server refuses.
    async fn store(
        &self,
        tx: &Tx,
        decided: &[Decided<'_>],
        some_expired: bool,
        now: DateTime<Utc>,
    ) -> Result<(), PlaceError> {
        let orders: Vec<&Order> = decided.iter().map(|decided| &decided.order).collect();
        let taken: Vec<stock::Quantity> = orders.iter().flat_map(|order| order.terms.taken()).collect();
        let confirmed = decided.iter().filter(|decided| decided.order.terms.status == Status::Confirmed);
        let confirmed: Vec<(OrderConfirmed, Cause<'_>)> =
            confirmed.map(|decided| (OrderConfirmed::of(&decided.order), decided.request.cause())).collect();
        // Rows that nobody would read are not written.
        let announced = decided.iter().filter(|_| self.announces);
        let announced: Vec<(OrderDecided, Cause<'_>)> =
            announced.map(|decided| (OrderDecided::of(&decided.order), decided.request.cause())).collect();
        try_join!(
            write::insert(tx, &orders).err_into(),
            stock::deduct(tx, &taken).err_into(),
            outbox::record_all(tx, &confirmed).err_into(),
            outbox::record_all(tx, &announced).err_into(),
            remember(tx, decided, some_expired, now),
        )?;
        Ok(())
    }
}

/// The answers that the keys' claims give already, by request; `None` for those that are to be decided.
fn replays(requests: &[&Request], claims: Vec<Claim>, pass: Pass) -> Known {
    let mut claims = claims.into_iter();
    let replay = |request: &&Request| {
        request.key.as_ref()?;
        match claims.next()? {
            Claim::New | Claim::Expired => None,
            Claim::InFlight if pass.follows_loss => Some(Err(PlaceError::Lingers)),
            Claim::InFlight => Some(Err(PlaceError::KeyInFlight)),
            Claim::Answered(answer) if answer.digest != request.digest() => Some(Err(PlaceError::KeyReused)),
            Claim::Answered(Answer { order_id, body, .. }) => Some(Ok(Placed::Replayed { order_id, body })),
        }
    };
    requests.iter().map(replay).collect()
}

/// One result for each request. Were one missing, those behind it would be answered with their neighbours' orders.
fn complete(known: Known) -> Result<Results<Batches>, PlaceError> {
    known.into_iter().map(|known| known.ok_or(PlaceError::Forgotten)).collect()
}

/// Keeps the answers to those who sent a key.
async fn remember(tx: &Tx, decided: &[Decided<'_>], some_expired: bool, now: DateTime<Utc>) -> Result<(), PlaceError> {
    let mut answers = Vec::new();
    for Decided { request, order, .. } in decided {
        if let Some(key) = &request.key {
            let answer = Answer { digest: request.digest().into(), order_id: order.id, body: answer::placed(order)? };
            answers.push((request.store_id, key, answer));
        }
    }
    Ok(idempotency::keep(tx, &answers, some_expired, now).await?)
}

fn silence() -> String {
    format!("no answer within {SILENCE:?}")
}
