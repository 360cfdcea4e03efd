//! Settings of the search.
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `SUGGEST_RATE_LIMIT` | suggestions a minute that one client gets from one process | none: no limit |

use std::num::NonZeroU32;

/// Settings of the search.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// Suggestions a minute that one client gets from one process.
    pub suggest_rate_limit: Option<NonZeroU32>,
}

/// What keeps a configuration from being read.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A variable holds something else than a positive number.
    #[error("{0} must be a whole number above 0")]
    NotANumber(&'static str),
}

impl Config {
    /// Reads the variables in the module's table. Empty ones count as absent.
    ///
    /// # Errors
    /// When the limit is no positive number.
    pub fn from_env() -> Result<Self, ConfigError> {
        const NAME: &str = "SUGGEST_RATE_LIMIT";
        let text = std::env::var(NAME).ok().filter(|text| !text.is_empty());
        let limit = text.map(|text| text.parse().map_err(|_| ConfigError::NotANumber(NAME))).transpose()?;
        Ok(Self { suggest_rate_limit: limit })
    }
}
