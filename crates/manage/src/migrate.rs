//! `manage migrate`: brings the schema up to date.

use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Args;
use db::{Config, Database};
use tokio::time::{Instant, sleep};

/// Between two attempts to reach the database.
const PAUSE: Duration = Duration::from_millis(500);

/// How to migrate.
#[derive(Debug, Args)]
pub(crate) struct Migrate {
    /// For so many seconds a database that cannot be reached is asked again, as where everything starts at once
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    wait: u64,
}

/// Runs what is missing and prints the names.
pub(crate) async fn run(config: &Config, options: &Migrate) -> Result<()> {
    let database = Database::new(config)?;
    reach(&database, Duration::from_secs(options.wait)).await?;
    let done = db::migrate(&database).await?;
    if done.is_empty() {
        say!("The schema is up to date.");
    }
    for name in done {
        say!("Migrated: {name}");
    }
    Ok(())
}

/// Comes back when the database gives a connection. Only this is tried again: a step that fails would fail again.
async fn reach(database: &Database, patience: Duration) -> Result<()> {
    let begun = Instant::now();
    let mut has_said = false;
    while let Err(error) = database.connection().await {
        if begun.elapsed() >= patience {
            return Err(error.into());
        }
        if !has_said {
            eprintln!("manage: {error}; asking again for {} s", patience.as_secs());
            has_said = true;
        }
        sleep(PAUSE).await;
    }
    Ok(())
}

/// Fails when the schema is older than this program.
pub(crate) async fn check(config: &Config) -> Result<()> {
    let pending = db::pending_migrations(&Database::new(config)?).await?;
    ensure!(pending == 0, "the database lacks {pending} migrations: run `manage migrate` first");
    Ok(())
}
