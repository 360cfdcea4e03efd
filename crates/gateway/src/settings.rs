//! What the gateway is told by its environment.
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `HTTP_ADDR` | public address | `127.0.0.1:8000` |
//! | `OPS_ADDR` | address for operators (`/metrics`); never make it public | `127.0.0.1:9000` |
//! | `PUBLIC_URL` | how clients reach us, for links; `https://` says that they speak TLS | the request's `Host` |
//! | `TRUSTED_PROXIES` | addresses and networks whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed | none |
//! | `HTTP_WORKERS` | threads that serve requests | one per processor |
//!
//! and those of the parts that it composes.

use anyhow::Context;
use web::{PublicUrl, TrustedProxies};

const DEFAULT_HTTP_ADDR: &str = "127.0.0.1:8000";

/// The gateway's settings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Public address.
    pub http_addr: String,
    /// Address for operators.
    pub ops_addr: String,
    /// How clients reach us, without a trailing slash.
    pub public_url: Option<String>,
    /// Proxies before us.
    pub trusted_proxies: TrustedProxies,
    /// Threads that serve requests; `None` for one per processor.
    pub workers: Option<usize>,
    /// PostgreSQL.
    pub database: db::Config,
    /// Who is let in without a token.
    pub accounts: accounts::Config,
    /// Redis, or none.
    pub cache: cache::Config,
    /// Placing orders.
    pub orders: orders::Config,
    /// Searching.
    pub search: search::Config,
}

impl Settings {
    /// Settings for `database`, everything else by default.
    pub fn new(database: db::Config) -> Self {
        Self {
            http_addr: DEFAULT_HTTP_ADDR.into(),
            ops_addr: "127.0.0.1:9000".into(),
            public_url: None,
            trusted_proxies: TrustedProxies::default(),
            workers: None,
            database,
            accounts: accounts::Config::default(),
            cache: cache::Config::local(),
            orders: orders::Config::default(),
            search: search::Config::default(),
        }
    }

    /// Reads the variables in the module's table.
    ///
    /// # Errors
    /// When a required one is missing, or one cannot be understood.
    pub fn from_env() -> anyhow::Result<Self> {
        let mut settings = Self::new(db::Config::from_env(db::Role::Gateway)?);
        settings.accounts = accounts::Config::from_env()?;
        settings.cache = cache::Config::from_env();
        settings.orders = orders::Config::from_env()?;
        settings.search = search::Config::from_env()?;
        settings.http_addr = http_addr();
        if let Some(address) = variable("OPS_ADDR") {
            settings.ops_addr = address;
        }
        if let Some(url) = variable("PUBLIC_URL") {
            settings.public_url = Some(url.parse::<PublicUrl>().context("PUBLIC_URL")?.0);
        }
        settings.trusted_proxies =
            variable("TRUSTED_PROXIES").unwrap_or_default().parse().context("TRUSTED_PROXIES")?;
        if let Some(workers) = variable("HTTP_WORKERS") {
            settings.workers = Some(workers.parse().context("HTTP_WORKERS must be a whole number")?);
        }
        Ok(settings)
    }
}

/// `HTTP_ADDR`, for those who only want to know where to ask.
pub fn http_addr() -> String {
    variable("HTTP_ADDR").unwrap_or_else(|| DEFAULT_HTTP_ADDR.into())
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
