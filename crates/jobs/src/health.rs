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
    works: Vec<Work>,
    ready: AtomicBool,
}

/// One kind of work of a loop, which may stand still while the others go on.
#[derive(Debug, Default)]
struct Work {
    progressed_ms: AtomicU64,
    /// Since when there has been something to do; 0 while there is nothing.
    owed_ms: AtomicU64,
}

impl Pulse {
    /// That of a loop with so many kinds of work.
    pub(crate) fn new(name: &'static str, works: usize) -> Arc<Self> {
        Arc::new(Self {
            name,
            started: Instant::now(),
            ticked_ms: AtomicU64::new(0),
            works: (0..works).map(|_| Work::default()).collect(),
            ready: AtomicBool::new(false),
        })
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn tick(&self) {
        self.ticked_ms.store(self.age_ms(), Ordering::Relaxed);
    }

    /// Notes that something of this work was brought forward, if so.
    pub(crate) fn progress(&self, work: usize, something: bool) {
        if something {
            self.works[work].progressed_ms.store(self.age_ms(), Ordering::Relaxed);
        }
    }

    /// Notes whether there is something to do of this work.
    pub(crate) fn owe(&self, work: usize, something: bool) {
        let owed_ms = &self.works[work].owed_ms;
        if !something {
            owed_ms.store(0, Ordering::Relaxed);
        } else if owed_ms.load(Ordering::Relaxed) == 0 {
            owed_ms.store(self.age_ms().max(1), Ordering::Relaxed);
        }
    }

    /// Notes that nobody can tell whether there is something to do.
    pub(crate) fn owe_nothing(&self) {
        (0..self.works.len()).for_each(|work| self.owe(work, false));
    }

    /// Whether there has been something to do for so long, everything needed for it, and nothing was done.
    fn is_stuck(&self, patience: Duration) -> bool {
        let since = |mark: &AtomicU64| self.age_ms().saturating_sub(mark.load(Ordering::Relaxed));
        let patience = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX);
        let is_stuck = |Work { progressed_ms, owed_ms }: &Work| {
            owed_ms.load(Ordering::Relaxed) > 0 && since(owed_ms) >= patience && since(progressed_ms) >= patience
        };
        self.ready.load(Ordering::Relaxed) && self.works.iter().any(is_stuck)
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
