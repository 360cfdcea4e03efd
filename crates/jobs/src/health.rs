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
}

/// The mark that a loop leaves each time it goes round.
#[derive(Debug)]
pub(crate) struct Pulse {
    name: &'static str,
    started: Instant,
    ticked_ms: AtomicU64,
    ready: AtomicBool,
}

impl Pulse {
    pub(crate) fn new(name: &'static str) -> Arc<Self> {
        Arc::new(Self { name, started: Instant::now(), ticked_ms: AtomicU64::new(0), ready: AtomicBool::new(false) })
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn tick(&self) {
        self.ticked_ms.store(self.age_ms(), Ordering::Relaxed);
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
