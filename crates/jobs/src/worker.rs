//! Everything that runs in a worker process, started and stopped as one.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use db::Database;
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::book::Book;
use crate::config::{Broker, Config};
use crate::consumer::Consumer;
use crate::direct::Direct;
use crate::handling::Handling;
use crate::health::{Health, Pulse};
use crate::lane::{Lane, SLOTS};
use crate::metrics;
use crate::presence::Presence;
use crate::publisher::Publisher;
use crate::registry::Registry;
use crate::relay::Relay;
use crate::runner::Runner;
use crate::topology::Topology;

/// How long closing the relay may take, once the consumer has ended: a batch that waits for its confirms.
const CLOSING: Duration = Duration::from_secs(6);

/// How long letting go of what was not done may take.
const RELEASING: Duration = Duration::from_secs(1);

/// The loops of one worker. They wait for a database or a broker that is away; dropping this does not end them,
/// [`stop`](Worker::stop) does.
pub struct Worker {
    health: Health,
    patience: Duration,
    database: Database,
    presence: Presence,
    stop: CancellationToken,
    close: CancellationToken,
    loops: TaskTracker,
    relays: TaskTracker,
}

impl Worker {
    /// Starts relay and consumer, or, when `config` names no broker, the direct way from outbox to task. Returns at
    /// once. `database` should have the limits of [`db::Role::Worker`].
    pub fn start(config: &Config, database: &Database, registry: Registry) -> Self {
        metrics::describe(registry.names());
        let (stop, close) = (CancellationToken::new(), CancellationToken::new());
        let (loops, relays) = (TaskTracker::new(), TaskTracker::new());
        let presence = Presence::new();
        relays.spawn(presence.clone().keep(database.clone(), close.clone()));
        let runner = Runner::new(Arc::new(registry), config.retry.clone());
        let woken = Arc::new(Notify::new());
        loops.spawn(hear(database.clone(), woken.clone(), stop.clone()));
        let (pulses, measured) = match &config.broker {
            Some(broker) => {
                let (relay, consumer) = pair(config, broker, database, &presence, runner, woken, (&stop, &close));
                let pulses = vec![relay.pulse.clone(), consumer.pulse.clone()];
                let measured = relay.pulse.clone();
                relays.spawn(relay.run());
                loops.spawn(consumer.run());
                (pulses, measured)
            }
            None => {
                let pulse = Pulse::new("direct", 1);
                let direct = Direct {
                    database: database.clone(),
                    presence: presence.clone(),
                    runner,
                    pulse: pulse.clone(),
                    stop: stop.clone(),
                    woken,
                    poll: config.poll,
                    lease: config.lease,
                    late: config.late,
                };
                loops.spawn(direct.run());
                (vec![pulse.clone()], pulse)
            }
        };
        loops.spawn(measure(database.clone(), measured, stop.clone()));
        let (health, patience) = (Health::new(pulses), config.patience);
        Self { health, patience, database: database.clone(), presence, stop, close, loops, relays }
    }

    /// What the loops say of themselves.
    pub fn health(&self) -> Health {
        self.health.clone()
    }

    /// Ends when a loop has had work and all that it needs for a minute, and did nothing; says which. No repair from
    /// within is to be trusted then: end the process and let it be started again.
    pub async fn stuck(&self) -> &'static str {
        let mut ticks = tokio::time::interval(Duration::from_secs(1).min(self.patience / 4));
        loop {
            ticks.tick().await;
            if let Some(name) = self.health.stuck(self.patience) {
                return name;
            }
        }
    }

    /// Takes no new task, lets the running ones end (up to 10 s), then closes the sessions (up to 6 s).
    pub async fn stop(self) {
        self.stop.cancel();
        self.loops.close();
        self.loops.wait().await;
        // What is still ours then was not done, and nothing crashed.
        let (left, worker) = (self.presence.left(), self.presence.worker());
        let release = self.database.transaction::<_, db::Error, _>(move |tx| {
            Box::pin(async move { outbox::release(tx, &left, worker).await })
        });
        if !matches!(tokio::time::timeout(RELEASING, release).await, Ok(Ok(()))) {
            tracing::warn!("stopped without the database; tasks that were not done will count as crashed");
        }
        // Only now, as a task that failed last is published for its retry on the relay's session.
        self.close.cancel();
        self.relays.close();
        if tokio::time::timeout(CLOSING, self.relays.wait()).await.is_err() {
            tracing::warn!("stopped in the middle of a batch; it will be published again");
        }
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").field("health", &self.health).field("presence", &self.presence).finish_non_exhaustive()
    }
}

fn pair(
    config: &Config,
    broker: &Broker,
    database: &Database,
    presence: &Presence,
    runner: Runner,
    woken: Arc<Notify>,
    (stop, close): (&CancellationToken, &CancellationToken),
) -> (Relay, Consumer) {
    let (topology, publisher) = (Topology::new(config), Publisher::new());
    let pulse = Pulse::new(metrics::CONSUMER, Lane::ALL.len());
    let relay = Relay {
        broker: broker.clone(),
        topology: topology.clone(),
        database: database.clone(),
        publisher: publisher.clone(),
        runner: runner.clone(),
        pulse: Pulse::new(metrics::RELAY, 1),
        consumer: pulse.clone(),
        woken,
        poll: config.poll,
        late: config.late,
        stop: stop.clone(),
        close: close.clone(),
    };
    let handling = Handling {
        runner,
        book: Book::open(database.clone(), presence.clone()),
        publisher,
        topology: topology.clone(),
        quarantine: Arc::default(),
        flights: Arc::default(),
        pulse: pulse.clone(),
        stop: stop.clone(),
    };
    let consumer = Consumer {
        broker: broker.clone(),
        topology,
        handling,
        pulse,
        stop: stop.clone(),
        slots: Lane::ALL.map(|_| Arc::new(Semaphore::new(usize::from(SLOTS)))),
        running: TaskTracker::new(),
    };
    (relay, consumer)
}

/// Wakes the loop that reads the outbox when something was recorded there.
async fn hear(database: Database, woken: Arc<Notify>, stop: CancellationToken) {
    tokio::select! {
        () = outbox::listen(database, || woken.notify_one()) => {}
        () = stop.cancelled() => {}
    }
}

/// Keeps the gauges of the outbox current, and has the loop that reads it know whether there is something to do.
async fn measure(database: Database, reader: Arc<Pulse>, stop: CancellationToken) {
    tokio::select! {
        () = outbox::watch(database, |backlog| reader.owe(0, backlog.due > 0)) => {}
        () = stop.cancelled() => {}
    }
}
