//! Settings of the search.
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `SEARCH_INDEX_DIR` | folder that keeps the index from start to start; each process needs its own | none: in memory |
//! | `SUGGEST_RATE_LIMIT` | suggestions a minute that one client gets from one process | none: no limit |

use std::num::NonZeroU32;
use std::path::PathBuf;

/// Settings of the search.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// Folder that keeps the index from start to start.
    pub index_folder: Option<PathBuf>,
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
        let folder = std::env::var_os("SEARCH_INDEX_DIR").filter(|folder| !folder.is_empty());
        Ok(Self { index_folder: folder.map(PathBuf::from), suggest_rate_limit: limit })
    }
}
