//! From the outbox straight to the tasks, where there is no broker.
//!
//! An event is taken by a lease: claimed, its attempt counted, and put off until the lease runs out, all in one short
//! transaction. While its task runs the lease is renewed; then the event is deleted, put off or parked. So no
//! transaction stays open behind a task, a worker that dies gives its events back when the lease runs out, and an event
//! that kills its worker each time is given up in the end.
//!
//! Everything there is to write goes into one transaction per round, together with the next claim.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use db::{Database, Tx};
use outbox::{Claimed, Postponed};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::consumer::{DRAIN, PREFETCH};
use crate::health::Pulse;
use crate::metrics;
use crate::registry::Delivery;
use crate::retry::MOST_FAILURES;
use crate::runner::{Outcome, Runner};
use crate::supervisor::Backoff;

const POLL: Duration = Duration::from_millis(200);

/// The longest that a round may take; the database has limits of its own, and this is for a network that hangs.
const LONGEST: Duration = Duration::from_secs(12);

/// What it takes to work without a broker.
pub(crate) struct Direct {
    pub(crate) database: Database,
    pub(crate) runner: Runner,
    pub(crate) pulse: Arc<Pulse>,
    pub(crate) stop: CancellationToken,
    /// How long an event is ours without being renewed; renewed after a third of it.
    pub(crate) lease: Duration,
}

/// What one round writes, and how much it may claim.
#[derive(Clone)]
struct Round {
    settled: Vec<(Arc<Claimed>, Outcome)>,
    renewed: Vec<Arc<Claimed>>,
    free: usize,
    lease: Duration,
}

/// What one round claimed.
#[derive(Default)]
struct Taken {
    begin: Vec<Claimed>,
    /// Every attempt ended with its process.
    given_up: Vec<Claimed>,
}

impl Direct {
    /// Runs until told to stop, then lets the running tasks end.
    pub(crate) async fn run(self) {
        let mut running = Running::default();
        let (mut backoff, mut outage) = (Backoff::new(), false);
        while !self.stop.is_cancelled() {
            let pause = match self.round(&mut running, usize::from(PREFETCH)).await {
                Ok(()) => {
                    backoff.reset();
                    if std::mem::take(&mut outage) {
                        tracing::info!("the worker reads the outbox again");
                    }
                    POLL
                }
                Err(error) => {
                    if !std::mem::replace(&mut outage, true) {
                        tracing::warn!(%error, "the worker cannot read the outbox; trying on");
                    }
                    POLL.max(backoff.next())
                }
            };
            tokio::select! {
                () = running.wait(pause) => {}
                () = self.stop.cancelled() => {}
            }
        }
        let deadline = Instant::now() + DRAIN;
        while !running.is_empty() && Instant::now() < deadline {
            running.wait(POLL).await;
            if let Err(error) = self.round(&mut running, 0).await {
                tracing::warn!(%error, "the worker could not write the outbox");
                tokio::time::sleep(POLL).await;
            }
        }
        if !running.is_empty() {
            tracing::warn!(tasks = running.leases.len(), "stopped before these tasks ended; their leases run out");
        }
    }

    /// Settles what has ended, renews the leases of what goes on, and begins as much as there are free `slots`.
    async fn round(&self, running: &mut Running, slots: usize) -> Result<(), db::Error> {
        self.pulse.tick();
        let free = slots.saturating_sub(running.leases.len());
        let round =
            Round { settled: running.settled.clone(), renewed: running.due(self.lease / 3), free, lease: self.lease };
        if round.settled.is_empty() && round.renewed.is_empty() && free == 0 {
            return Ok(());
        }
        let renewed = round.renewed.clone();
        let work = self.database.transaction(move |tx| Box::pin(write(tx, round)));
        let written = match tokio::time::timeout(LONGEST, work).await {
            Ok(result) => result,
            Err(_) => Err(db::Error::Unavailable(format!("no answer within {LONGEST:?}"))),
        };
        self.pulse.ready(written.is_ok());
        let taken = written?;
        running.written(&renewed);
        for event in taken.given_up {
            metrics::consumed("unknown", "dead");
            tracing::error!(
                kind = event.kind,
                event = event.id,
                request_id = event.request_id,
                attempts = event.attempts,
                outcome = "dead",
                "every attempt ended with its process; the task is given up"
            );
        }
        for event in taken.begin {
            running.begin(event, self.runner.clone());
        }
        Ok(())
    }
}

async fn write(tx: &mut Tx, round: Round) -> Result<Taken, db::Error> {
    let (mut done, mut dead, mut put_off) = (Vec::new(), Vec::new(), Vec::new());
    for (event, outcome) in &round.settled {
        match *outcome {
            Outcome::Done => done.push(&**event),
            Outcome::Dead => dead.push(&**event),
            Outcome::Again { failures, delay } => {
                let attempts = i32::try_from(failures).unwrap_or(i32::MAX);
                put_off.push(Postponed { event, attempts, delay });
            }
            Outcome::NotTried { delay } => put_off.push(Postponed { event, attempts: event.attempts, delay }),
        }
    }
    put_off.extend(round.renewed.iter().map(|event| held(event, round.lease)));
    if !done.is_empty() {
        outbox::delete(tx, &done).await?;
    }
    let claimed = match round.free {
        0 => Vec::new(),
        free => outbox::claim(tx, i64::try_from(free).unwrap_or(i64::MAX)).await?,
    };
    let (given_up, begin): (Vec<_>, Vec<_>) = claimed.into_iter().partition(|event| attempts(event) >= MOST_FAILURES);
    dead.extend(&given_up);
    put_off.extend(begin.iter().map(|event| held(event, round.lease)));
    if !dead.is_empty() {
        outbox::park(tx, &dead).await?;
    }
    if !put_off.is_empty() {
        outbox::postpone(tx, &put_off).await?;
    }
    Ok(Taken { begin, given_up })
}

/// Keeps others away while the lease lasts; the attempt counts from the beginning.
fn held(event: &Claimed, lease: Duration) -> Postponed<'_> {
    Postponed { event, attempts: event.attempts.saturating_add(1), delay: lease }
}

/// Attempts that were begun before.
fn attempts(event: &Claimed) -> u32 {
    u32::try_from(event.attempts).unwrap_or(0)
}

/// The tasks under way, and those that ended but are not written down yet.
#[derive(Default)]
struct Running {
    tasks: JoinSet<Outcome>,
    leases: HashMap<Id, Lease>,
    settled: Vec<(Arc<Claimed>, Outcome)>,
}

struct Lease {
    event: Arc<Claimed>,
    since: Instant,
}

impl Running {
    fn is_empty(&self) -> bool {
        self.leases.is_empty() && self.settled.is_empty()
    }

    fn begin(&mut self, event: Claimed, runner: Runner) {
        let delivery = Delivery {
            kind: event.kind.clone(),
            payload: event.payload.clone(),
            event: Some(event.id.to_string()),
            request_id: event.request_id.clone(),
            attempt: attempts(&event) + 1,
        };
        let task = self.tasks.spawn(async move { runner.run(delivery).await });
        self.leases.insert(task.id(), Lease { event: Arc::new(event), since: Instant::now() });
    }

    /// Events whose lease is to be renewed.
    fn due(&self, age: Duration) -> Vec<Arc<Claimed>> {
        self.leases.values().filter(|lease| lease.since.elapsed() >= age).map(|lease| lease.event.clone()).collect()
    }

    /// A round was written: what was settled is forgotten, and the leases of `renewed` are new.
    fn written(&mut self, renewed: &[Arc<Claimed>]) {
        self.settled.clear();
        for lease in self.leases.values_mut().filter(|lease| renewed.contains(&lease.event)) {
            lease.since = Instant::now();
        }
    }

    /// Waits until a task ends, or for `pause`. What could not be written is no reason to hurry.
    async fn wait(&mut self, pause: Duration) {
        if self.tasks.is_empty() || !self.settled.is_empty() {
            tokio::time::sleep(pause).await;
        } else if let Ok(Some(ended)) = tokio::time::timeout(pause, self.tasks.join_next_with_id()).await {
            self.settle(ended);
        }
        while let Some(ended) = self.tasks.try_join_next_with_id() {
            self.settle(ended);
        }
    }

    fn settle(&mut self, ended: Result<(Id, Outcome), JoinError>) {
        let (id, outcome) = match ended {
            Ok((id, outcome)) => (id, Some(outcome)),
            // A fault of the runner itself; the lease runs out and the event comes again.
            Err(error) => (error.id(), None),
        };
        if let (Some(lease), Some(outcome)) = (self.leases.remove(&id), outcome) {
            self.settled.push((lease.event, outcome));
        }
    }
}
