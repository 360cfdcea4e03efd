//! The time of day, injected so that tests can hold it still.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};

/// Where the present moment comes from. Cheap to clone; clones share their source.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    System,
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands at `moment` until it is [advanced](Clock::advance).
    pub fn fixed(moment: DateTime<Utc>) -> Self {
        Self(Source::Fixed(Arc::new(AtomicI64::new(moment.timestamp_micros()))))
    }

    /// The present moment, in whole microseconds, which is what PostgreSQL keeps.
    pub fn now(&self) -> DateTime<Utc> {
        match &self.0 {
            Source::System => from_micros(system_micros()),
            Source::Fixed(micros) => from_micros(micros.load(Ordering::Relaxed)),
        }
    }

    /// Moves a fixed clock forward (or back, by a negative span). A system clock goes its own way.
    pub fn advance(&self, by: TimeDelta) {
        if let Source::Fixed(micros) = &self.0 {
            micros.fetch_add(by.num_microseconds().unwrap_or(0), Ordering::Relaxed);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
fn system_micros() -> i64 {
    Utc::now().timestamp_micros()
}

fn from_micros(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or_default()
}
