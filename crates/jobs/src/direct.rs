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
use outbox::{Claimed, Key, Next};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::book::count;
use crate::consumer::{DRAIN, PREFETCH};
use crate::health::Pulse;
use crate::metrics;
use crate::presence::{Presence, is_dead};
use crate::registry::Delivery;
use crate::retry::MOST_CRASHES;
use crate::runner::{Outcome, Runner};
use crate::supervisor::Backoff;
use crate::sweeper;

const POLL: Duration = Duration::from_millis(200);

/// The longest that a round may take; the database has limits of its own, and this is for a network that hangs.
const LONGEST: Duration = Duration::from_secs(12);

/// The longest that a round waits for the worker's lock, without which what it begins would look left behind.
const UNSEEN: Duration = Duration::from_secs(1);

/// What it takes to work without a broker.
pub(crate) struct Direct {
    pub(crate) database: Database,
    pub(crate) presence: Presence,
    pub(crate) runner: Runner,
    pub(crate) pulse: Arc<Pulse>,
    pub(crate) stop: CancellationToken,
    /// How long an event is ours without being renewed; renewed after a third of it.
    pub(crate) lease: Duration,
    /// How long an event may be overdue that was once given to a broker.
    pub(crate) late: Duration,
}

/// What one round writes, and how much it may claim.
#[derive(Clone)]
struct Round {
    worker: i64,
    settled: Vec<(Key, Outcome)>,
    renewed: Vec<Key>,
    running: Vec<Key>,
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
        let mut swept: Option<Instant> = None;
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
            if swept.is_none_or(|swept| swept.elapsed() >= sweeper::EVERY) {
                swept = Some(Instant::now());
                // What fails here fails in the next round as well, which says so.
                _ = tokio::time::timeout(LONGEST, sweeper::sweep(&self.database, 0, self.late)).await;
            }
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
            tracing::warn!(tasks = running.leases.len(), "stopped before these tasks ended; they are run again");
        }
    }

    /// Settles what has ended, renews the leases of what goes on, and begins as much as there are free `slots`.
    async fn round(&self, running: &mut Running, slots: usize) -> Result<(), db::Error> {
        self.pulse.tick();
        let free = if running.alone { 0 } else { slots.saturating_sub(running.leases.len()) };
        let round = Round {
            worker: self.presence.worker(),
            settled: running.settled.clone(),
            renewed: running.due(self.lease / 3),
            running: running.leases.values().map(|lease| lease.key).collect(),
            free,
            lease: self.lease,
        };
        if round.settled.is_empty() && round.renewed.is_empty() && free == 0 {
            return Ok(());
        }
        let renewed = round.renewed.clone();
        let presence = self.presence.clone();
        let work = async {
            if tokio::time::timeout(UNSEEN, presence.held()).await.is_err() {
                return Err(db::Error::Unavailable("the worker's lock is lost".into()));
            }
            self.database.transaction(move |tx| Box::pin(write(tx, round))).await
        };
        let written = match tokio::time::timeout(LONGEST, work).await {
            Ok(result) => result,
            Err(_) => Err(db::Error::Unavailable(format!("no answer within {LONGEST:?}"))),
        };
        self.pulse.ready(written.is_ok());
        let taken = written?;
        self.pulse.progress(!running.settled.is_empty());
        if free > 0 && taken.begin.is_empty() {
            self.pulse.owe(false);
        }
        running.written(&renewed);
        for event in taken.given_up {
            metrics::consumed("unknown", "dead");
            tracing::error!(
                kind = event.kind,
                event = event.id,
                request_id = event.request_id,
                crashes = event.crashes,
                outcome = "dead",
                "a task killed its worker, and is given up"
            );
        }
        for event in taken.begin {
            running.begin(event, self.runner.clone());
        }
        Ok(())
    }
}

async fn write(tx: &mut Tx, round: Round) -> Result<Taken, db::Error> {
    let done: Vec<Key> =
        round.settled.iter().filter(|(_, outcome)| *outcome == Outcome::Done).map(|(key, _)| *key).collect();
    if !done.is_empty() {
        outbox::finish(tx, &done).await?;
    }
    for (key, outcome) in &round.settled {
        let (next, error) = match outcome {
            Outcome::Done => continue,
            Outcome::Dead { error } => (Next::Park, error),
            Outcome::Again { delay, error } => (Next::Again(*delay), error),
            Outcome::NotTried { delay, error } => (Next::NotTried(*delay), error),
        };
        outbox::fail(tx, *key, round.worker, next, error).await?;
    }
    if !round.renewed.is_empty() {
        outbox::renew(tx, &round.renewed, round.worker, round.lease).await?;
    }
    let mut claimed = match round.free {
        0 => Vec::new(),
        free => outbox::claim(tx, i64::try_from(free).unwrap_or(i64::MAX)).await?,
    };
    // Ours, and their lease ran out while the database was away.
    claimed.retain(|event| !round.running.contains(&event.key()));
    for event in &mut claimed {
        if let Some(worker) = event.worker
            && worker != round.worker
            && is_dead(tx, worker).await?
        {
            event.crashes = event.crashes.saturating_add(1);
        }
    }
    let (given_up, mut begin): (Vec<_>, Vec<_>) =
        claimed.into_iter().partition(|event| count(event.crashes) >= MOST_CRASHES);
    for event in &given_up {
        outbox::park_crashed(tx, event.key(), event.crashes).await?;
    }
    if let Some(place) = begin.iter().position(|event| event.crashes > 0) {
        // One whose process died runs alone: now if nothing else runs, else as soon as all that runs has ended.
        let alone = begin.swap_remove(place);
        begin.clear();
        if round.running.is_empty() {
            begin.push(alone);
        }
    }
    for event in &begin {
        outbox::hold(tx, event.key(), round.worker, event.crashes, round.lease).await?;
    }
    Ok(Taken { begin, given_up })
}

/// The tasks under way, and those that ended but are not written down yet.
#[derive(Default)]
struct Running {
    tasks: JoinSet<Outcome>,
    leases: HashMap<Id, Lease>,
    settled: Vec<(Key, Outcome)>,
    /// What runs must not have company.
    alone: bool,
}

struct Lease {
    key: Key,
    since: Instant,
}

impl Running {
    fn is_empty(&self) -> bool {
        self.leases.is_empty() && self.settled.is_empty()
    }

    fn begin(&mut self, event: Claimed, runner: Runner) {
        let (key, failures) = (event.key(), count(event.failures));
        self.alone = event.crashes > 0;
        let delivery = Delivery {
            kind: event.kind,
            payload: event.payload,
            event: event.id,
            request_id: event.request_id,
            traceparent: event.traceparent,
            attempt: failures + count(event.crashes) + 1,
        };
        let task = self.tasks.spawn(async move { runner.run(delivery, failures).await });
        self.leases.insert(task.id(), Lease { key, since: Instant::now() });
    }

    /// Events whose lease is to be renewed.
    fn due(&self, age: Duration) -> Vec<Key> {
        self.leases.values().filter(|lease| lease.since.elapsed() >= age).map(|lease| lease.key).collect()
    }

    /// A round was written: what was settled is forgotten, and the leases of `renewed` are new.
    fn written(&mut self, renewed: &[Key]) {
        self.settled.clear();
        self.alone &= !self.leases.is_empty();
        for lease in self.leases.values_mut().filter(|lease| renewed.contains(&lease.key)) {
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
            self.settled.push((lease.key, outcome));
        }
    }
}
