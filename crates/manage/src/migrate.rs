//! `manage migrate`: brings the schema up to date.

use anyhow::{Result, ensure};
use db::{Config, Database};

/// Runs what is missing and prints the names.
pub(crate) async fn run(config: &Config) -> Result<()> {
    let done = db::migrate(&Database::new(config)?).await?;
    if done.is_empty() {
        println!("The schema is up to date.");
    }
    for name in done {
        println!("Migrated: {name}");
    }
    Ok(())
}

/// Fails when the schema is older than this program.
pub(crate) async fn check(config: &Config) -> Result<()> {
    let pending = db::pending_migrations(&Database::new(config)?).await?;
    ensure!(pending == 0, "the database lacks {pending} migrations: run `manage migrate` first");
    Ok(())
}
