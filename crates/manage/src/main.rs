#![doc = include_str!("../README.md")]

#[macro_use]
mod show;
mod ask;
mod import;
mod jobs;
mod ledger;
mod migrate;
mod openapi;
mod progress;
mod search;
mod seed;
mod staff;
mod token;

use std::io::IsTerminal;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use db::{Config, Database, Role};
use tracing_subscriber::EnvFilter;

/// Stockroom's command line for operators. The database is the one that DATABASE_URL names.
#[derive(Debug, Parser)]
#[command(name = "manage", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Bring the database's schema up to date
    Migrate(migrate::Migrate),
    /// Add made-up products, stores and stock
    Seed(seed::Seed),
    /// Bring the rows of a CSV file into the database
    Import(import::Import),
    /// Look after the search indexes
    #[command(subcommand)]
    Search(search::Command),
    /// See to background tasks: how much waits, what was given up
    #[command(subcommand)]
    Jobs(jobs::Jobs),
    /// Prove that all stock adds up, or list what moved it
    Ledger(ledger::Ledger),
    /// Make an owner: somebody who may do everything
    Createsuperuser(staff::CreateSuperuser),
    /// Accounts of those who run the stores
    #[command(subcommand)]
    Staff(staff::Staff),
    /// Keys to the API for programs
    #[command(subcommand)]
    Token(token::Token),
    /// Print, write or check the API's description
    Openapi(openapi::OpenApi),
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,lapin=off")))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    match run(cli.command).await {
        Ok(status) => status,
        Err(error) => {
            eprintln!("manage: {}", show::causes(&error));
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Migrate(options) => migrate::run(&database()?, &options).await?,
        Command::Seed(seed) => seed::run(&migrated().await?, &seed).await?,
        Command::Jobs(command) => jobs::run(&Database::new(&migrated().await?)?, &command).await?,
        Command::Createsuperuser(options) => staff::create_superuser(&migrated().await?, options).await?,
        Command::Staff(command) => staff::run(&migrated().await?, command).await?,
        Command::Token(command) => token::run(&migrated().await?, command).await?,
        Command::Openapi(options) => return openapi::run(&options),
        Command::Search(command) => search::run(&migrated().await?, command).await?,
        Command::Ledger(ledger) => return ledger::run(&migrated().await?, &ledger).await,
        Command::Import(import) => return import::run(&migrated().await?, &import).await,
    }
    Ok(ExitCode::SUCCESS)
}

fn database() -> Result<Config> {
    Ok(Config::from_env(Role::CommandLine)?)
}

/// The database's configuration, once its schema is known to fit this program.
async fn migrated() -> Result<Config> {
    let config = database()?;
    migrate::check(&config).await?;
    Ok(config)
}
