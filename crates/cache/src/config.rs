//! Where values are kept.
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `REDIS_URL` | `redis://user:password@host:port/database`, or `rediss://…` for TLS | none: values are kept in the process |
//! | `REDIS_PREFIX` | written before every key, so that installations can share a server | empty |

use secrecy::SecretString;

/// Settings of the cache.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// The Redis that processes share, with its password.
    pub url: Option<SecretString>,
    /// Written before every key.
    pub prefix: String,
}

impl Config {
    /// Reads the variables in the module's table. Empty ones count as absent.
    pub fn from_env() -> Self {
        let read = |name| std::env::var(name).ok().filter(|text| !text.is_empty());
        Self { url: read("REDIS_URL").map(SecretString::from), prefix: read("REDIS_PREFIX").unwrap_or_default() }
    }

    /// Values in the Redis at `url`, under keys that begin with `prefix`.
    pub fn redis(url: impl Into<String>, prefix: impl Into<String>) -> Self {
        Self { url: Some(SecretString::from(url.into())), prefix: prefix.into() }
    }

    /// Values in this process alone.
    pub fn local() -> Self {
        Self::default()
    }
}
