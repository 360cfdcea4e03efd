//! The way to Redis, and the breaker on it.
//!
//! There is one connection, shared by all requests: a checkout from the pool costs a PING, so it is lent once and its
//! cheap clones are used. The breaker is that connection: while there is one, requests use it; the first that meets
//! silence or a closed socket takes it away, and requests go on without, at once. A task in the background gets the
//! next one, and hands it out after it has answered.

use std::time::{Duration, Instant};

use deadpool_redis::redis::aio::MultiplexedConnection;
use deadpool_redis::redis::{AsyncConnectionConfig, Cmd, ErrorKind, FromRedisValue, RedisError, cmd};
use deadpool_redis::{Connection, Manager, Pool, Runtime};
use secrecy::{ExposeSecret, SecretString};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, watch};
use tokio::task::AbortHandle;
use tokio::time::timeout;

use crate::cache::Error;

/// The longest that a command may take. A request sends two at most, so a Redis that hangs costs it 50 ms at most.
const COMMAND: Duration = Duration::from_millis(25);
/// The longest that opening a connection may take. No request waits for it.
const CONNECT: Duration = Duration::from_millis(250);
/// How long an answer to [`Link::answers`] stands for those who ask next.
const FRESH: Duration = Duration::from_secs(1);
/// Between two attempts to get a connection.
const PROBE: Duration = Duration::from_millis(500);

/// Why a command gave no value.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// There is no connection: the breaker is open.
    #[error("Redis is away")]
    Away,
    /// No answer in time, or the connection broke. The breaker is open from now on.
    #[error("Redis was lost: {0}")]
    Lost(String),
    /// Redis answered, with an error. The connection is sound.
    #[error("Redis refused: {0}")]
    Refused(RedisError),
    /// The value has no form in JSON.
    #[error("not to be written as JSON: {0}")]
    Unwritable(#[from] serde_json::Error),
}

/// The connection while there is one. The background task ends with this value.
pub(crate) struct Link {
    lent: watch::Sender<Option<Lent>>,
    keeper: AbortHandle,
    /// When Redis was last asked how it is, and whether it was well.
    asked: Mutex<Option<(Instant, bool)>>,
}

/// What requests use. Dropped, it goes back to the pool, which examines it before it lends it again.
struct Lent {
    connection: Connection,
    opened: Instant,
}

impl Link {
    /// Begins to look for a connection, on the current runtime, which will drive it.
    pub(crate) fn new(url: &SecretString) -> Result<Self, Error> {
        let pool = pool(url)?;
        let lent = watch::Sender::new(None);
        let keeper = Handle::current().spawn(keep(pool, lent.clone())).abort_handle();
        Ok(Self { lent, keeper, asked: Mutex::default() })
    }

    /// Whether the breaker is closed.
    pub(crate) fn is_up(&self) -> bool {
        self.lent.borrow().is_some()
    }

    /// Whether Redis answers now: asks it, unless it was asked within the last second, and opens the breaker where it
    /// does not. Without this an outage is noticed by the first request that needs Redis, which may be long after.
    pub(crate) async fn answers(&self) -> bool {
        let mut asked = self.asked.lock().await;
        let was_well = match *asked {
            Some((moment, was_well)) if moment.elapsed() < FRESH => was_well,
            _ => {
                let is_well = self.send::<()>(&cmd("PING")).await.is_ok();
                *asked = Some((Instant::now(), is_well));
                is_well
            }
        };
        was_well && self.is_up()
    }

    /// Sends a command, unless the breaker is open.
    pub(crate) async fn send<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, Failure> {
        let (mut connection, opened) = self.borrow().ok_or(Failure::Away)?;
        let why = match timeout(COMMAND, command.query_async(&mut connection)).await {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(error)) if is_reply(&error) => return Err(Failure::Refused(error)),
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {} ms", COMMAND.as_millis()),
        };
        self.lose(opened, &why);
        Err(Failure::Lost(why))
    }

    fn borrow(&self) -> Option<(MultiplexedConnection, Instant)> {
        self.lent.borrow().as_ref().map(|lent| (MultiplexedConnection::clone(&lent.connection), lent.opened))
    }

    /// Opens the breaker, unless somebody else did, or the connection is already a newer one.
    fn lose(&self, opened: Instant, why: &str) {
        let mut lost = None;
        self.lent.send_if_modified(|lent| {
            lost = lent.take_if(|lent| lent.opened == opened);
            lost.is_some()
        });
        if lost.is_some() {
            metrics::counter!("cache_outages_total").increment(1);
            tracing::warn!(why, "Redis is away; going on without it");
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

/// Whether the error is Redis's own answer, so that the connection can go on.
fn is_reply(error: &RedisError) -> bool {
    matches!(error.kind(), ErrorKind::Server(_) | ErrorKind::Extension | ErrorKind::UnexpectedReturnType)
}

fn pool(url: &SecretString) -> Result<Pool, Error> {
    let limits = AsyncConnectionConfig::new().set_connection_timeout(Some(CONNECT)).set_response_timeout(Some(CONNECT));
    let manager =
        Manager::new_with_config(url.expose_secret(), limits).map_err(|error| Error::Url(error.to_string()))?;
    Pool::builder(manager)
        .max_size(1)
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(CONNECT))
        .create_timeout(Some(CONNECT))
        .recycle_timeout(Some(COMMAND))
        .build()
        .map_err(|error| Error::Url(error.to_string()))
}

/// Sees to it that there is a connection: at once, and again whenever it was lost.
async fn keep(pool: Pool, lent: watch::Sender<Option<Lent>>) {
    let mut seen = lent.subscribe();
    let mut complained = false;
    loop {
        match find(&pool).await {
            Ok(connection) => {
                lent.send_replace(Some(Lent { connection, opened: Instant::now() }));
                metrics::gauge!("cache_up").set(1);
                tracing::info!("Redis answers");
                complained = true;
                if seen.wait_for(Option::is_none).await.is_err() {
                    return;
                }
                metrics::gauge!("cache_up").set(0);
            }
            Err(why) if !complained => {
                metrics::gauge!("cache_up").set(0);
                tracing::warn!(why, "Redis is away; starting without it");
                complained = true;
            }
            Err(why) => tracing::debug!(why, "Redis is still away"),
        }
        tokio::time::sleep(PROBE).await;
    }
}

/// A connection that has answered as fast as requests need it.
async fn find(pool: &Pool) -> Result<Connection, String> {
    let mut connection = pool.get().await.map_err(|error| error.to_string())?;
    match timeout(COMMAND, cmd("PING").query_async::<()>(&mut connection)).await {
        Ok(Ok(())) => Ok(connection),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {} ms", COMMAND.as_millis())),
    }
}
