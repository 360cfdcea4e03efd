//! The command line, as an operator runs it.

use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tokio::process::Command;

use crate::database::BenchDatabase;
use crate::gateway::beside_us;

/// Runs `manage` on `database`, which must succeed; how long it took.
pub(crate) async fn manage(database: &BenchDatabase, arguments: &[&str]) -> Result<Duration> {
    let mut command = Command::new(beside_us("manage")?);
    command.args(arguments).env("DATABASE_URL", database.url()).env_remove("DATABASE_POOL");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    let begun = Instant::now();
    let ended = command.output().await?;
    let said = String::from_utf8_lossy(&ended.stderr);
    ensure!(ended.status.success(), "manage {} ended with {}: {said}", arguments.join(" "), ended.status);
    Ok(begun.elapsed())
}
