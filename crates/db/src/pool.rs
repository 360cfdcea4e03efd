//! The pool, and transactions on it.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use deadpool::Runtime;
use diesel::ConnectionError;
use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures_util::{FutureExt, join};
use secrecy::ExposeSecret;
use tokio::runtime::Handle;
use tokio_postgres::NoTls;
use tracing::Instrument;

use crate::error::with_source;
use crate::tls::Tls;
use crate::{Config, Error, Tx};

/// A connection lent by the pool, for reading. Writes go through [`Database::transaction`].
pub type Connection = Object<AsyncPgConnection>;

/// A handle on PostgreSQL. Cheap to clone; clones share one pool.
#[derive(Clone)]
pub struct Database {
    pool: Pool<AsyncPgConnection>,
    runtime: Handle,
    config: Arc<Config>,
}

impl Database {
    /// Sets up the pool. Opens no connection yet, so it succeeds while the server is away.
    ///
    /// Must be called on the runtime that shall drive the connections: the web server's workers have
    /// single-threaded runtimes, and a connection driven by one of those would stall with it.
    ///
    /// # Errors
    /// When the URL cannot be parsed, or asks for TLS and there is no root certificate.
    pub fn new(config: &Config) -> Result<Self, Error> {
        let runtime = Handle::current();
        let postgres = postgres_config(config)?;
        let tls = Tls::of(&postgres)?;
        let mut manager = ManagerConfig::default();
        manager.recycling_method = RecyclingMethod::Fast;
        let driver = runtime.clone();
        manager.custom_setup = Box::new(move |_| {
            let opened = driver.spawn(open(postgres.clone(), tls.clone()));
            async move { opened.await.unwrap_or_else(|error| Err(bad_connection(error))) }.boxed()
        });
        let pool = Pool::builder(AsyncDieselConnectionManager::new_with_config("", manager))
            .max_size(config.pool_size)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(config.wait))
            .create_timeout(Some(config.connect))
            .recycle_timeout(Some(Duration::from_millis(250)))
            .build()
            .map_err(|error| Error::Unavailable(error.to_string()))?;
        Ok(Self { pool, runtime, config: Arc::new(config.clone()) })
    }

    /// A handle on the same server with a pool of its own: for those who must not wait behind others, nor keep them
    /// waiting.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn apart(&self, pool_size: usize) -> Result<Self, Error> {
        Self::new(&Config { pool_size, ..Config::clone(&self.config) })
    }

    /// The same, whose statements are [planned once](Config::planned_once).
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn apart_planned_once(&self, pool_size: usize) -> Result<Self, Error> {
        Self::new(&Config { pool_size, planned_once: true, ..Config::clone(&self.config) })
    }

    /// Borrows a connection for reading.
    ///
    /// # Errors
    /// [`Error::Away`] when none comes free or can be opened in time.
    pub async fn connection(&self) -> Result<Connection, Error> {
        Ok(self.pool.get().await?)
    }

    /// Runs `work` in one transaction (READ COMMITTED): committed when it returns `Ok`, else rolled back.
    ///
    /// It runs in a task of its own and ends even if the caller is dropped meanwhile, so a client that hangs up
    /// leaves neither half a decision nor a lock.
    ///
    /// # Errors
    /// Those of `work`, and [`Error`] of the connection and the commit.
    pub async fn transaction<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> Pin<Box<dyn Future<Output = Result<T, E>> + Send + 't>>,
        F: Send + 'static,
    {
        let conn = self.connection().await?;
        let running = async move {
            let mut tx = Tx::on(conn);
            tx.begin().await?;
            match work(&mut tx).await {
                Ok(value) => {
                    tx.commit().await?;
                    Ok(value)
                }
                Err(error) => {
                    tx.roll_back().await;
                    Err(error)
                }
            }
        };
        // In the caller's span, so that what is logged inside is still about its request.
        let task = self.runtime.spawn(running.in_current_span());
        match task.await {
            Ok(result) => result,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(Error::Unavailable("the process is stopping".into()).into()),
            },
        }
    }

    /// Begins a transaction (READ COMMITTED) and sends its `first` statements along with the BEGIN, in one round trip.
    ///
    /// For tasks that live on when those who wait for them go away: whoever drops the [`Tx`] before its end loses the
    /// connection with it. Handlers use [`transaction`](Self::transaction).
    ///
    /// # Errors
    /// Those of `first`, and [`Error`] of the connection.
    pub async fn begin<T, E, F>(&self, first: F) -> Result<(Tx, T), E>
    where
        E: From<Error>,
        F: for<'t> FnOnce(&'t Tx) -> Pin<Box<dyn Future<Output = Result<T, E>> + Send + 't>>,
    {
        let tx = Tx::on(self.connection().await?);
        // The BEGIN is polled first, hence sent first.
        let (begun, first) = join!(tx.begin(), first(&tx));
        match begun.map_err(E::from).and(first) {
            Ok(value) => Ok((tx, value)),
            Err(error) => {
                tx.roll_back().await;
                Err(error)
            }
        }
    }

    /// Asks the server for a sign of life.
    ///
    /// # Errors
    /// [`Error::Away`] when it gives none within half a second.
    pub async fn ping(&self) -> Result<(), Error> {
        let ask = async {
            let mut conn = self.connection().await?;
            diesel::select(diesel::dsl::sql::<diesel::sql_types::Integer>("1")).get_result::<i32>(&mut conn).await?;
            Ok(())
        };
        match tokio::time::timeout(Duration::from_millis(500), ask).await {
            Ok(answer) => answer,
            Err(_) => Err(Error::Away("no answer within half a second".into())),
        }
    }
}

pub(crate) fn postgres_config(config: &Config) -> Result<tokio_postgres::Config, Error> {
    let mut postgres: tokio_postgres::Config = config
        .url
        .expose_secret()
        .parse()
        .map_err(|error: tokio_postgres::Error| Error::Unavailable(format!("DATABASE_URL: {error}")))?;
    let limits = [
        ("statement_timeout", config.statement),
        ("lock_timeout", config.lock),
        ("idle_in_transaction_session_timeout", config.idle_in_transaction),
        ("client_connection_check_interval", Duration::from_secs(1)),
    ]
    .map(|(name, limit)| format!("-c {name}={}", limit.as_millis()))
    .join(" ");
    let planner = if config.by_index { "-c enable_seqscan=off -c jit=off" } else { "" };
    let once = if config.planned_once { "-c plan_cache_mode=force_generic_plan" } else { "" };
    let options = [postgres.get_options().unwrap_or_default(), &limits, planner, once].join(" ");
    postgres
        .options(options.trim())
        .application_name(config.application_name)
        .connect_timeout(config.connect)
        .tcp_user_timeout(Duration::from_secs(5))
        .keepalives_idle(Duration::from_secs(10))
        .keepalives_interval(Duration::from_secs(3))
        .keepalives_retries(3);
    Ok(postgres)
}

async fn open(postgres: tokio_postgres::Config, tls: Option<Tls>) -> Result<AsyncPgConnection, ConnectionError> {
    match tls {
        None => {
            let (client, connection) =
                postgres.connect(NoTls).await.map_err(|error| bad_connection(with_source(&error)))?;
            AsyncPgConnection::try_from_client_and_connection(client, connection).await
        }
        Some(tls) => {
            let (client, connection) =
                postgres.connect(tls).await.map_err(|error| bad_connection(with_source(&error)))?;
            AsyncPgConnection::try_from_client_and_connection(client, connection).await
        }
    }
}

fn bad_connection(error: impl std::fmt::Display) -> ConnectionError {
    ConnectionError::BadConnection(error.to_string())
}
