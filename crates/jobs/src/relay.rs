//! From the outbox to the broker.
//!
//! A batch is one transaction: claim the rows, publish them, wait for the confirms, mark what was confirmed, commit. The
//! row locks are what keeps other relays away, so a relay that dies frees its rows at once. One that dies between
//! confirm and commit has published twice in the end, and none is lost. A task that begins before the commit waits for
//! it.

use std::sync::Arc;
use std::time::Duration;

use db::Database;
use outbox::{Among, Claimed, Key};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::config::Broker;
use crate::error::Lapse;
use crate::health::Pulse;
use crate::lane::Lane;
use crate::message;
use crate::metrics;
use crate::publisher::{Publisher, Session};
use crate::runner::Runner;
use crate::supervisor::{Backoff, Supervisor};
use crate::sweeper;
use crate::topology::Topology;

const BATCH: i64 = 256;

/// How often to look whether something that stands in the way has gone.
const GLANCE: Duration = Duration::from_millis(200);

/// The longest that a batch may take; its parts have limits of their own, and this is for a network that hangs.
const LONGEST: Duration = Duration::from_secs(12);

/// What it takes to carry events on.
pub(crate) struct Relay {
    pub(crate) broker: Broker,
    pub(crate) topology: Topology,
    pub(crate) database: Database,
    pub(crate) publisher: Publisher,
    pub(crate) runner: Runner,
    pub(crate) pulse: Arc<Pulse>,
    pub(crate) consumer: Arc<Pulse>,
    /// Notified when something was recorded.
    pub(crate) woken: Arc<Notify>,
    /// How often to look when it is not.
    pub(crate) poll: Duration,
    /// How long an event may be overdue.
    pub(crate) late: Duration,
    /// No new batch from here on; the session stays for what the consumer still has to publish.
    pub(crate) stop: CancellationToken,
    /// Nobody needs the session any more.
    pub(crate) close: CancellationToken,
}

struct Batch {
    claimed: usize,
    lapse: Option<Lapse>,
}

impl Relay {
    /// Runs until told to close.
    pub(crate) async fn run(self) {
        let mut supervisor = Supervisor::new(&self.pulse, &self.close);
        while supervisor.after(self.session().await).await {}
    }

    async fn session(&self) -> Result<(), Lapse> {
        let session = Arc::new(Session::open(&self.broker, &self.topology).await?);
        tracing::info!(session = self.pulse.name(), "connected to the broker");
        self.publisher.lend(Some(session.clone()));
        let ended = self.carry(&session).await;
        self.publisher.lend(None);
        // A broker that says nothing at all is known by how the session ended.
        _ = session.delete_dead_queues().await;
        self.consumer.owe_nothing();
        metrics::blocked(false);
        ended
    }

    /// Batch after batch. Ready is who has a session that takes messages and can read the outbox.
    async fn carry(&self, session: &Arc<Session>) -> Result<(), Lapse> {
        let (mut backoff, mut outage) = (Backoff::new(), false);
        // Not at once: a broker that has just started counts its messages wrong for a moment.
        let mut sweep = tokio::time::interval_at(Instant::now() + sweeper::EVERY, sweeper::EVERY);
        sweep.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while !self.close.is_cancelled() {
            self.pulse.tick();
            let lapse = session.lapse();
            let blocked = matches!(lapse, Some(Lapse::Blocked));
            metrics::blocked(blocked);
            if blocked {
                // Nor can anybody tell how much the consumer has to do.
                self.consumer.owe_nothing();
                self.pulse.ready(false);
                self.idle(GLANCE).await;
                continue;
            }
            if let Some(lapse) = lapse {
                return Err(lapse);
            }
            let (mut pause, mut may_be_woken) = (self.poll, true);
            if !self.stop.is_cancelled() {
                let swept = match futures_util::poll!(std::pin::pin!(sweep.tick())).is_ready() {
                    true => {
                        let ready = session.ready(&self.topology).await?;
                        self.within(self.sweep(ready)).await
                    }
                    false => Ok(()),
                };
                let batch = match swept {
                    Ok(()) => self.within(self.batch(session)).await,
                    Err(error) => Err(error),
                };
                match batch {
                    Ok(Batch { lapse: Some(Lapse::Blocked), .. }) => {
                        tracing::warn!("the broker takes no messages for now: an alarm of memory or disk");
                        continue;
                    }
                    Ok(Batch { lapse: Some(lapse), .. }) => return Err(lapse),
                    Ok(Batch { claimed, lapse: None }) => {
                        backoff.reset();
                        self.pulse.ready(true);
                        self.pulse.progress(0, claimed > 0);
                        if std::mem::take(&mut outage) {
                            tracing::info!("the relay reads the outbox again");
                        }
                        if i64::try_from(claimed) == Ok(BATCH) {
                            continue;
                        }
                        // All that was due is with the broker.
                        self.pulse.owe(0, false);
                    }
                    Err(error) => {
                        // The consumer cannot write there either.
                        self.consumer.owe_nothing();
                        self.pulse.ready(false);
                        (pause, may_be_woken) = (GLANCE.max(backoff.next()), false);
                        if !std::mem::replace(&mut outage, true) {
                            tracing::warn!(%error, "the relay cannot read the outbox; trying on");
                        }
                    }
                }
            }
            tokio::select! {
                () = self.idle(pause) => {}
                () = session.until_broken() => {}
                () = self.woken.notified(), if may_be_woken => {}
            }
        }
        Ok(())
    }

    async fn idle(&self, pause: Duration) {
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = self.close.cancelled() => {}
        }
    }

    async fn sweep(&self, ready: [u32; Lane::ALL.len()]) -> Result<(), db::Error> {
        sweeper::sweep(&self.database, ready.iter().sum(), self.late).await?;
        for lane in Lane::ALL {
            self.consumer.owe(lane.place(), ready[lane.place()] > 0);
        }
        Ok(())
    }

    async fn batch(&self, session: &Arc<Session>) -> Result<Batch, db::Error> {
        let (session, topology, runner) = (session.clone(), self.topology.clone(), self.runner.clone());
        let transaction = self.database.transaction(move |tx| {
            Box::pin(async move {
                let events = outbox::claim(tx, BATCH, Among::default()).await?;
                if events.is_empty() {
                    return Ok(Batch { claimed: 0, lapse: None });
                }
                let queue = |event: &Claimed| topology.tasks(runner.lane(&event.kind, &event.payload)).clone();
                let messages: Vec<_> = events.iter().map(|event| message::of_event(event, queue(event))).collect();
                metrics::published(events.iter().map(|event| event.waited_seconds));
                let began = Instant::now();
                let published = session.publish(&messages).await;
                let both = events.iter().zip(&published.confirmed);
                let confirmed: Vec<Key> =
                    both.filter(|(_, confirmed)| **confirmed).map(|(event, _)| event.key()).collect();
                metrics::confirmed(confirmed.len(), began.elapsed());
                outbox::mark_published(tx, &confirmed).await?;
                Ok(Batch { claimed: events.len(), lapse: published.lapse })
            })
        });
        transaction.await
    }

    async fn within<T>(&self, work: impl Future<Output = Result<T, db::Error>>) -> Result<T, db::Error> {
        match tokio::time::timeout(LONGEST, work).await {
            Ok(result) => result,
            Err(_) => Err(db::Error::Unavailable(format!("no answer within {LONGEST:?}"))),
        }
    }
}
