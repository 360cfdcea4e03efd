//! The way of one message: begun in the outbox, its task run, the end written down, acknowledged.
//!
//! | delivered | done about it |
//! |---|---|
//! | no task at all | parked at once |
//! | its event is done, or parked | acknowledged: a repetition |
//! | its event failed, and its time has not come | acknowledged, as another message waits on the ladder; put there itself if it was cut off on its way |
//! | its event runs here already | waits for that to end |
//! | its event ran in a worker that died | a crash is counted; then it runs while no other such does here |
//! | its event runs in a worker that lives but lost the message (it hangs, or its connection broke) | taken over after a second |

use std::sync::Arc;
use std::time::Duration;

use lapin::Acker;
use lapin::message::Delivery;
use lapin::options::BasicAckOptions;
use outbox::{Key, Next};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::book::{Book, NotWritten, TakenOver};
use crate::connection::STEP;
use crate::error::{Lapse, bounded};
use crate::health::Pulse;
use crate::lane::Lane;
use crate::message;
use crate::metrics;
use crate::presence::Flights;
use crate::publisher::Publisher;
use crate::quarantine::{Alone, Quarantine};
use crate::registry;
use crate::runner::{Outcome, Runner};
use crate::topology::Topology;

/// How long a worker that lives may keep an event whose message came to us.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often to look whether it has let go.
const GLANCE: Duration = Duration::from_millis(50);

/// What one message needs on its way.
#[derive(Clone)]
pub(crate) struct Handling {
    pub(crate) runner: Runner,
    pub(crate) book: Book,
    pub(crate) publisher: Publisher,
    pub(crate) topology: Topology,
    /// Those whose process died before run one at a time.
    pub(crate) quarantine: Arc<Quarantine>,
    pub(crate) flights: Arc<Flights>,
    pub(crate) pulse: Arc<Pulse>,
    pub(crate) stop: CancellationToken,
}

enum Admission {
    Run {
        failures: u32,
        crashes: u32,
        alone: Option<Alone>,
    },
    /// There is nothing to do any more.
    Over,
    /// It failed so often, and waits for its time.
    Early {
        failures: u32,
    },
}

/// What came of a message.
enum Tried {
    Ended(Outcome),
    Over,
    Early { failures: u32 },
}

impl Handling {
    /// Brings a message to its end. `broken` says that its session is gone, and with it the use of going on.
    pub(crate) async fn handle(&self, lane: Lane, received: Delivery, broken: &CancellationToken) -> Result<(), Lapse> {
        if received.redelivered {
            metrics::redelivered();
        }
        let (key, delivery) = match message::decode(&received) {
            Ok(task) => task,
            Err(undecodable) => {
                metrics::consumed("unknown", "dead");
                let bytes = received.data.len();
                tracing::error!(error = %undecodable, bytes, outcome = "dead", "a message cannot be a task");
                let error = undecodable.to_string();
                let park = || self.book.park_undecodable(message::describe(&received), error.clone());
                self.insist(broken, park).await?;
                return acknowledge(&received.acker).await;
            }
        };
        let _flight = self.flights.enter(key).await;
        // The session may have ended while we waited; then somebody else has the message.
        if !received.acker.usable() {
            return Err(Lapse::Broken);
        }
        let delay = match self.try_until_tried(lane, key, delivery, broken).await? {
            Tried::Ended(outcome) => self.write_down(key, outcome, broken).await?,
            // Its failure was written down, and it may have been cut off on its way to the ladder.
            Tried::Early { failures } if received.redelivered => self.runner.after(failures),
            Tried::Early { .. } | Tried::Over => {
                metrics::repeated();
                None
            }
        };
        if let Some(delay) = delay {
            self.again(lane, &received, delay, broken).await?;
        }
        acknowledge(&received.acker).await
    }

    async fn try_until_tried(
        &self,
        lane: Lane,
        key: Key,
        delivery: registry::Delivery,
        broken: &CancellationToken,
    ) -> Result<Tried, Lapse> {
        loop {
            let admission = self.admit(lane, key, broken).await;
            self.pulse.progress(lane.place(), admission.is_ok());
            let delay = match admission {
                Ok(Admission::Over) => return Ok(Tried::Over),
                Ok(Admission::Early { failures }) => return Ok(Tried::Early { failures }),
                Ok(Admission::Run { failures, crashes, alone }) => {
                    let delivery = registry::Delivery { attempt: failures + crashes + 1, ..delivery.clone() };
                    let outcome = self.runner.run(delivery, failures).await;
                    drop(alone);
                    match outcome {
                        Outcome::NotTried { delay, .. } => delay,
                        outcome => return Ok(Tried::Ended(outcome)),
                    }
                }
                Err(error) => {
                    tracing::debug!(%error, event = key.id, "a task cannot be begun yet");
                    self.runner.pause()
                }
            };
            self.wait(delay, broken).await?;
        }
    }

    /// Counts the attempt and lets the task in, once nothing speaks against it.
    async fn admit(&self, lane: Lane, key: Key, broken: &CancellationToken) -> Result<Admission, NotWritten> {
        if let Some(failures) = self.book.begin(key).await? {
            return Ok(Admission::Run { failures, crashes: 0, alone: None });
        }
        let since = Instant::now();
        let mut alone = None;
        loop {
            if broken.is_cancelled() || self.stop.is_cancelled() {
                return Err(NotWritten::stopping());
            }
            match self.book.take_over(key, since.elapsed() >= PATIENCE, alone.is_some()).await? {
                TakenOver::Over => return Ok(Admission::Over),
                TakenOver::Early { failures } => return Ok(Admission::Early { failures }),
                TakenOver::Busy => tokio::time::sleep(GLANCE).await,
                TakenOver::Suspect => alone = Some(self.quarantine.enter(lane).await),
                TakenOver::Parked { crashes } => {
                    metrics::consumed("unknown", "dead");
                    tracing::error!(
                        event = key.id,
                        crashes,
                        outcome = "dead",
                        "a task killed its worker, and is given up"
                    );
                    return Ok(Admission::Over);
                }
                TakenOver::Begun { failures, crashes } => {
                    if crashes > 0 {
                        metrics::crashed();
                        tracing::warn!(
                            event = key.id,
                            crashes,
                            "the worker that ran this task died; it runs alone now"
                        );
                    }
                    return Ok(Admission::Run { failures, crashes, alone: alone.filter(|_| crashes > 0) });
                }
            }
        }
    }

    /// Writes down how the attempt ended. Returns the delay after which the task shall come again.
    async fn write_down(
        &self,
        key: Key,
        outcome: Outcome,
        broken: &CancellationToken,
    ) -> Result<Option<Duration>, Lapse> {
        let (next, error, delay) = match outcome {
            Outcome::Done => {
                // Even without its session: the next one to get the message will find it done.
                self.insist(&CancellationToken::new(), || self.book.finish(key)).await?;
                return Ok(None);
            }
            Outcome::Dead { error } => (Next::Park, error, None),
            Outcome::Again { delay, error } => (Next::Again(delay), error, Some(delay)),
            Outcome::NotTried { delay, error } => (Next::NotTried(delay), error, Some(delay)),
        };
        let ours = self.insist(broken, || self.book.fail(key, next, error.clone())).await?;
        if !ours {
            tracing::info!(event = key.id, "somebody else took this task over; what came of it here does not count");
        }
        Ok(delay.filter(|_| ours))
    }

    /// Puts the task onto its step of the ladder. Dying before it is acknowledged leaves two messages, of which the
    /// later one will find the task done. While nothing can be published it stays unacknowledged.
    async fn again(
        &self,
        lane: Lane,
        received: &Delivery,
        delay: Duration,
        broken: &CancellationToken,
    ) -> Result<(), Lapse> {
        let message = message::again(received, self.topology.waiting(lane, delay));
        while let Err(lapse) = self.publisher.publish(message.clone()).await {
            tracing::debug!(%lapse, "a retry cannot be published yet");
            tokio::select! {
                () = tokio::time::sleep(self.runner.pause()) => {}
                () = broken.cancelled() => return Err(Lapse::Broken),
            }
            if !received.acker.usable() {
                return Err(Lapse::Broken);
            }
        }
        Ok(())
    }

    /// Writes until it is written, unless the session breaks or we stop. Warns the first time that it cannot be.
    async fn insist<T, F>(&self, broken: &CancellationToken, write: impl Fn() -> F) -> Result<T, Lapse>
    where
        F: Future<Output = Result<T, NotWritten>>,
    {
        let mut is_told = false;
        loop {
            match write().await {
                Ok(value) => return Ok(value),
                Err(error) if is_told => tracing::debug!(%error, "how a task ended cannot be written down yet"),
                Err(error) => tracing::warn!(%error, "how a task ended cannot be written down yet"),
            }
            is_told = true;
            self.wait(self.runner.pause(), broken).await?;
        }
    }

    async fn wait(&self, pause: Duration, broken: &CancellationToken) -> Result<(), Lapse> {
        tokio::select! {
            () = tokio::time::sleep(pause) => Ok(()),
            () = self.stop.cancelled() => Err(Lapse::Stopping),
            () = broken.cancelled() => Err(Lapse::Broken),
        }
    }
}

async fn acknowledge(acker: &Acker) -> Result<(), Lapse> {
    match bounded("an acknowledgement", STEP, acker.ack(BasicAckOptions::default())).await? {
        true => Ok(()),
        false => Err(Lapse::NotAcknowledged),
    }
}
