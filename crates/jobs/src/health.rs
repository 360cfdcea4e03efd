//! Signs of life of the loops.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// A loop that has not ticked for so long hangs. Each is bound to tick within half of it.
const SILENCE: Duration = Duration::from_secs(30);

/// What the loops say of themselves.
#[derive(Debug, Clone)]
pub struct Health {
    pulses: Vec<Arc<Pulse>>,
}

/// The state of one loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Which one: `relay` and `consumer`, or `direct`.
    pub name: &'static str,
    /// Whether it goes round.
    pub alive: bool,
    /// Whether it has what it needs: its session with the broker or, without one, the database.
    pub ready: bool,
}

impl Health {
    pub(crate) fn new(pulses: Vec<Arc<Pulse>>) -> Self {
        Self { pulses }
    }

    /// Every loop and its state.
    pub fn parts(&self) -> Vec<Part> {
        self.pulses.iter().map(|pulse| pulse.part()).collect()
    }

    /// A loop that had work and all that it needs for so long, and did nothing: it is deaf.
    pub(crate) fn stuck(&self, patience: Duration) -> Option<&'static str> {
        self.pulses.iter().find(|pulse| pulse.is_stuck(patience)).map(|pulse| pulse.name())
    }
}

/// The mark that a loop leaves each time it goes round.
#[derive(Debug)]
pub(crate) struct Pulse {
    name: &'static str,
    started: Instant,
    ticked_ms: AtomicU64,
    progressed_ms: AtomicU64,
    /// Since when there has been something to do; 0 while there is nothing.
    owed_ms: AtomicU64,
    ready: AtomicBool,
}

impl Pulse {
    pub(crate) fn new(name: &'static str) -> Arc<Self> {
        Arc::new(Self {
            name,
            started: Instant::now(),
            ticked_ms: AtomicU64::new(0),
            progressed_ms: AtomicU64::new(0),
            owed_ms: AtomicU64::new(0),
            ready: AtomicBool::new(false),
        })
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn tick(&self) {
        self.ticked_ms.store(self.age_ms(), Ordering::Relaxed);
    }

    /// Notes that something was brought forward, if so.
    pub(crate) fn progress(&self, something: bool) {
        if something {
            self.progressed_ms.store(self.age_ms(), Ordering::Relaxed);
        }
    }

    /// Notes whether there is something to do.
    pub(crate) fn owe(&self, something: bool) {
        if !something {
            self.owed_ms.store(0, Ordering::Relaxed);
        } else if self.owed_ms.load(Ordering::Relaxed) == 0 {
            self.owed_ms.store(self.age_ms().max(1), Ordering::Relaxed);
        }
    }

    /// Whether there has been something to do for so long, everything needed for it, and nothing was done.
    fn is_stuck(&self, patience: Duration) -> bool {
        let since = |mark: &AtomicU64| self.age_ms().saturating_sub(mark.load(Ordering::Relaxed));
        let patience = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX);
        let is_owed = self.owed_ms.load(Ordering::Relaxed) > 0;
        is_owed
            && self.ready.load(Ordering::Relaxed)
            && since(&self.owed_ms) >= patience
            && since(&self.progressed_ms) >= patience
    }

    /// Sets whether the loop has what it needs; returns whether it had it before.
    pub(crate) fn ready(&self, ready: bool) -> bool {
        self.ready.swap(ready, Ordering::Relaxed)
    }

    fn age_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn part(&self) -> Part {
        let silent = self.age_ms().saturating_sub(self.ticked_ms.load(Ordering::Relaxed));
        Part {
            name: self.name,
            alive: Duration::from_millis(silent) < SILENCE,
            ready: self.ready.load(Ordering::Relaxed),
        }
    }
}
