//! A process of ours, started again whenever it ends, as an orchestrator would.

use std::fs::OpenOptions;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

/// How long a dead process stays dead.
const PAUSE: Duration = Duration::from_millis(200);

/// How often to look whether it lives.
const GLANCE: Duration = Duration::from_millis(5);

/// The longest that it may take to be there, or to be gone.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest that it may take to be ready.
const READY: Duration = Duration::from_secs(30);

const SIGKILL: i32 = 9;

/// A process and how to start it.
pub(crate) struct Unit {
    pub(crate) name: String,
    /// Where it answers, as `host:port`.
    pub(crate) address: String,
    pid: Arc<AtomicU32>,
    /// How often it died of SIGKILL.
    killed: Arc<AtomicU32>,
    stop: CancellationToken,
    running: tokio::task::JoinHandle<()>,
}

impl Unit {
    /// Starts it, and again whenever it ends. Its output goes to `log`.
    pub(crate) fn start(
        name: String,
        address: String,
        program: PathBuf,
        environment: Vec<(String, String)>,
        log: PathBuf,
    ) -> Self {
        let [pid, killed] = [(); 2].map(|()| Arc::new(AtomicU32::new(0)));
        let stop = CancellationToken::new();
        let life = (pid.clone(), killed.clone());
        let running = tokio::spawn(keep(program, environment, log, life, stop.clone()));
        Self { name, address, pid, killed, stop, running }
    }

    /// Sends it a signal, once it is there.
    pub(crate) async fn signal(&self, signal: &str) -> Result<()> {
        send(self.alive().await?, signal).await
    }

    /// Kills it, once it is there, and sees it dead.
    pub(crate) async fn kill(&self) -> Result<()> {
        let before = self.killed.load(Ordering::Relaxed);
        send(self.alive().await?, "KILL").await?;
        let dead = async {
            while self.killed.load(Ordering::Relaxed) == before {
                tokio::time::sleep(GLANCE).await;
            }
        };
        tokio::time::timeout(PATIENCE, dead).await.with_context(|| format!("{} did not die of it", self.name))
    }

    async fn alive(&self) -> Result<u32> {
        let alive = async {
            loop {
                match self.pid.load(Ordering::Relaxed) {
                    0 => tokio::time::sleep(GLANCE).await,
                    pid => return pid,
                }
            }
        };
        tokio::time::timeout(PATIENCE, alive).await.with_context(|| format!("{} is not there", self.name))
    }

    /// Waits until it says that it is ready.
    pub(crate) async fn ready(&self) -> Result<()> {
        let url = format!("http://{}/readyz", self.address);
        let ready = async {
            while !reqwest::get(&url).await.is_ok_and(|answer| answer.status().is_success()) {
                tokio::time::sleep(GLANCE).await;
            }
        };
        tokio::time::timeout(READY, ready).await.with_context(|| format!("{} is not ready", self.name))
    }

    /// Kills it for good.
    pub(crate) async fn stop(self) -> Result<()> {
        self.stop.cancel();
        self.running.await.context("the keeper of a process")
    }
}

async fn keep(
    program: PathBuf,
    environment: Vec<(String, String)>,
    log: PathBuf,
    (pid, killed): (Arc<AtomicU32>, Arc<AtomicU32>),
    stop: CancellationToken,
) {
    while !stop.is_cancelled() {
        let Ok(file) = OpenOptions::new().create(true).append(true).open(&log) else { return };
        let Ok(errors) = file.try_clone() else { return };
        let mut command = Command::new(&program);
        command.envs(environment.iter().cloned()).stdin(Stdio::null()).stdout(file).stderr(errors).kill_on_drop(true);
        let Ok(mut child) = command.spawn() else { return };
        pid.store(child.id().unwrap_or(0), Ordering::Relaxed);
        tokio::select! {
            ended = child.wait() => {
                pid.store(0, Ordering::Relaxed);
                if ended.is_ok_and(|status| status.signal() == Some(SIGKILL)) {
                    killed.fetch_add(1, Ordering::Relaxed);
                }
            }
            () = stop.cancelled() => {
                _ = child.kill().await;
            }
        }
        pid.store(0, Ordering::Relaxed);
        tokio::time::sleep(PAUSE).await;
    }
}

/// Sends `signal` to the process `pid`.
pub(crate) async fn send(pid: u32, signal: &str) -> Result<()> {
    let sent = Command::new("kill").args([&format!("-{signal}"), &pid.to_string()]).stderr(Stdio::null()).status();
    // One that died meanwhile is no failure of ours.
    _ = sent.await?;
    Ok(())
}

/// Runs a program to its end; what it wrote to its standard output.
pub(crate) async fn run(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().await?;
    let [said, errors] = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    ensure!(output.status.success(), "{:?} failed:\n{said}{errors}", command.as_std().get_program());
    Ok(said)
}
