//! The gateway under test: the release binary beside ours, as a process of its own.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tokio::process::{Child, Command};

use crate::http::{self, Connection};

/// Settings of a developer's own that would falsify a measurement.
const NOT_OURS: &[&str] = &["SUGGEST_RATE_LIMIT", "PUBLIC_URL", "TRUSTED_PROXIES", "API_AUTH", "HTTP_WORKERS"];

/// How long stopping may take before it counts as failed.
const STOPPING: Duration = Duration::from_secs(20);

/// A running gateway; killed with this value.
pub(crate) struct Gateway {
    process: Child,
    pid: u32,
    started: Instant,
    /// Where it serves.
    pub(crate) address: SocketAddr,
}

/// What of the gateway is in memory, in MiB.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    /// All of it.
    pub(crate) resident: f64,
    /// Its own, without the files that it has mapped.
    pub(crate) anonymous: f64,
    /// The most that it ever was.
    pub(crate) peak: f64,
}

impl Gateway {
    /// Starts it on free ports of the loopback, configured as in production and by `settings`.
    pub(crate) fn start(settings: &[(&str, &str)]) -> Result<Self> {
        Self::start_of(&beside_us("gateway")?, settings)
    }

    /// The same with another build of it.
    pub(crate) fn start_of(program: &Path, settings: &[(&str, &str)]) -> Result<Self> {
        let (address, ops) = (free_address()?, free_address()?);
        let log = File::options().create(true).append(true).open(folder()?.join("gateway.log"))?;
        let mut command = Command::new(program);
        for name in NOT_OURS {
            command.env_remove(name);
        }
        command.env("LOG_FORMAT", "json").envs(settings.iter().copied());
        command.env("HTTP_ADDR", address.to_string()).env("OPS_ADDR", ops.to_string());
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).kill_on_drop(true);
        let started = Instant::now();
        let process = command.spawn().context("the gateway does not start")?;
        let pid = process.id().context("the gateway ended at once")?;
        Ok(Self { process, pid, started, address })
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// Waits until `/readyz/` says yes; returns how long that took from the start.
    pub(crate) async fn until_ready(&mut self, limit: Duration) -> Result<Duration> {
        while self.started.elapsed() < limit {
            if let Some(status) = self.process.try_wait()? {
                bail!("the gateway ended by itself ({status}); see {}", folder()?.join("gateway.log").display());
            }
            if matches!(self.status_of("/readyz/").await, Ok(200)) {
                return Ok(self.started.elapsed());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        bail!("the gateway is not ready after {limit:?}; see {}", folder()?.join("gateway.log").display())
    }

    /// The status that a GET of `target` is answered with.
    pub(crate) async fn status_of(&self, target: &str) -> Result<u16> {
        let mut request = Vec::new();
        http::get(&mut request, target);
        Ok(Connection::open(self.address).await?.exchange(&request).await?.status)
    }

    /// What it has in memory now.
    pub(crate) fn memory(&self) -> Result<Memory> {
        let text = fs::read_to_string(format!("/proc/{}/status", self.pid))?;
        let field = |name: &str| {
            let (_, value) = text.lines().find_map(|line| line.split_once(':').filter(|(key, _)| *key == name))?;
            value.split_whitespace().next()?.parse::<f64>().ok().map(|kib| kib / 1024.0)
        };
        let field = |name| field(name).with_context(|| format!("/proc says nothing of {name}"));
        Ok(Memory { resident: field("VmRSS")?, anonymous: field("RssAnon")?, peak: field("VmHWM")? })
    }

    /// Ends it as an operator does, and waits for its end.
    pub(crate) async fn stop(mut self) -> Result<()> {
        let told = Command::new("kill").args(["-TERM", &self.pid.to_string()]).status().await?;
        ensure!(told.success(), "the gateway has ended before");
        let ended = tokio::time::timeout(STOPPING, self.process.wait()).await;
        let status = ended.context("the gateway does not end")??;
        ensure!(status.success(), "the gateway ended with {status}");
        Ok(())
    }
}

/// A program that was built with ours.
pub(crate) fn beside_us(name: &str) -> Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name(name);
    ensure!(path.exists(), "{} is missing: start this with `make bench`", path.display());
    Ok(path)
}

/// Where a run keeps its files: `bench` in the build's folder.
pub(crate) fn folder() -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    let target = program.parent().and_then(Path::parent).context("the program lies in no folder")?;
    let folder = target.join("bench");
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// An address that was free a moment ago.
fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
