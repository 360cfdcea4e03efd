#![doc = include_str!("../README.md")]

mod cpu;
mod database;
mod gateway;
mod http;
mod imports;
mod lists;
mod load;
mod machine;
mod manage;
mod memory;
mod options;
mod orders;
mod report;
mod search;
mod sign_ins;
mod tally;
mod tasks;

use std::process::ExitCode;

use anyhow::{Result, anyhow};
use clap::Parser;

use crate::options::{Options, Suite};

/// One thread: what the load costs is taken from what is measured.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let options = Options::parse();
    // Dropping what runs ends the gateway and drops the database.
    let outcome = tokio::select! {
        outcome = run(&options) => outcome,
        _ = tokio::signal::ctrl_c() => Err(anyhow!("interrupted")),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Runs what is asked for; whether every bar is held.
async fn run(options: &Options) -> Result<bool> {
    let mut is_held = true;
    for suite in options.suites() {
        let mut report = match suite {
            Suite::Orders => orders::run(options).await?,
            Suite::Search => search::run(options).await?,
            Suite::Tasks => tasks::run(options).await?,
            Suite::Lists => lists::run(options).await?,
            Suite::SignIns => sign_ins::run(options).await?,
            Suite::Memory => memory::run().await?,
            Suite::Imports => imports::run().await?,
        };
        if options.is_partial() {
            report.leave_out_unmeasured();
        }
        println!("{}", report.markdown());
        is_held &= report.is_held();
    }
    Ok(is_held)
}
