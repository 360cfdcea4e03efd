//! A process of ours, started again whenever it ends, as an orchestrator would.

use std::fs::OpenOptions;
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

/// A process and how to start it.
pub(crate) struct Unit {
    pub(crate) name: String,
    pub(crate) log: PathBuf,
    pid: Arc<AtomicU32>,
    stop: CancellationToken,
    running: tokio::task::JoinHandle<()>,
}

impl Unit {
    /// Starts it, and again whenever it ends. Its output goes to `log`.
    pub(crate) fn start(name: String, program: PathBuf, environment: Vec<(String, String)>, log: PathBuf) -> Self {
        let (pid, stop) = (Arc::new(AtomicU32::new(0)), CancellationToken::new());
        let running = tokio::spawn(keep(program, environment, log.clone(), pid.clone(), stop.clone()));
        Self { name, log, pid, stop, running }
    }

    /// Sends it a signal, if it is there at the moment.
    pub(crate) async fn signal(&self, signal: &str) -> Result<()> {
        match self.pid.load(Ordering::Relaxed) {
            0 => Ok(()),
            pid => send(pid, signal).await,
        }
    }

    /// Ends it for good.
    pub(crate) async fn stop(self) -> Result<()> {
        self.stop.cancel();
        self.running.await.context("the keeper of a process")
    }
}

async fn keep(
    program: PathBuf,
    environment: Vec<(String, String)>,
    log: PathBuf,
    pid: Arc<AtomicU32>,
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
            _ = child.wait() => {}
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
