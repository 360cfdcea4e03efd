//! Keeping a session with the broker.
//!
//! Any failure ends the whole session: connection, channels, consumer. A new one is built from nothing, since half of
//! an old one may be deaf without knowing it.

use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::error::Lapse;
use crate::health::Pulse;
use crate::metrics;

/// Waits that double from `FIRST` to `LONGEST`, each shortened by chance, so that many workers do not knock together.
#[derive(Debug)]
pub(crate) struct Backoff {
    next: Duration,
}

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);

impl Backoff {
    pub(crate) fn new() -> Self {
        Self { next: FIRST }
    }

    pub(crate) fn reset(&mut self) {
        self.next = FIRST;
    }

    pub(crate) fn next(&mut self) -> Duration {
        let wait = self.next.mul_f64(rand::random_range(0.5..1.0));
        self.next = (self.next * 2).min(LONGEST);
        wait
    }
}

/// What happens between two sessions.
pub(crate) struct Supervisor<'a> {
    pulse: &'a Pulse,
    stop: &'a CancellationToken,
    backoff: Backoff,
    began: Instant,
    outage: bool,
}

impl<'a> Supervisor<'a> {
    pub(crate) fn new(pulse: &'a Pulse, stop: &'a CancellationToken) -> Self {
        Self { pulse, stop, backoff: Backoff::new(), began: Instant::now(), outage: false }
    }

    /// Takes note of how a session ended, and waits until it is time for the next one. False when there shall be none,
    /// as it ended of its own accord or we were told to stop.
    pub(crate) async fn after(&mut self, ended: Result<(), Lapse>) -> bool {
        let stood = self.pulse.ready(false);
        self.pulse.tick();
        let Err(lapse) = ended else { return false };
        if self.began.elapsed() > LONGEST * 2 {
            self.backoff.reset();
        }
        let wait = self.backoff.next();
        metrics::session_lost(self.pulse.name());
        // Once per outage; what else fails until the next session stands is for those who search.
        if stood || !self.outage {
            tracing::warn!(session = self.pulse.name(), error = %lapse, "no session with the broker; trying on");
        } else {
            tracing::debug!(session = self.pulse.name(), error = %lapse, again_in = ?wait, "no session yet");
        }
        self.outage = true;
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = self.stop.cancelled() => {}
        }
        self.began = Instant::now();
        !self.stop.is_cancelled()
    }
}
