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
use futures_util::future::try_join_all;
use outbox::{Among, Claimed, Key, Next};
use tokio::sync::Notify;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::book::count;
use crate::consumer::DRAIN;
use crate::health::Pulse;
use crate::lane::{Lane, SLOTS};
use crate::metrics;
use crate::presence::{Presence, is_dead};
use crate::registry::Delivery;
use crate::retry::MOST_CRASHES;
use crate::runner::{Outcome, Runner};
use crate::supervisor::Backoff;
use crate::sweeper;

/// How often to try again what failed.
const GLANCE: Duration = Duration::from_millis(200);

/// The longest that a round may take; the database has limits of its own, and this is for a network that hangs.
const LONGEST: Duration = Duration::from_secs(12);

/// The longest that a round waits for the worker's lock, without which what it begins would look left behind.
const UNSEEN: Duration = Duration::from_secs(1);

/// How much longer than a look at the outbox took its lane rests, if it found less than could begin. Such a look has gone
/// past all that waits in other lanes, however much that is, and must not be what the worker spends its time with.
const REST: u32 = 20;

/// What it takes to work without a broker.
pub(crate) struct Direct {
    pub(crate) database: Database,
    pub(crate) presence: Presence,
    pub(crate) runner: Runner,
    pub(crate) pulse: Arc<Pulse>,
    pub(crate) stop: CancellationToken,
    /// Notified when something was recorded.
    pub(crate) woken: Arc<Notify>,
    /// How often to look when it is not.
    pub(crate) poll: Duration,
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
    runner: Runner,
    /// How many tasks may begin in each lane.
    free: [usize; Lane::ALL.len()],
    has_suspect: bool,
    lease: Duration,
}

/// What one round claimed.
#[derive(Default)]
struct Taken {
    begin: Vec<(Lane, Claimed)>,
    /// Lanes in which nothing more is to be found for now, and how long it took to see that.
    exhausted: Vec<(Lane, Duration)>,
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
            let pause = match self.round(&mut running, true).await {
                Ok(()) => {
                    backoff.reset();
                    if std::mem::take(&mut outage) {
                        tracing::info!("the worker reads the outbox again");
                    }
                    // Leases have to be renewed in time.
                    let rest = running.missed.map(|end| end.saturating_duration_since(Instant::now()));
                    self.poll.min(self.lease / 4).min(rest.unwrap_or(Duration::MAX))
                }
                Err(error) => {
                    if !std::mem::replace(&mut outage, true) {
                        tracing::warn!(%error, "the worker cannot read the outbox; trying on");
                    }
                    GLANCE.max(backoff.next())
                }
            };
            if swept.is_none_or(|swept| swept.elapsed() >= sweeper::EVERY) {
                swept = Some(Instant::now());
                // What fails here fails in the next round as well, which says so.
                _ = tokio::time::timeout(LONGEST, sweeper::sweep(&self.database, 0, self.late)).await;
            }
            tokio::select! {
                () = running.wait(pause) => {}
                () = self.woken.notified(), if !outage => {}
                () = self.stop.cancelled() => {}
            }
        }
        let deadline = Instant::now() + DRAIN;
        while !running.is_empty() && Instant::now() < deadline {
            running.wait(GLANCE).await;
            if let Err(error) = self.round(&mut running, false).await {
                tracing::warn!(%error, "the worker could not write the outbox");
                tokio::time::sleep(GLANCE).await;
            }
        }
        if !running.is_empty() {
            tracing::warn!(tasks = running.leases.len(), "stopped before these tasks ended; they are run again");
        }
    }

    /// Settles what has ended, renews the leases of what goes on, and, if it `may_begin`, begins as much as there are
    /// free slots.
    async fn round(&self, running: &mut Running, may_begin: bool) -> Result<(), db::Error> {
        self.pulse.tick();
        let free = if may_begin { running.may_look() } else { Default::default() };
        let is_full = free.iter().all(|free| *free == 0);
        let round = Round {
            worker: self.presence.worker(),
            settled: running.settled.clone(),
            renewed: running.due(self.lease / 3),
            running: running.leases.values().map(|lease| lease.key).collect(),
            runner: self.runner.clone(),
            free,
            has_suspect: running.leases.values().any(|lease| lease.is_suspect),
            lease: self.lease,
        };
        if round.settled.is_empty() && round.renewed.is_empty() && is_full {
            return Ok(());
        }
        let renewed = round.renewed.clone();
        let presence = self.presence.clone();
        let work = async {
            if !presence.is_held_within(UNSEEN).await {
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
        self.pulse.progress(0, !running.settled.is_empty());
        if !is_full && taken.begin.is_empty() {
            self.pulse.owe(0, false);
        }
        running.settled.iter().for_each(|(key, _)| self.presence.ends(*key));
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
        for (lane, took) in taken.exhausted {
            running.rests[lane.place()] = Some(Instant::now() + (took * REST).min(self.poll));
        }
        for (lane, event) in taken.begin {
            self.presence.begins(event.key());
            running.begin(lane, event, self.runner.clone());
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
    claim(tx, &round).await
}

/// Begins in each lane as many as may. Of those whose process died one runs at a time, and it is no hindrance to others.
async fn claim(tx: &mut Tx, round: &Round) -> Result<Taken, db::Error> {
    let (mut taken, mut has_suspect) = (Taken::default(), round.has_suspect);
    for lane in Lane::ALL {
        let Ok(free @ 1..) = i64::try_from(round.free[lane.place()]) else { continue };
        let asides = round.runner.asides().iter().filter(|aside| lane == Lane::Home || aside.lane == lane);
        let asides: Vec<_> = asides.map(|aside| (aside.kind, &aside.like)).collect();
        let among = Among { asides: &asides, is_aside: lane != Lane::Home, is_fresh: has_suspect };
        let began = Instant::now();
        let found = outbox::claim(tx, free, among).await?;
        if i64::try_from(found.len()).is_ok_and(|found| found < free) {
            taken.exhausted.push((lane, began.elapsed()));
        }
        for mut event in found {
            // Ours, and its lease ran out while the database was away; or found in another lane just now.
            if round.running.contains(&event.key()) || taken.begin.iter().any(|(_, begun)| begun.key() == event.key()) {
                continue;
            }
            if let Some(worker) = event.worker
                && worker != round.worker
                && is_dead(tx, worker).await?
            {
                event.crashes = event.crashes.saturating_add(1);
            }
            if count(event.crashes) >= MOST_CRASHES {
                outbox::park_crashed(tx, event.key(), event.crashes).await?;
                taken.given_up.push(event);
                continue;
            }
            if event.crashes > 0 && std::mem::replace(&mut has_suspect, true) {
                continue;
            }
            taken.begin.push((lane, event));
        }
    }
    let tx = &*tx;
    let hold = |(_, event): &(Lane, Claimed)| outbox::hold(tx, event.key(), round.worker, event.crashes, round.lease);
    try_join_all(taken.begin.iter().map(hold)).await?;
    Ok(taken)
}

/// The tasks under way, and those that ended but are not written down yet.
#[derive(Default)]
struct Running {
    tasks: JoinSet<Outcome>,
    leases: HashMap<Id, Lease>,
    settled: Vec<(Key, Outcome)>,
    /// Until when nobody looks for more, by lane.
    rests: [Option<Instant>; Lane::ALL.len()],
    /// When the first lane may be looked at that had free slots in the last round, and rested.
    missed: Option<Instant>,
}

struct Lease {
    key: Key,
    lane: Lane,
    /// A process died with it.
    is_suspect: bool,
    since: Instant,
}

impl Running {
    fn is_empty(&self) -> bool {
        self.leases.is_empty() && self.settled.is_empty()
    }

    fn free(&self, lane: Lane) -> usize {
        usize::from(SLOTS).saturating_sub(self.leases.values().filter(|lease| lease.lane == lane).count())
    }

    /// The free slots of lanes that do not rest; takes note of those that do and have some.
    fn may_look(&mut self) -> [usize; Lane::ALL.len()] {
        let now = Instant::now();
        self.missed = None;
        Lane::ALL.map(|lane| match (self.free(lane), self.rests[lane.place()]) {
            (1.., Some(end)) if now < end => {
                self.missed = Some(self.missed.map_or(end, |missed| missed.min(end)));
                0
            }
            (free, _) => free,
        })
    }

    fn begin(&mut self, lane: Lane, event: Claimed, runner: Runner) {
        let (key, failures, is_suspect) = (event.key(), count(event.failures), event.crashes > 0);
        let delivery = Delivery {
            kind: event.kind,
            payload: event.payload,
            event: event.id,
            request_id: event.request_id,
            traceparent: event.traceparent,
            attempt: failures + count(event.crashes) + 1,
        };
        let task = self.tasks.spawn(async move { runner.run(delivery, failures).await });
        self.leases.insert(task.id(), Lease { key, lane, is_suspect, since: Instant::now() });
    }

    /// Events whose lease is to be renewed.
    fn due(&self, age: Duration) -> Vec<Key> {
        self.leases.values().filter(|lease| lease.since.elapsed() >= age).map(|lease| lease.key).collect()
    }

    /// A round was written: what was settled is forgotten, and the leases of `renewed` are new.
    fn written(&mut self, renewed: &[Key]) {
        self.settled.clear();
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
