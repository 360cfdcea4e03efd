//! Errors that are swallowed on purpose, by name.

use std::fmt::Display;
use std::sync::atomic::{AtomicBool, Ordering};

/// One thing that may fail without failing the request. A row of failures is logged once, all are counted.
pub(crate) struct Tolerance {
    what: &'static str,
    failing: AtomicBool,
}

impl Tolerance {
    pub(crate) const fn of(what: &'static str) -> Self {
        Self { what, failing: AtomicBool::new(false) }
    }

    /// The value, or nothing when there was an error.
    pub(crate) fn tolerate<T, E: Display>(&self, result: Result<T, E>) -> Option<T> {
        match result {
            Ok(value) => {
                if self.failing.swap(false, Ordering::Relaxed) {
                    tracing::info!(what = self.what, "works again");
                }
                Some(value)
            }
            Err(error) => {
                metrics::counter!("cache_failures_total", "what" => self.what).increment(1);
                if !self.failing.swap(true, Ordering::Relaxed) {
                    tracing::warn!(what = self.what, %error, "failed; going on without it");
                }
                None
            }
        }
    }
}
