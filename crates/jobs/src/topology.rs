//! The queues, and how messages move between them.
//!
//! | queue | what is in it | where from | where to |
//! |---|---|---|---|
//! | `<prefix>.tasks` | tasks to do | the relay; the ladder | a consumer |
//! | `<prefix>.tasks.retry.1s` and so on, one for each step of the ladder | tasks that failed and wait | the consumer | `tasks`, after the queue's TTL |
//! | `<prefix>.tasks.mail`, `<prefix>.tasks.webhook`, each with its ladder (`.tasks.mail.retry.1s`) | the same for the other lanes | | |
//! | `<prefix>.tasks.dead` | what the broker itself gives up after a thousand deliveries | the broker | an operator; their events are published again |
//!
//! All are quorum queues, which survive the loss of a node (one of three), and hand on at least once: the broker keeps
//! a message until the next queue confirmed it. Everything goes through the default exchange, by the queue's name.
//! The delay belongs to the queue and not to the message, as only the first message of a queue expires.

use std::time::Duration;

use lapin::Channel;
use lapin::options::{QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};

use crate::config::Config;
use crate::connection::{Connection, STEP};
use crate::error::{Lapse, bounded};
use crate::lane::Lane;

/// A backstop only. The broker also counts deliveries that ended with a dropped connection, so a low limit would
/// condemn healthy tasks (RabbitMQ 4 has 20 when none is set).
const DELIVERY_LIMIT: i32 = 1_000;

/// Names of the queues.
#[derive(Debug, Clone)]
pub(crate) struct Topology {
    ways: [LaneQueues; Lane::ALL.len()],
    dead: ShortString,
}

/// The queues of one lane.
#[derive(Debug, Clone)]
struct LaneQueues {
    tasks: ShortString,
    ladder: Vec<(Duration, ShortString)>,
}

impl LaneQueues {
    fn all(&self) -> impl Iterator<Item = &ShortString> {
        [&self.tasks].into_iter().chain(self.ladder.iter().map(|(_, queue)| queue))
    }
}

impl Topology {
    pub(crate) fn new(config: &Config) -> Self {
        let prefix = &config.prefix;
        let ways = Lane::ALL.map(|lane| {
            let tasks = format!("{prefix}.tasks{}", lane.suffix());
            let step = |step: &Duration| (*step, format!("{tasks}.retry.{}", name(*step)).into());
            LaneQueues { ladder: config.retry.steps().iter().map(step).collect(), tasks: tasks.into() }
        });
        Self { ways, dead: format!("{prefix}.tasks.dead").into() }
    }

    /// The queue in which the tasks of a lane lie.
    pub(crate) fn tasks(&self, lane: Lane) -> &ShortString {
        &self.ways[lane.place()].tasks
    }

    /// The queue in which a message of a lane waits so long.
    pub(crate) fn waiting(&self, lane: Lane, delay: Duration) -> ShortString {
        let step = self.ways[lane.place()].ladder.iter().find(|(step, _)| *step == delay);
        step.map_or_else(|| self.tasks(lane).clone(), |(_, queue)| queue.clone())
    }

    /// Every queue.
    pub(crate) fn queues(&self) -> impl Iterator<Item = &ShortString> {
        self.ways.iter().flat_map(LaneQueues::all).chain([&self.dead])
    }

    /// Makes the queues that do not exist yet.
    pub(crate) async fn declare(&self, channel: &Channel) -> Result<(), Lapse> {
        queue(channel, &self.dead, []).await?;
        for LaneQueues { tasks, ladder } in &self.ways {
            let then_dead = dead_letters_to(&self.dead);
            let limit = [("x-delivery-limit", AMQPValue::LongInt(DELIVERY_LIMIT))];
            queue(channel, tasks, then_dead.chain(limit)).await?;
            for (delay, name) in ladder {
                let ttl = AMQPValue::LongInt(i32::try_from(delay.as_millis()).unwrap_or(i32::MAX));
                queue(channel, name, dead_letters_to(tasks).chain([("x-message-ttl", ttl)])).await?;
            }
        }
        Ok(())
    }

    /// How many messages lie ready for each lane.
    pub(crate) async fn ready_tasks(&self, channel: &Channel) -> Result<[u32; Lane::ALL.len()], Lapse> {
        let mut all = [0; Lane::ALL.len()];
        for lane in Lane::ALL {
            all[lane.place()] = ready(channel, self.tasks(lane)).await?;
        }
        Ok(all)
    }
}

/// Deletes a queue that gave no sign of life although its broker does, if it has neither messages nor consumers. The
/// next session makes it anew.
///
/// A broker that is killed while it makes a quorum queue may come back with the queue's name and without the process
/// that keeps it: declaring goes well, and nobody ever gets a message in or out. Of an empty queue nothing is lost, and
/// what another worker puts there at this very moment is published again once it is overdue.
pub(crate) async fn delete_if_dead(connection: &Connection, queue: &ShortString) -> Result<(), Lapse> {
    // The channel that had no answer waits for it still.
    let channel = bounded("opening a channel", STEP, connection.create_channel()).await?;
    let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::durable() };
    let asking = channel.queue_declare(queue.clone(), passive, FieldTable::default());
    let state = bounded("asking for the length of a queue", STEP, asking).await?;
    if state.message_count() > 0 || state.consumer_count() > 0 {
        return Ok(());
    }
    tracing::warn!(queue = queue.as_str(), "an empty queue gives no sign of life, and is made anew");
    let deleting = channel.queue_delete(queue.clone(), QueueDeleteOptions::default());
    bounded("deleting a queue", STEP, deleting).await?;
    Ok(())
}

/// How many messages lie ready in a queue; none if it does not exist, which costs the channel.
pub(crate) async fn ready(channel: &Channel, queue: &ShortString) -> Result<u32, Lapse> {
    let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::durable() };
    let asking = channel.queue_declare(queue.clone(), passive, FieldTable::default());
    Ok(bounded("asking for the length of a queue", STEP, asking).await?.message_count())
}

fn name(delay: Duration) -> String {
    match delay.subsec_nanos() {
        0 => format!("{}s", delay.as_secs()),
        _ => format!("{}ms", delay.as_millis()),
    }
}

/// At least once asks for reject-publish: the other ways of overflowing drop messages.
fn dead_letters_to(queue: &ShortString) -> impl Iterator<Item = (&'static str, AMQPValue)> {
    [
        ("x-dead-letter-exchange", text("")),
        ("x-dead-letter-routing-key", text(queue.as_str())),
        ("x-dead-letter-strategy", text("at-least-once")),
        ("x-overflow", text("reject-publish")),
    ]
    .into_iter()
}

async fn queue(
    channel: &Channel,
    name: &ShortString,
    arguments: impl IntoIterator<Item = (&'static str, AMQPValue)>,
) -> Result<(), Lapse> {
    let mut table = FieldTable::default();
    table.insert("x-queue-type".into(), text("quorum"));
    for (key, value) in arguments {
        table.insert(key.into(), value);
    }
    let declaring = channel.queue_declare(name.clone(), QueueDeclareOptions::durable(), table);
    bounded("declaring a queue", STEP, declaring).await?;
    Ok(())
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}
