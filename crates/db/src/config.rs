//! How to reach PostgreSQL.
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `DATABASE_URL` | `postgres://user:password@host:port/name`; TLS with `?sslmode=require` | required |
//! | `DATABASE_POOL` | connections at most, per process | 16 (gateway), 24 (worker), 6 (command line) |
//! | `DATABASE_STATEMENT_TIMEOUT_MS` | longest statement | 2000 (gateway), 10000 (worker), none (command line) |

use std::time::Duration;

use secrecy::SecretString;

/// Which process asks: each has limits of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Answers clients: fails fast, so that they hear of it.
    Gateway,
    /// Works in the background: may wait longer.
    Worker,
    /// An operator's command: may run for minutes.
    CommandLine,
}

/// Connection settings. Times are upper limits; zero means none.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the database is, with the password.
    pub url: SecretString,
    /// Connections at most.
    pub pool_size: usize,
    /// How long a request waits for a free connection.
    pub wait: Duration,
    /// How long opening a connection may take.
    pub connect: Duration,
    /// PostgreSQL's `statement_timeout`.
    pub statement: Duration,
    /// PostgreSQL's `lock_timeout`.
    pub lock: Duration,
    /// PostgreSQL's `idle_in_transaction_session_timeout`.
    pub idle_in_transaction: Duration,
    /// Whether plans must go by indexes wherever they can (`enable_seqscan = off`, and `jit = off`, since the planner
    /// then thinks highly of any cost). For gateways and workers, which only ever read by key: a plan that was cached while a
    /// table was small must not read the whole of it when it has grown.
    pub by_index: bool,
    /// Whether a statement is planned once per connection, whatever its arguments (`plan_cache_mode =
    /// force_generic_plan`). For statements that are run over and over and have only one sensible plan, as all of a
    /// worker's and those of a lane of orders: of those that take arrays PostgreSQL thinks that a short one is worth a
    /// plan of its own each time.
    pub planned_once: bool,
    /// What `pg_stat_activity` calls this process.
    pub application_name: &'static str,
}

/// What keeps a configuration from being read.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A variable that must be set is not.
    #[error("{0} is not set")]
    Missing(&'static str),
    /// A variable holds something else than a number.
    #[error("{0} must be a whole number")]
    NotANumber(&'static str),
}

impl Config {
    /// The limits that `role` works under, for the database at `url`.
    pub fn new(url: impl Into<String>, role: Role) -> Self {
        let (application_name, pool_size, wait, statement, lock, idle) = match role {
            Role::Gateway => ("stockroom-gateway", 16, 250, 2_000, 500, 5_000),
            Role::Worker => ("stockroom-worker", 24, 2_000, 10_000, 6_000, 10_000),
            Role::CommandLine => ("stockroom-manage", 6, 5_000, 0, 10_000, 0),
        };
        Self {
            url: SecretString::from(url.into()),
            pool_size,
            wait: Duration::from_millis(wait),
            connect: Duration::from_millis(800),
            statement: Duration::from_millis(statement),
            lock: Duration::from_millis(lock),
            idle_in_transaction: Duration::from_millis(idle),
            by_index: role != Role::CommandLine,
            planned_once: role == Role::Worker,
            application_name,
        }
    }

    /// Reads the variables in the module's table.
    ///
    /// # Errors
    /// When `DATABASE_URL` is missing, or a number is not one.
    pub fn from_env(role: Role) -> Result<Self, ConfigError> {
        let url = std::env::var("DATABASE_URL").map_err(|_| ConfigError::Missing("DATABASE_URL"))?;
        let mut config = Self::new(url, role);
        if let Some(size) = number("DATABASE_POOL")? {
            config.pool_size = usize::try_from(size).unwrap_or(usize::MAX).max(1);
        }
        if let Some(millis) = number("DATABASE_STATEMENT_TIMEOUT_MS")? {
            config.statement = Duration::from_millis(millis);
        }
        Ok(config)
    }
}

fn number(name: &'static str) -> Result<Option<u64>, ConfigError> {
    match std::env::var(name) {
        Ok(text) if !text.is_empty() => text.parse().map(Some).map_err(|_| ConfigError::NotANumber(name)),
        _ => Ok(None),
    }
}
