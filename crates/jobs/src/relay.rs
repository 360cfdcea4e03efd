//! From the outbox to the broker.
//!
//! A batch is one transaction: claim the rows, publish them, wait for the confirms, delete what was confirmed, commit.
//! The row locks are what keeps other relays away, so a relay that dies frees its rows at once. One that dies between
//! confirm and commit has published twice in the end, and none is lost.

use std::sync::Arc;
use std::time::Duration;

use db::Database;
use outbox::Claimed;
use tokio_util::sync::CancellationToken;

use crate::config::Broker;
use crate::error::Lapse;
use crate::health::Pulse;
use crate::message;
use crate::metrics;
use crate::publisher::{Publisher, Session};
use crate::supervisor::{Backoff, Supervisor};
use crate::topology::Topology;

const BATCH: i64 = 256;

/// How often to look when there was nothing to do.
const POLL: Duration = Duration::from_millis(200);

/// The longest that a batch may take; its parts have limits of their own, and this is for a network that hangs.
const LONGEST: Duration = Duration::from_secs(12);

/// What it takes to carry events on.
pub(crate) struct Relay {
    pub(crate) broker: Broker,
    pub(crate) topology: Topology,
    pub(crate) database: Database,
    pub(crate) publisher: Publisher,
    pub(crate) pulse: Arc<Pulse>,
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
        self.pulse.ready(true);
        self.publisher.lend(Some(session.clone()));
        let ended = self.carry(&session).await;
        self.publisher.lend(None);
        metrics::blocked(false);
        ended
    }

    async fn carry(&self, session: &Arc<Session>) -> Result<(), Lapse> {
        let (mut backoff, mut outage) = (Backoff::new(), false);
        while !self.close.is_cancelled() {
            self.pulse.tick();
            let mut pause = POLL;
            let lapse = session.lapse();
            let blocked = matches!(lapse, Some(Lapse::Blocked));
            metrics::blocked(blocked);
            if blocked {
                self.idle(POLL).await;
                continue;
            }
            if let Some(lapse) = lapse {
                return Err(lapse);
            }
            if !self.stop.is_cancelled() {
                match self.batch(session).await {
                    Ok(Batch { lapse: Some(Lapse::Blocked), .. }) => {
                        tracing::warn!("the broker takes no messages for now: an alarm of memory or disk");
                        continue;
                    }
                    Ok(Batch { lapse: Some(lapse), .. }) => return Err(lapse),
                    Ok(Batch { claimed, lapse: None }) => {
                        backoff.reset();
                        if std::mem::take(&mut outage) {
                            tracing::info!("the relay reads the outbox again");
                        }
                        if i64::try_from(claimed) == Ok(BATCH) {
                            continue;
                        }
                    }
                    Err(error) => {
                        pause = POLL.max(backoff.next());
                        if !std::mem::replace(&mut outage, true) {
                            tracing::warn!(%error, "the relay cannot read the outbox; trying on");
                        }
                    }
                }
            }
            tokio::select! {
                () = self.idle(pause) => {}
                () = session.until_broken() => {}
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

    async fn batch(&self, session: &Arc<Session>) -> Result<Batch, db::Error> {
        let (session, queue) = (session.clone(), self.topology.tasks.clone());
        let transaction = self.database.transaction(move |tx| {
            Box::pin(async move {
                let events = outbox::claim(tx, BATCH).await?;
                if events.is_empty() {
                    return Ok(Batch { claimed: 0, lapse: None });
                }
                let messages: Vec<_> = events.iter().map(|event| message::of_event(event, queue.clone())).collect();
                metrics::published(messages.len());
                let published = session.publish(&messages).await;
                let confirmed: Vec<&Claimed> = events
                    .iter()
                    .zip(&published.confirmed)
                    .filter(|(_, confirmed)| **confirmed)
                    .map(|(event, _)| event)
                    .collect();
                metrics::confirmed(confirmed.len());
                outbox::delete(tx, &confirmed).await?;
                Ok(Batch { claimed: events.len(), lapse: published.lapse })
            })
        });
        match tokio::time::timeout(LONGEST, transaction).await {
            Ok(result) => result,
            Err(_) => Err(db::Error::Unavailable(format!("no answer within {LONGEST:?}"))),
        }
    }
}
