//! What a cached value is called, is, and lives for.

use std::borrow::Cow;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A family of cached values. The key of one of them is the installation's prefix, [`Key::PREFIX`], and its name.
pub trait Key {
    /// Begins every key of the family, such as `autocomplete:`.
    const PREFIX: &'static str;
    /// How long a value is kept.
    const TIME_TO_LIVE: Duration;
    /// Whether each process keeps values, too, and asks Redis only for those that it does not have: for what is asked
    /// for more often than a round trip allows.
    const IN_PROCESS: bool = false;
    /// What is kept, as JSON.
    type Value: Serialize + DeserializeOwned + Send + Sync + 'static;

    /// What tells this value from the others of the family.
    fn name(&self) -> Cow<'_, str>;
}

/// Where a value came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// From the cache.
    Hit,
    /// It was loaded, and is in the cache now.
    Miss,
    /// It was loaded, as the cache could not be asked.
    Bypass,
}

impl Outcome {
    /// `hit`, `miss` or `bypass`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
            Self::Bypass => "bypass",
        }
    }
}
