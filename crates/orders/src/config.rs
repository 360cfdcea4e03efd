//! How orders are placed together.
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `ORDER_LANES` | batches under way at once, each on a connection of its own beside `DATABASE_POOL`; a store's orders all take the same lane | 2 |
//! | `ORDER_BATCH` | orders in one transaction at most | 128 |
//! | `ORDER_QUEUE` | orders that may wait in a lane; more are refused with 503 | 8192 |
//! | `ORDER_PATIENCE_MS` | longest wait in a lane; who is not begun by then is refused with 503, and nothing is tried again after it | 2000 |
//! | `WEBHOOK_URL` | the worker's; where it is set, events are recorded for it | none |

use std::time::Duration;

/// How orders are placed. None of the limits may be zero.
#[derive(Debug, Clone)]
pub struct Config {
    /// Batches under way at once.
    pub lanes: usize,
    /// Orders in one transaction at most.
    pub batch: usize,
    /// Orders that may wait in a lane.
    pub queue: usize,
    /// Longest wait in a lane.
    pub patience: Duration,
    /// Whether a webhook wants to hear of every decision. Where none does, its events are not recorded.
    pub announces: bool,
}

/// A variable that holds something else than a number above zero.
#[derive(Debug, thiserror::Error)]
#[error("{0} must be a whole number above zero")]
pub struct ConfigError(&'static str);

impl Default for Config {
    fn default() -> Self {
        Self { lanes: 2, batch: 128, queue: 8_192, patience: Duration::from_secs(2), announces: false }
    }
}

impl Config {
    /// Lines that an order of a full batch has on average at most: a batch of large orders is smaller.
    pub(crate) const WEIGHT_OF_A_JOB: usize = 16;

    /// Reads the variables in the module's table.
    ///
    /// # Errors
    /// When one is no number above zero.
    pub fn from_env() -> Result<Self, ConfigError> {
        let mut config = Self::default();
        for (name, limit) in
            [("ORDER_LANES", &mut config.lanes), ("ORDER_BATCH", &mut config.batch), ("ORDER_QUEUE", &mut config.queue)]
        {
            if let Some(number) = number(name)? {
                *limit = number;
            }
        }
        if let Some(millis) = number("ORDER_PATIENCE_MS")? {
            config.patience = Duration::from_millis(millis as u64);
        }
        config.announces = std::env::var("WEBHOOK_URL").is_ok_and(|url| !url.is_empty());
        Ok(config)
    }
}

fn number(name: &'static str) -> Result<Option<usize>, ConfigError> {
    match std::env::var(name) {
        Ok(text) if !text.is_empty() => match text.parse() {
            Ok(number) if number > 0 => Ok(Some(number)),
            _ => Err(ConfigError(name)),
        },
        _ => Ok(None),
    }
}
