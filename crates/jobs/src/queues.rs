//! How full the queues are, for operators.

use crate::config::Config;
use crate::connection::Connection;
use crate::connection::STEP;
use crate::error::{Lapse, bounded};
use crate::topology::{self, Topology};

/// A queue of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// Its whole name.
    pub name: String,
    /// Messages that lie ready in it; none if it does not exist.
    pub ready: Option<u32>,
}

/// The broker did not say.
#[derive(Debug, thiserror::Error)]
#[error("the broker does not answer: {0}")]
pub struct NoAnswer(String);

impl From<Lapse> for NoAnswer {
    fn from(lapse: Lapse) -> Self {
        Self(lapse.to_string())
    }
}

/// Every queue of ours, in the order in which a task meets them; none where `config` names no broker.
///
/// # Errors
/// When the broker does not answer.
pub async fn queues(config: &Config) -> Result<Vec<Queue>, NoAnswer> {
    let Some(broker) = &config.broker else { return Ok(Vec::new()) };
    let connection = Connection::open(broker, "stockroom manage").await?;
    let mut queues = Vec::new();
    for name in Topology::new(config).queues() {
        // Asking for a queue that does not exist costs the channel.
        let channel = bounded("opening a channel", STEP, connection.create_channel()).await?;
        let ready = topology::ready(&channel, name).await.ok();
        queues.push(Queue { name: name.to_string(), ready });
    }
    connection.close().await;
    Ok(queues)
}
