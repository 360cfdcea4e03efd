//! Where the broker is, and what our part of it is called.
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `AMQP_URL` | `amqp://user:password@host:port/vhost` (or `amqps`); without it tasks come straight from the outbox | none |
//! | `AMQP_PREFIX` | what the names of the queues begin with | `stockroom` |
//! | `JOBS_RETRY_SECONDS` | how long a task that failed waits: after the first failure, the second and so on | `1,5,25,125,625` |
//! | `JOBS_POLL_MS` | how often to look into the outbox when nobody says that there is something | `1000` |

use std::fmt;
use std::time::Duration;

use lapin::uri::AMQPUri;

use crate::retry::Retry;

/// Settings of relay and consumer.
#[derive(Debug, Clone)]
pub struct Config {
    /// The broker; none means that tasks come straight from the outbox.
    pub broker: Option<Broker>,
    /// What the names of the queues begin with.
    pub prefix: String,
    /// When a task that failed is tried again.
    pub retry: Retry,
    /// How often to look into the outbox when nothing wakes us.
    pub poll: Duration,
    /// How long an event may be overdue while the queue of tasks is empty, until it counts as lost by the broker.
    pub late: Duration,
    /// How long a loop may do nothing although there is work, until it counts as deaf.
    pub patience: Duration,
    /// Without a broker: how long an event stays with a worker that gives no sign of life.
    pub lease: Duration,
}

/// How to reach RabbitMQ. Its `Debug` hides the password.
#[derive(Clone)]
pub struct Broker(AMQPUri);

/// What keeps the configuration from being read.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// `AMQP_URL` is something else. Not repeated here, as it may hold a password.
    #[error("AMQP_URL is not a URL such as amqp://user:password@host:5672/vhost")]
    Url,
    /// `JOBS_POLL_MS` is something else.
    #[error("JOBS_POLL_MS must be a whole number above zero")]
    Poll,
    /// `JOBS_RETRY_SECONDS` is something else.
    #[error("JOBS_RETRY_SECONDS is not a list of seconds such as 1,5,25,125,625")]
    Retry,
}

impl Config {
    /// With the broker at `url`, if any, and queues named after `prefix`.
    ///
    /// # Errors
    /// When `url` is not one of AMQP.
    pub fn new(url: Option<&str>, prefix: impl Into<String>) -> Result<Self, ConfigError> {
        let broker = url.map(Broker::new).transpose()?;
        Ok(Self {
            broker,
            prefix: prefix.into(),
            retry: Retry::default(),
            poll: Duration::from_secs(1),
            late: Duration::from_secs(10),
            patience: Duration::from_secs(60),
            lease: Duration::from_secs(10),
        })
    }

    /// Reads the variables in the module's table. An empty one counts as not set.
    ///
    /// # Errors
    /// When `AMQP_URL` is not one of AMQP, `JOBS_RETRY_SECONDS` is no list of seconds, or `JOBS_POLL_MS` no number
    /// above zero.
    pub fn from_env() -> Result<Self, ConfigError> {
        let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let config = Self::new(set("AMQP_URL").as_deref(), set("AMQP_PREFIX").unwrap_or_else(|| "stockroom".into()))?;
        let retry = match set("JOBS_RETRY_SECONDS") {
            Some(seconds) => seconds.parse()?,
            None => config.retry,
        };
        let poll = match set("JOBS_POLL_MS").map(|millis| millis.parse()) {
            Some(Ok(millis @ 1..)) => Duration::from_millis(millis),
            Some(_) => return Err(ConfigError::Poll),
            None => config.poll,
        };
        Ok(Self { retry, poll, ..config })
    }
}

impl Broker {
    fn new(url: &str) -> Result<Self, ConfigError> {
        let mut uri: AMQPUri = url.parse().map_err(|_| ConfigError::Url)?;
        // The server drops a connection after two silent intervals, and with it frees what a hung worker holds.
        uri.query.heartbeat.get_or_insert(5);
        // lapin keeps buffers of 32 frames for each direction; our messages are small.
        uri.query.frame_max.get_or_insert(16 * 1024);
        Ok(Self(uri))
    }

    pub(crate) fn uri(&self) -> &AMQPUri {
        &self.0
    }
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let authority = &self.0.authority;
        write!(f, "{}://{}:{}/{}", self.0.scheme, authority.host, authority.port, self.0.vhost)
    }
}
