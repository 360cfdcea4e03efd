//! The queues, and how messages move between them.
//!
//! | queue | what is in it | where from | where to |
//! |---|---|---|---|
//! | `<prefix>.tasks` | tasks to do | the relay; `retry` | a consumer; rejected: `dead` |
//! | `<prefix>.tasks.retry` | tasks that failed and wait | the consumer | `tasks`, after the queue's TTL |
//! | `<prefix>.tasks.dead` | tasks that were given up | rejected by the consumer | an operator |
//!
//! All are quorum queues, which survive the loss of a node (one of three), and hand on at least once: the broker keeps
//! a message until the next queue confirmed it. Everything goes through the default exchange, by the queue's name.

use lapin::Channel;
use lapin::options::QueueDeclareOptions;
use lapin::types::{AMQPValue, FieldTable, ShortString};

use crate::config::Config;
use crate::connection::STEP;
use crate::error::{Lapse, bounded};

/// A backstop only. The broker also counts deliveries that ended with a dropped connection, so a low limit would
/// condemn healthy tasks (RabbitMQ 4 has 20 when none is set).
const DELIVERY_LIMIT: i32 = 1_000;

/// Names of the queues.
#[derive(Debug, Clone)]
pub(crate) struct Topology {
    pub(crate) tasks: ShortString,
    pub(crate) retry: ShortString,
    pub(crate) dead: ShortString,
    retry_ttl: i32,
}

impl Topology {
    pub(crate) fn new(config: &Config) -> Self {
        let prefix = &config.prefix;
        Self {
            tasks: format!("{prefix}.tasks").into(),
            retry: format!("{prefix}.tasks.retry").into(),
            dead: format!("{prefix}.tasks.dead").into(),
            retry_ttl: i32::try_from(config.retry_delay.as_millis()).unwrap_or(i32::MAX),
        }
    }

    /// Makes the queues that do not exist yet.
    pub(crate) async fn declare(&self, channel: &Channel) -> Result<(), Lapse> {
        queue(channel, &self.dead, []).await?;
        let then_dead = dead_letters_to(&self.dead);
        queue(channel, &self.tasks, then_dead.chain([("x-delivery-limit", AMQPValue::LongInt(DELIVERY_LIMIT))]))
            .await?;
        let then_tasks = dead_letters_to(&self.tasks);
        queue(channel, &self.retry, then_tasks.chain([("x-message-ttl", AMQPValue::LongInt(self.retry_ttl))])).await
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
