//! From the broker to the tasks.
//!
//! A message is acknowledged after its effect was committed, so one that is cut off half-way is delivered again.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
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
use crate::supervisor::Supervisor;
use crate::topology::Topology;

/// How many tasks run at once, and how many messages the broker hands out ahead.
pub(crate) const PREFETCH: u16 = 16;

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
    /// the effect done. This bounds them over all sessions.
    pub(crate) slots: Arc<Semaphore>,
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
        bounded("setting the prefetch", STEP, channel.basic_qos(PREFETCH, BasicQosOptions::default())).await?;
        let consuming = channel.basic_consume(
            self.topology.tasks.clone(),
            "".into(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        );
        let mut deliveries = bounded("starting the consumer", STEP, consuming).await?;
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
                    Some(delivery) => self.begin(delivery?, &broken),
                    None => return Err(Lapse::ConsumerEnded),
                },
            }
        }
        bounded("stopping the consumer", STEP, channel.basic_cancel(deliveries.tag(), BasicCancelOptions::default()))
            .await?;
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

    fn begin(&self, received: Delivery, broken: &CancellationToken) {
        let (handling, slots, broken) = (self.handling.clone(), self.slots.clone(), broken.clone());
        self.running.spawn(async move {
            let _slot = slots.acquire().await;
            // Its session may have ended while it waited; then somebody else has the message already.
            if !received.acker.usable() {
                return;
            }
            match handling.handle(received, &broken).await {
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
