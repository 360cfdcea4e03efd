//! When a task that failed is tried again.

use std::time::Duration;

/// What becomes of a task that failed.
///
/// | failures so far | wants a retry | says permanent | was not tried |
/// |---|---|---|---|
/// | 1 to 7 | again after the delay (1 s) | given up | again after the delay, not counted |
/// | 8 | given up | given up | again after the delay, not counted |
///
/// What wants a retry makes room for others meanwhile. What was not tried keeps its place among the 16 that run: the
/// database is away, say, and the others would fail as well.
///
/// A task that panics or takes longer than 30 s wants a retry. What is given up lies in the dead-letter queue, or,
/// without a broker, parked in the outbox.
#[derive(Debug, Clone, Copy)]
pub struct Retry {
    delay: Duration,
}

/// So many failures and the task is given up.
pub(crate) const MOST_FAILURES: u32 = 8;

impl Retry {
    /// With `delay` between attempts.
    pub(crate) fn new(delay: Duration) -> Self {
        Self { delay }
    }

    /// Between two attempts that do not count.
    pub(crate) fn delay(&self) -> Duration {
        self.delay
    }

    /// How long to wait after so many failures; none gives the task up.
    pub(crate) fn after(&self, failures: u32) -> Option<Duration> {
        (failures < MOST_FAILURES).then_some(self.delay)
    }
}
