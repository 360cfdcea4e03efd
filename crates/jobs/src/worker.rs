//! Everything that runs in a worker process, started and stopped as one.

use std::sync::Arc;
use std::time::Duration;

use db::Database;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::{Broker, Config};
use crate::consumer::{Consumer, PREFETCH};
use crate::direct::Direct;
use crate::health::{Health, Pulse};
use crate::metrics;
use crate::publisher::Publisher;
use crate::registry::Registry;
use crate::relay::Relay;
use crate::retry::Retry;
use crate::runner::Runner;
use crate::topology::Topology;

/// How often the outbox is measured.
const MEASURE: Duration = Duration::from_secs(5);

/// How long closing the relay may take, once the consumer has ended: a batch that waits for its confirms.
const CLOSING: Duration = Duration::from_secs(6);

/// The loops of one worker. They wait for a database or a broker that is away; dropping this does not end them,
/// [`stop`](Worker::stop) does.
#[derive(Debug)]
pub struct Worker {
    health: Health,
    stop: CancellationToken,
    close: CancellationToken,
    loops: TaskTracker,
    relays: TaskTracker,
}

impl Worker {
    /// Starts relay and consumer, or, when `config` names no broker, the direct way from outbox to task. Returns at
    /// once. `database` should have the limits of [`db::Role::Worker`].
    pub fn start(config: &Config, database: &Database, registry: Registry) -> Self {
        metrics::describe();
        let (stop, close) = (CancellationToken::new(), CancellationToken::new());
        let (loops, relays) = (TaskTracker::new(), TaskTracker::new());
        let runner = Runner::new(Arc::new(registry), Retry::new(config.retry_delay));
        let health = match &config.broker {
            Some(broker) => {
                let (relay, consumer) = pair(config, broker, database, runner, &stop, &close);
                let health = Health::new(vec![relay.pulse.clone(), consumer.pulse.clone()]);
                relays.spawn(relay.run());
                loops.spawn(consumer.run());
                health
            }
            None => {
                let pulse = Pulse::new("direct");
                let health = Health::new(vec![pulse.clone()]);
                let (database, stop, lease) = (database.clone(), stop.clone(), config.lease);
                loops.spawn(Direct { database, runner, pulse, stop, lease }.run());
                health
            }
        };
        loops.spawn(measure(database.clone(), stop.clone()));
        Self { health, stop, close, loops, relays }
    }

    /// What the loops say of themselves.
    pub fn health(&self) -> Health {
        self.health.clone()
    }

    /// Takes no new task, lets the running ones end (up to 10 s), then closes the sessions (up to 6 s).
    pub async fn stop(self) {
        self.stop.cancel();
        self.loops.close();
        self.loops.wait().await;
        // Only now, as a task that failed last is published for its retry on the relay's session.
        self.close.cancel();
        self.relays.close();
        if tokio::time::timeout(CLOSING, self.relays.wait()).await.is_err() {
            tracing::warn!("stopped in the middle of a batch; it will be published again");
        }
    }
}

fn pair(
    config: &Config,
    broker: &Broker,
    database: &Database,
    runner: Runner,
    stop: &CancellationToken,
    close: &CancellationToken,
) -> (Relay, Consumer) {
    let (topology, publisher) = (Topology::new(config), Publisher::new());
    let relay = Relay {
        broker: broker.clone(),
        topology: topology.clone(),
        database: database.clone(),
        publisher: publisher.clone(),
        pulse: Pulse::new("relay"),
        stop: stop.clone(),
        close: close.clone(),
    };
    let consumer = Consumer {
        broker: broker.clone(),
        topology,
        publisher,
        runner,
        pulse: Pulse::new("consumer"),
        stop: stop.clone(),
        slots: Arc::new(Semaphore::new(usize::from(PREFETCH))),
        running: TaskTracker::new(),
    };
    (relay, consumer)
}

/// Keeps the gauges of the outbox current. Says nothing of a database that is away: the other loops do.
async fn measure(database: Database, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(MEASURE);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.cancelled() => return,
        }
        let measured = async { outbox::backlog(&mut database.connection().await?).await };
        if let Ok(Ok(backlog)) = tokio::time::timeout(MEASURE, measured).await {
            metrics::backlog(backlog);
        }
    }
}
