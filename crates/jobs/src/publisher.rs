//! Publishing with confirms, on a connection of its own: the broker stops reading from connections that publish while
//! an alarm lasts, and acknowledgements must not wait behind that.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::ShortString;
use lapin::{Channel, Confirmation};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::config::Broker;
use crate::connection::{Connection, STEP};
use crate::error::{Lapse, bounded};
use crate::lane::Lane;
use crate::message::Message;
use crate::topology::{Topology, delete_if_dead};

/// How long a batch waits for its confirms. Shorter than the 10 s that the database lets our transaction idle.
const CONFIRM_WAIT: Duration = Duration::from_secs(5);

/// How often to look whether the connection was blocked meanwhile.
const GLANCE: Duration = Duration::from_millis(50);

/// A session to publish on.
pub(crate) struct Session {
    connection: Connection,
    channel: Channel,
    broken: CancellationToken,
    /// Queues that confirmed nothing in time.
    silent: Mutex<BTreeSet<ShortString>>,
}

/// Which messages of a batch were confirmed, and why the others were not.
#[derive(Debug)]
pub(crate) struct Published {
    pub(crate) confirmed: Vec<bool>,
    pub(crate) lapse: Option<Lapse>,
}

impl Session {
    /// Connects, makes the queues and asks for confirms.
    pub(crate) async fn open(broker: &Broker, topology: &Topology) -> Result<Self, Lapse> {
        let connection = Connection::open(broker, "stockroom publisher").await?;
        let channel = bounded("opening a channel", STEP, connection.create_channel()).await?;
        topology.declare(&channel).await?;
        bounded("asking for confirms", STEP, channel.confirm_select(ConfirmSelectOptions::default())).await?;
        Ok(Self { connection, channel, broken: CancellationToken::new(), silent: Mutex::default() })
    }

    /// Publishes all at once, then waits for their confirms. A session that let a message down is broken.
    pub(crate) async fn publish(&self, messages: &[Message]) -> Published {
        let mut published = Published { confirmed: vec![false; messages.len()], lapse: None };
        if let Some(lapse) = self.lapse() {
            // Sent now it would lie in wait behind the block, and every repetition with it.
            return Published { lapse: Some(lapse), ..published };
        }
        let mut pending: FuturesUnordered<_> = messages
            .iter()
            .enumerate()
            .map(|(place, message)| async move { (place, publish_one(&self.channel, message).await) })
            .collect();
        let deadline = Instant::now() + CONFIRM_WAIT;
        let mut glance = tokio::time::interval(GLANCE);
        loop {
            let lapse = tokio::select! {
                biased;
                done = pending.next() => match done {
                    None => return published,
                    Some((place, Ok(()))) => {
                        published.confirmed[place] = true;
                        continue;
                    }
                    // The others may still be confirmed.
                    Some((_, Err(lapse @ (Lapse::Unroutable | Lapse::Refused)))) => {
                        published.lapse = Some(lapse);
                        self.broken.cancel();
                        continue;
                    }
                    Some((_, Err(lapse))) => lapse,
                },
                () = tokio::time::sleep_until(deadline) => {
                    let both = messages.iter().zip(&published.confirmed);
                    let late = both.filter(|(_, confirmed)| !**confirmed).map(|(message, _)| message.queue.clone());
                    self.silent.lock().unwrap_or_else(PoisonError::into_inner).extend(late);
                    Lapse::Late("confirming a batch", CONFIRM_WAIT)
                }
                _ = glance.tick() => {
                    if !self.blocked() {
                        continue;
                    }
                    Lapse::Blocked
                }
            };
            self.broken.cancel();
            published.lapse = Some(lapse);
            return published;
        }
    }

    /// Has those queues made anew by the next session that let a message of this one down because they are dead.
    pub(crate) async fn delete_dead_queues(&self) -> Result<(), Lapse> {
        let silent = std::mem::take(&mut *self.silent.lock().unwrap_or_else(PoisonError::into_inner));
        for queue in silent {
            delete_if_dead(&self.connection, &queue).await?;
        }
        Ok(())
    }

    /// Ends when the session let a message down, or the connection is gone.
    pub(crate) async fn until_broken(&self) {
        self.broken.cancelled().await;
    }

    /// Why nothing can be published, if so.
    pub(crate) fn lapse(&self) -> Option<Lapse> {
        if !self.connection.status().connected() || !self.channel.status().connected() {
            Some(Lapse::Broken)
        } else if self.blocked() {
            // A new connection would be blocked as well, so this one waits for the end of the alarm.
            Some(Lapse::Blocked)
        } else {
            self.broken.is_cancelled().then_some(Lapse::Broken)
        }
    }

    /// How many messages lie ready for each lane.
    pub(crate) async fn ready(&self, topology: &Topology) -> Result<[u32; Lane::ALL.len()], Lapse> {
        topology.ready_tasks(&self.channel).await
    }

    fn blocked(&self) -> bool {
        self.connection.blocked()
    }
}

async fn publish_one(channel: &Channel, message: &Message) -> Result<(), Lapse> {
    let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    let (queue, properties) = (message.queue.clone(), message.properties.clone());
    let confirm = channel.basic_publish("".into(), queue, options, &message.body, properties).await?;
    match confirm.await? {
        Confirmation::Ack(None) => Ok(()),
        Confirmation::Ack(Some(_)) => Err(Lapse::Unroutable),
        Confirmation::Nack(_) | Confirmation::NotRequested => Err(Lapse::Refused),
    }
}

/// The session that stands at the moment, for whoever has something to publish.
#[derive(Clone)]
pub(crate) struct Publisher {
    current: watch::Sender<Option<Arc<Session>>>,
}

impl Publisher {
    pub(crate) fn new() -> Self {
        Self { current: watch::Sender::new(None) }
    }

    /// Lends `session` to everybody, until it is taken back.
    pub(crate) fn lend(&self, session: Option<Arc<Session>>) {
        self.current.send_replace(session);
    }

    /// Publishes one message and waits for its confirm.
    pub(crate) async fn publish(&self, message: Message) -> Result<(), Lapse> {
        let session = self.current.borrow().clone().ok_or(Lapse::NoSession)?;
        let published = session.publish(&[message]).await;
        match published.lapse {
            Some(lapse) => Err(lapse),
            None => Ok(()),
        }
    }
}
