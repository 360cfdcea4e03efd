//! From the broker to the tasks.
//!
//! A message is acknowledged after its effect was committed, so one that is cut off half-way is delivered again.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, SelectAll};
use futures_util::{StreamExt, future};
use lapin::message::Delivery;
use lapin::options::{BasicCancelOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::FieldTable;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::Broker;
use crate::connection::{Connection, STEP};
use crate::error::{Lapse, bounded};
use crate::handling::Handling;
use crate::health::Pulse;
use crate::lane::{Lane, SLOTS};
use crate::supervisor::Supervisor;
use crate::topology::{Topology, delete_if_dead};

/// How long running tasks have to end once we stop.
pub(crate) const DRAIN: Duration = Duration::from_secs(10);

const TICK: Duration = Duration::from_secs(1);

/// What it takes to consume.
pub(crate) struct Consumer {
    pub(crate) broker: Broker,
    pub(crate) topology: Topology,
    pub(crate) handling: Handling,
    pub(crate) pulse: Arc<Pulse>,
    pub(crate) stop: CancellationToken,
    /// Tasks outlive the session that brought them: what was begun is best finished, as its repetition will then find
    /// the effect done. This bounds them over all sessions, lane by lane.
    pub(crate) slots: [Arc<Semaphore>; Lane::ALL.len()],
    pub(crate) running: TaskTracker,
}

impl Consumer {
    /// Runs until told to stop, then lets the running tasks end.
    pub(crate) async fn run(self) {
        let mut supervisor = Supervisor::new(&self.pulse, &self.stop);
        while supervisor.after(self.session().await).await {}
        // After a lost session there may be tasks left whose messages are acknowledged no more.
        self.drain().await;
    }

    async fn session(&self) -> Result<(), Lapse> {
        let connection = Connection::open(&self.broker, "stockroom consumer").await?;
        let channel = bounded("opening a channel", STEP, connection.create_channel()).await?;
        self.topology.declare(&channel).await?;
        let (mut tags, mut deliveries) = (Vec::new(), SelectAll::new());
        for lane in Lane::ALL {
            // It holds for the consumers that begin after it, each for itself.
            let prefetch = channel.basic_qos(SLOTS, BasicQosOptions::default());
            bounded("setting the prefetch", STEP, prefetch).await?;
            let (queue, options) = (self.topology.tasks(lane).clone(), BasicConsumeOptions::default());
            let consuming = channel.basic_consume(queue.clone(), "".into(), options, FieldTable::default());
            let consumer = match bounded("starting a consumer", STEP, consuming).await {
                Err(late @ Lapse::Late(..)) => {
                    delete_if_dead(&connection, &queue).await?;
                    return Err(late);
                }
                started => started?,
            };
            tags.push(consumer.tag());
            // The end of one must not go unnoticed among the others.
            let ended = stream::once(future::ready(None));
            deliveries.push(consumer.map(Some).chain(ended).map(move |delivery| (lane, delivery)));
        }
        tracing::info!(session = self.pulse.name(), "connected to the broker");
        self.pulse.ready(true);
        let broken = CancellationToken::new();
        // However the session ends, what waits for it to publish or to try again hears of it.
        let _ended = broken.clone().drop_guard();
        let mut ticks = tokio::time::interval(TICK);
        loop {
            tokio::select! {
                () = self.stop.cancelled() => break,
                () = broken.cancelled() => return Err(Lapse::NotAcknowledged),
                _ = ticks.tick() => self.pulse.tick(),
                delivery = deliveries.next() => match delivery {
                    Some((lane, Some(delivery))) => self.begin(lane, delivery?, &broken),
                    Some((_, None)) | None => return Err(Lapse::ConsumerEnded),
                },
            }
        }
        for tag in tags {
            let cancelling = channel.basic_cancel(tag, BasicCancelOptions::default());
            bounded("stopping a consumer", STEP, cancelling).await?;
        }
        self.drain().await;
        connection.close().await;
        Ok(())
    }

    async fn drain(&self) {
        self.running.close();
        let drained = async {
            let mut ticks = tokio::time::interval(TICK);
            loop {
                tokio::select! {
                    () = self.running.wait() => return,
                    _ = ticks.tick() => self.pulse.tick(),
                }
            }
        };
        if tokio::time::timeout(DRAIN, drained).await.is_err() {
            tracing::warn!(
                tasks = self.running.len(),
                "stopped before these tasks ended; they will be delivered again"
            );
        }
    }

    fn begin(&self, lane: Lane, received: Delivery, broken: &CancellationToken) {
        let (handling, slots) = (self.handling.clone(), self.slots[lane.place()].clone());
        let broken = broken.clone();
        self.running.spawn(async move {
            let _slot = slots.acquire().await;
            // Its session may have ended while it waited; then somebody else has the message already.
            if !received.acker.usable() {
                return;
            }
            match handling.handle(lane, received, &broken).await {
                // Unacknowledged it goes to the next one.
                Ok(()) | Err(Lapse::Stopping) => {}
                Err(lapse) => {
                    tracing::debug!(%lapse, "a task ended after its session");
                    broken.cancel();
                }
            }
        });
    }
}
