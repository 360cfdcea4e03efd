//! When a task that failed is tried again.

use std::str::FromStr;
use std::time::Duration;

use crate::config::ConfigError;

/// What becomes of a task that failed.
///
/// | failures so far | wants a retry | says permanent | was not tried |
/// |---|---|---|---|
/// | 1 to 7 | again after 1, 5, 25, 125, 625, 625, 625 s | given up | again after 1 s, not counted |
/// | 8 | given up | given up | again after 1 s, not counted |
///
/// What wants a retry makes room for others meanwhile. What was not tried keeps its place among the 16 that run: the
/// database is away, say, and the others would fail as well.
///
/// A task that panics or takes longer than 30 s wants a retry. One whose process died with it three times is given up;
/// from the first time on it runs while nothing else does. What is given up lies parked in the outbox.
///
/// Written as the seconds of the steps, `1,5,25,125,625`; fractions are allowed.
#[derive(Debug, Clone, PartialEq)]
pub struct Retry {
    steps: Vec<Duration>,
}

/// So many failures and the task is given up.
pub(crate) const MOST_FAILURES: u32 = 8;

/// So many attempts that ended with their process, and the task is given up.
pub(crate) const MOST_CRASHES: u32 = 3;

/// Between two attempts that do not count, at most.
const PAUSE: Duration = Duration::from_secs(1);

impl Default for Retry {
    fn default() -> Self {
        Self { steps: [1, 5, 25, 125, 625].map(Duration::from_secs).into() }
    }
}

impl Retry {
    /// With these delays; the last one again and again. None at all stands for the usual ones.
    pub fn new(steps: impl Into<Vec<Duration>>) -> Self {
        let steps = steps.into();
        if steps.is_empty() { Self::default() } else { Self { steps } }
    }

    /// The different delays.
    pub(crate) fn steps(&self) -> &[Duration] {
        &self.steps
    }

    /// Between two attempts that do not count.
    pub(crate) fn pause(&self) -> Duration {
        PAUSE.min(self.steps[0])
    }

    /// How long to wait after so many failures; none gives the task up.
    pub(crate) fn after(&self, failures: u32) -> Option<Duration> {
        let step = usize::try_from(failures.saturating_sub(1)).unwrap_or(usize::MAX).min(self.steps.len() - 1);
        (failures < MOST_FAILURES).then(|| self.steps[step])
    }
}

impl FromStr for Retry {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let second =
            |part: &str| part.trim().parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let longer = |step: &Duration| *step >= Duration::from_millis(1);
        let steps: Option<Vec<_>> = text.split(',').map(|part| second(part).filter(longer)).collect();
        steps.map(Self::new).ok_or(ConfigError::Retry)
    }
}
