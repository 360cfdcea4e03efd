#![doc = include_str!("../README.md")]

mod client;
mod link;
mod oracle;
mod outage;
mod rig;
mod schedule;
mod servers;
mod shop;
mod stage;
mod trial;
mod unit;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::Parser;

use crate::client::CONNECTIONS;
use crate::outage::Outage;
use crate::rig::Rig;
use crate::trial::Trial;

/// Kills the store's processes under load, and asks an oracle what was lost.
#[derive(Debug, Clone, Parser)]
pub(crate) struct Options {
    /// Chooses orders and faults
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many orders to place
    #[arg(long, default_value_t = 2_000)]
    orders: usize,
    /// How many processes to kill
    #[arg(long, default_value_t = 12)]
    kills: usize,
    /// Wipe RabbitMQ's disk half-way
    #[arg(long)]
    wipe: bool,
    /// No kills: RabbitMQ is away for a while instead, or in an alarm
    #[arg(long, value_enum)]
    outage: Option<Outage>,
    /// One thing that has to be stood, at its full size, instead of a bit of all
    #[arg(long, value_enum, conflicts_with = "outage")]
    trial: Option<Trial>,
    /// How often it is tried
    #[arg(long)]
    tries: Option<usize>,
    /// How long the outage lasts
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// The shortest time between two orders of one of the 32 connections, in milliseconds
    #[arg(long, default_value_t = 250)]
    pace: u64,
    /// Where gateway, worker and manage lie
    #[arg(long, default_value = "target/debug")]
    binaries: PathBuf,
    /// The checkout, for scripts/services
    #[arg(long, default_value = ".")]
    root: PathBuf,
    /// Where servers, logs and history lie; deleted after a run without violations
    #[arg(long)]
    folder: Option<PathBuf>,
}

impl Options {
    /// How many orders there will be, more or less.
    fn wanted(&self) -> usize {
        match (self.outage, self.trial) {
            // As many under the outage as before it.
            (Some(_), _) => 2 * CONNECTIONS * (self.seconds * 1_000 / self.pace.max(1)) as usize,
            (None, Some(trial)) => trial.orders(self.tries),
            (None, None) => self.orders,
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    match run(&options).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("chaos: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Whether the store stood the test.
async fn run(options: &Options) -> Result<bool> {
    let began = std::time::Instant::now();
    let mut rig = Rig::start(options).await?;
    let what = match (options.outage, options.trial) {
        (Some(outage), _) => format!("{outage:?} for {} s", options.seconds),
        (None, Some(trial)) => format!("{trial:?}"),
        (None, None) => format!("{} orders, {} kills", options.orders, options.kills),
    };
    println!("seed {}: {what}, in {}", options.seed, rig.folder.display());
    let result = tokio::select! {
        result = rig.test(options) => result,
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted")),
    };
    rig.stop().await?;
    let folder = rig.folder.clone();
    drop(rig);
    let violations = result?;
    for violation in violations.iter().take(20) {
        println!("VIOLATION {violation}");
    }
    let took = Duration::from_secs(began.elapsed().as_secs());
    println!("seed {}: {} violations, {took:?}", options.seed, violations.len());
    if violations.is_empty() {
        // What cannot be deleted is left to whoever clears the folder for temporary files.
        _ = std::fs::remove_dir_all(&folder);
    }
    Ok(violations.is_empty())
}
