//! The worker under test: the release binary beside ours, as a process of its own.

use std::fs::{self, File};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::process::{Child, Command};

use crate::gateway::{beside_us, folder};

/// Settings of a developer's own that would falsify a measurement.
const NOT_OURS: &[&str] = &["AMQP_URL", "SMTP_URL", "WEBHOOK_URL", "DATABASE_POOL", "JOBS_RETRY_SECONDS", "RUST_LOG"];

/// Of the queues: those that a run leaves behind are the next one's.
const PREFIX: &str = "bench";

/// How long stopping may take before it counts as failed.
const STOPPING: Duration = Duration::from_secs(20);

/// A running worker; killed with this value.
pub(crate) struct Worker {
    process: Child,
    pid: u32,
}

impl Worker {
    /// Starts it, with a broker or without.
    pub(crate) fn start(database: &str, amqp: Option<&str>) -> Result<Self> {
        let log = File::create(folder()?.join("worker.log"))?;
        let mut command = Command::new(beside_us("worker")?);
        for name in NOT_OURS {
            command.env_remove(name);
        }
        command.env("DATABASE_URL", database).env("WORKER_OPS_ADDR", "127.0.0.1:0").env("LOG_FORMAT", "json");
        if let Some(url) = amqp {
            command.env("AMQP_URL", url).env("AMQP_PREFIX", PREFIX);
        }
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).kill_on_drop(true);
        let process = command.spawn().context("the worker does not start")?;
        let pid = process.id().context("the worker ended at once")?;
        Ok(Self { process, pid })
    }

    /// What it has in memory now, in MiB.
    pub(crate) fn resident(&self) -> Result<f64> {
        let text = fs::read_to_string(format!("/proc/{}/status", self.pid)).context("the worker has ended")?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("/proc says nothing of VmRSS")?;
        let kib: f64 = line.split_whitespace().next().unwrap_or_default().parse()?;
        Ok(kib / 1024.0)
    }

    /// Ends it as an operator does, and waits for its end.
    pub(crate) async fn stop(mut self) -> Result<()> {
        let told = Command::new("kill").args(["-TERM", &self.pid.to_string()]).status().await?;
        ensure!(told.success(), "the worker has ended before; see {}", folder()?.join("worker.log").display());
        let ended = tokio::time::timeout(STOPPING, self.process.wait()).await;
        let status = ended.context("the worker does not end")??;
        ensure!(status.success(), "the worker ended with {status}");
        Ok(())
    }
}
