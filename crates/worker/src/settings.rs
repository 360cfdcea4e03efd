//! What the worker is told by its environment.
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `WORKER_OPS_ADDR` | address for operators (`/healthz`, `/readyz`, `/metrics`); never make it public | `127.0.0.1:9001` |
//!
//! and those of the parts that it is made of: [`db::Config`], [`jobs::Config`], [`web::log_to_stdout_without`], and the modules
//! `mail` and `webhook`.

/// The worker's settings.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Address for operators.
    pub(crate) ops_addr: String,
    /// PostgreSQL.
    pub(crate) database: db::Config,
    /// The broker and the queues.
    pub(crate) jobs: jobs::Config,
}

impl Settings {
    /// Reads the variables in the module's table.
    ///
    /// # Errors
    /// When a required one is missing, or one cannot be understood.
    pub(crate) fn from_env() -> anyhow::Result<Self> {
        Ok(Self {
            ops_addr: ops_addr(),
            database: db::Config::from_env(db::Role::Worker)?,
            jobs: jobs::Config::from_env()?,
        })
    }
}

/// `WORKER_OPS_ADDR`, or what it is by default.
pub(crate) fn ops_addr() -> String {
    let set = std::env::var("WORKER_OPS_ADDR").ok().filter(|address| !address.is_empty());
    set.unwrap_or_else(|| "127.0.0.1:9001".into())
}
