//! Our processes, and the ways by which they reach the servers.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use tokio::process::Command;

use crate::link::Link;
use crate::schedule::Way;
use crate::servers::Servers;
use crate::unit::{Unit, run};

/// What it takes to start a process.
pub(crate) struct Stage {
    /// Where gateway, worker and manage lie.
    pub(crate) binaries: PathBuf,
    /// Where they log.
    pub(crate) folder: PathBuf,
    pub(crate) links: Links,
}

/// A proxy on each way.
pub(crate) struct Links {
    gateway_postgres: Link,
    worker_postgres: Link,
    worker_rabbitmq: Link,
    worker_mail: Link,
    gateway_redis: Link,
}

impl Links {
    /// Proxies before the servers, and before the mail server that listens on `mail`.
    pub(crate) async fn lay(servers: &Servers, mail: u16) -> Result<Self> {
        Ok(Self {
            gateway_postgres: Link::to("gateways to postgres", servers.port("DATABASE_URL")?).await?,
            worker_postgres: Link::to("workers to postgres", servers.port("DATABASE_URL")?).await?,
            worker_rabbitmq: Link::to("workers to rabbitmq", servers.port("AMQP_URL")?).await?,
            worker_mail: Link::to("workers to mail", mail).await?,
            gateway_redis: Link::to("gateways to redis", servers.port("REDIS_URL")?).await?,
        })
    }

    pub(crate) fn of(&self, way: Way) -> &Link {
        match way {
            Way::GatewayToPostgres => &self.gateway_postgres,
            Way::WorkerToPostgres => &self.worker_postgres,
            Way::WorkerToRabbitMq => &self.worker_rabbitmq,
            Way::WorkerToMail => &self.worker_mail,
            Way::GatewayToRedis => &self.gateway_redis,
        }
    }
}

impl Stage {
    /// Starts a gateway.
    pub(crate) fn gateway(&self, servers: &Servers, number: usize) -> Result<Unit> {
        let address = format!("127.0.0.1:{}", free_port()?);
        let settings = [
            ("DATABASE_URL", servers.url_through("DATABASE_URL", self.links.gateway_postgres.port())?),
            ("REDIS_URL", servers.url_through("REDIS_URL", self.links.gateway_redis.port())?),
            ("HTTP_ADDR", address.clone()),
            ("OPS_ADDR", "127.0.0.1:0".into()),
        ];
        self.start("gateway", number, &settings, address)
    }

    /// Starts a worker.
    pub(crate) fn worker(&self, servers: &Servers, number: usize) -> Result<Unit> {
        let address = format!("127.0.0.1:{}", free_port()?);
        let settings = [
            ("DATABASE_URL", servers.url_through("DATABASE_URL", self.links.worker_postgres.port())?),
            ("AMQP_URL", servers.url_through("AMQP_URL", self.links.worker_rabbitmq.port())?),
            ("WORKER_OPS_ADDR", address.clone()),
            ("SMTP_URL", format!("smtp://127.0.0.1:{}", self.links.worker_mail.port())),
            ("MAIL_FROM", "Stockroom <orders@stockroom.example>".into()),
            // What fails for a moment shall come again within the time that the backlog has.
            ("JOBS_RETRY_SECONDS", "0.2,0.5,1,2,4".into()),
        ];
        self.start("worker", number, &settings, address)
    }

    fn start(&self, program: &str, number: usize, settings: &[(&str, String)], address: String) -> Result<Unit> {
        let log = [("LOG_FORMAT", "json".to_owned()), ("RUST_LOG", "info,actix_server=warn,lapin=off".to_owned())];
        let pairs = log.iter().chain(settings);
        let environment = pairs.map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let name = format!("{program}-{number}");
        let log = self.folder.join(format!("{name}.log"));
        Ok(Unit::start(name, address, self.binary(program)?, environment, log))
    }

    /// Runs `manage` to its end; what it said.
    pub(crate) async fn manage(&self, servers: &Servers, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(self.binary("manage")?);
        command.args(arguments).env("DATABASE_URL", servers.url("DATABASE_URL")?);
        run(command.env("SUPERUSER_PASSWORD", "correct horse battery")).await
    }

    fn binary(&self, name: &str) -> Result<PathBuf> {
        self.binaries.join(name).canonicalize().with_context(|| format!("no {name} built"))
    }

    /// What all workers have logged so far, those that are gone as well.
    pub(crate) fn workers_logs(&self) -> Result<Vec<String>> {
        let mut logs = Vec::new();
        for entry in std::fs::read_dir(&self.folder)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name.starts_with("worker-") && name.ends_with(".log") {
                logs.push(std::fs::read_to_string(self.folder.join(name))?);
            }
        }
        Ok(logs)
    }
}

/// A port that nobody listens on. Below those that the kernel gives to outgoing connections, so that it stays free
/// while its process is dead.
fn free_port() -> Result<u16> {
    for _ in 0..100 {
        let port = rand::random_range(20_000..32_000);
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no free port")
}
