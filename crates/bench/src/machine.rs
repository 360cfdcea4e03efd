//! Where the figures come from.

use anyhow::{Result, ensure};
use tokio_postgres::Client;

/// Settings that decide what a commit costs, and how much PostgreSQL may keep in memory.
const SETTINGS: &[&str] = &[
    "fsync",
    "synchronous_commit",
    "full_page_writes",
    "wal_sync_method",
    "shared_buffers",
    "max_wal_size",
    "max_connections",
];

/// The machine and its PostgreSQL, in two sentences.
///
/// # Errors
/// When PostgreSQL does not make commits durable: figures of such a server are worth nothing.
pub(crate) async fn describe(sql: &Client) -> Result<String> {
    let mut settings = Vec::new();
    for name in SETTINGS {
        let value: String = sql.query_one(&format!("SHOW {name}"), &[]).await?.get(0);
        let is_vital = matches!(*name, "fsync" | "synchronous_commit");
        ensure!(!is_vital || value == "on", "{name} is {value}: no commit is durable, and no figure would count");
        settings.push(format!("{name} = {value}"));
    }
    let version: String = sql.query_one("SHOW server_version", &[]).await?.get(0);
    Ok(format!(
        "{}, {} cores shared by gateway, load and PostgreSQL, {} GiB. PostgreSQL {version}: {}.",
        first("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown processor".into()),
        cores(),
        first("/proc/meminfo", "MemTotal").map_or_else(|| "?".into(), |kib| gib(&kib)),
        settings.join(", "),
    ))
}

/// Processors that we may use.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The value of the first line of `file` that reads `name : value`.
fn first(file: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    let (_, value) = text.lines().find_map(|line| line.split_once(':').filter(|(key, _)| key.trim() == name))?;
    Some(value.trim().to_owned())
}

fn gib(kib: &str) -> String {
    let kib: u64 = kib.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or_default();
    ((kib + (1 << 19)) >> 20).to_string()
}
