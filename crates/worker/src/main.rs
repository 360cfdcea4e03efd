//! The worker process: settings in, relay and consumer up, drained on SIGTERM.
//!
//! `worker` runs; `worker healthcheck` asks a running one how it is, and exits with 0 or 1, for images without curl;
//! `worker --version`.

mod letter;
mod mail;
mod ops;
mod settings;
mod tasks;
mod webhook;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use db::{Clock, Database};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use orders::reactions::Notices;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::settings::Settings;

/// The longest that stopping may take: containers are killed after 30 s, ours after 20.
const STOPPING: Duration = Duration::from_secs(18);

/// The exit status of a worker that found itself deaf: an internal fault, as sysexits.h has it.
const STUCK: u8 = 70;

fn main() -> anyhow::Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => run(),
        ["healthcheck"] => {
            let address = settings::ops_addr();
            let is_alive = web::healthcheck(&address, "/healthz");
            let is_alive = is_alive.with_context(|| format!("the worker at {address} does not answer"))?;
            Ok(if is_alive { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        ["--version" | "-V"] => {
            println!("worker {}", env!("CARGO_PKG_VERSION"));
            Ok(ExitCode::SUCCESS)
        }
        _ => {
            eprintln!("usage: worker [healthcheck | --version]");
            Ok(ExitCode::from(2))
        }
    }
}

fn run() -> anyhow::Result<ExitCode> {
    let settings = Settings::from_env()?;
    web::log_to_stdout_without(&["lapin"]);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(work(settings));
    // Whatever still resolves a name or hangs in a handshake is left behind.
    runtime.shutdown_timeout(Duration::from_millis(500));
    outcome
}

async fn work(settings: Settings) -> anyhow::Result<ExitCode> {
    let mut signals = Signals::listen()?;
    let metrics = PrometheusBuilder::new().install_recorder()?;
    let database = Database::new(&settings.database)?;
    let clock = Clock::system();
    // A quarter of the connections is left to the others.
    let mailer = mail::Mailer::from_env((settings.database.pool_size * 3 / 4).max(1))?;
    let webhook = webhook::Webhook::from_env(&clock)?;
    let notices = Notices::open(&database, &clock);
    let means = tasks::Means { database: database.clone(), clock, notices, mailer, webhook };
    let worker = jobs::Worker::start(&settings.jobs, &database, tasks::registry(&means));
    let draining = web::Draining::default();
    tokio::spawn(keep_up(metrics.clone()));
    tokio::spawn(forget_old_keys(database.clone()));
    let ops = ops::Ops { health: worker.health(), database, metrics, draining: draining.clone() };
    let address = ops::serve(&settings.ops_addr, ops)?;
    tracing::info!(ops = %address, broker = ?settings.jobs.broker, prefix = settings.jobs.prefix, "working");

    tokio::select! {
        () = signals.next() => {}
        name = worker.stuck() => {
            tracing::error!(name, "a loop has work and does nothing; ending, to be started again");
            return Ok(ExitCode::from(STUCK));
        }
    }
    draining.begin();
    tracing::info!("draining");
    tokio::select! {
        stopped = tokio::time::timeout(STOPPING, worker.stop()) => {
            if stopped.is_err() {
                tracing::warn!("stopping took too long; what is left will be delivered again");
            }
        }
        () = signals.next() => anyhow::bail!("stopped at once, by a second signal"),
    }
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// Has the recorder fold its samples into summaries, or they would pile up where nobody asks for them.
async fn keep_up(metrics: PrometheusHandle) {
    let mut ticks = tokio::time::interval(Duration::from_secs(5));
    loop {
        ticks.tick().await;
        metrics.run_upkeep();
    }
}

/// Every ten minutes, forgets the answers to idempotency keys that are too old to count: some thousand at a time, so
/// that no transaction is long.
async fn forget_old_keys(database: Database) {
    const AT_ONCE: i64 = 5_000;
    let mut ticks = tokio::time::interval(Duration::from_secs(600));
    loop {
        ticks.tick().await;
        loop {
            match orders::forget_old_keys(&database, &Clock::system(), AT_ONCE).await {
                Ok(forgotten) if forgotten < AT_ONCE as usize => break,
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!("old idempotency keys are left for later: {error}");
                    break;
                }
            }
        }
    }
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
