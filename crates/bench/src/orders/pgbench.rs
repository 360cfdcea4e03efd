//! The other side: pgbench writes the same rows, one order a transaction, without HTTP and without our code.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

use super::Basket;
use super::seed::{PRODUCTS, STORES};
use crate::gateway::folder;
use crate::machine;
use crate::options::Pace;
use crate::tally::{Tally, Verdict};

/// How an order is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Script {
    /// Statement by statement.
    Naive,
    /// The same for an order with an Idempotency-Key: it is looked for, and kept with the answer.
    NaiveWithKey,
    /// In one statement.
    Single,
}

/// Begins with a key that is not known yet.
const FIND_KEY: &str = r"\set key random(1, 1000000000000000)
BEGIN;
SELECT count(*) AS keys_known FROM idempotency_keys
WHERE store_id = 1 AND client = '' AND key = 'pgbench-' || :key::text \gset";

/// Ends with the key's answer, about as long as ours.
const KEEP_KEY: &str = "
INSERT INTO idempotency_keys (store_id, client, key, request_hash, order_id, answer)
VALUES (1, '', 'pgbench-' || :key::text, sha256(:key::text::bytea), :order_id, rpad('{\"id\":' || :order_id::text, 300));
COMMIT;";

impl Script {
    fn text(self, basket: Basket) -> String {
        let text = match (self, basket) {
            (Self::Naive | Self::NaiveWithKey, Basket::Three) => include_str!("pgbench/naive_three.sql"),
            (Self::Naive | Self::NaiveWithKey, Basket::Hot) => include_str!("pgbench/naive_hot.sql"),
            (Self::Single, Basket::Three) => include_str!("pgbench/single_three.sql"),
            (Self::Single, Basket::Hot) => include_str!("pgbench/single_hot.sql"),
        };
        match self {
            Self::NaiveWithKey => text.replace("BEGIN;", FIND_KEY).replace("COMMIT;", KEEP_KEY),
            Self::Naive | Self::Single => text.to_owned(),
        }
    }
}

/// The program, of the newest PostgreSQL that is installed.
pub(crate) fn find() -> Result<PathBuf> {
    let installed = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<(f64, PathBuf)> = installed
        .filter_map(|version| Some((version.file_name().to_str()?.parse().ok()?, version.path().join("bin/pgbench"))))
        .collect();
    versions.sort_by(|left, right| right.0.total_cmp(&left.0));
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&on_path).map(|folder| folder.join("pgbench")).collect::<Vec<_>>();
    let found = versions.into_iter().map(|(_, program)| program).chain(on_path).find(|program| program.is_file());
    found.context(
        "pgbench is missing: it comes with the package postgresql of Debian, and with postgresql-contrib elsewhere",
    )
}

/// Loads the database at `url` with `clients` sessions.
pub(crate) async fn run(
    program: &Path,
    url: &str,
    pace: Pace,
    clients: usize,
    (script, basket): (Script, Basket),
) -> Result<Tally> {
    let folder = folder()?.join("pgbench");
    _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder)?;
    let file = folder.join("script.sql");
    fs::write(&file, script.text(basket))?;
    let ran = Command::new(program)
        .args(["--no-vacuum", "--protocol=prepared", "--log"])
        .arg(format!("--log-prefix={}", folder.join("log").display()))
        .arg(format!("--client={clients}"))
        .arg(format!("--jobs={}", clients.min(machine::cores())))
        .arg(format!("--time={}", (pace.warm_up + pace.measured).as_secs()))
        .arg(format!("--define=stores={STORES}"))
        .arg(format!("--define=third={}", PRODUCTS / 3))
        .arg(format!("--file={}", file.display()))
        .arg(url)
        // As the gateway's own sessions: plans go by indexes, whatever the planner guesses.
        .env("PGOPTIONS", "-c enable_seqscan=off -c jit=off")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await?;
    // One line a session, all alike.
    let said = String::from_utf8_lossy(&ran.stderr);
    ensure!(
        ran.status.success(),
        "pgbench failed: {}",
        said.lines().find(|line| line.contains("error")).unwrap_or(&said)
    );
    let mut log = String::new();
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        if path != file {
            log += &fs::read_to_string(path)?;
        }
    }
    fs::remove_dir_all(&folder)?;
    tally(&log, pace)
}

/// A line of pgbench's log: when the transaction ended, and how long it took, in microseconds.
fn read(line: &str) -> Option<(u64, u64)> {
    let fields: Vec<&str> = line.split(' ').collect();
    let [_client, _number, took, _script, seconds, micros, ..] = fields[..] else { return None };
    Some((seconds.parse::<u64>().ok()? * 1_000_000 + micros.parse::<u64>().ok()?, took.parse().ok()?))
}

/// Counts in the same way as on our side: by the moment at which a transaction began.
fn tally(log: &str, pace: Pace) -> Result<Tally> {
    let mut tally = Tally::new()?;
    let transactions: Vec<(u64, u64)> = log.lines().filter_map(read).collect();
    let begun = |&(ended, took): &(u64, u64)| ended.saturating_sub(took);
    let first = transactions.iter().map(begun).min().context("pgbench made no transaction")?;
    let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    let window = first + micros(pace.warm_up)..first + micros(pace.warm_up + pace.measured);
    for transaction in &transactions {
        let latency = window.contains(&begun(transaction)).then(|| Duration::from_micros(transaction.1));
        tally.count(Verdict::Good, latency);
    }
    tally.lasted(pace.measured);
    Ok(tally)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_counted_without_the_warm_up() {
        let pace = Pace { warm_up: Duration::from_secs(1), measured: Duration::from_secs(2) };
        let log = "0 1 500 0 1000 500\n1 1 700 0 1001 900000\n0 2 900 0 1002 100000\n0 3 900 0 1003 100000\n";
        let tally = tally(log, pace).unwrap();
        assert_eq!(tally.answered, 4, "all of them were written");
        assert!((tally.rate() - 1.0).abs() < 1e-9, "two in two seconds: {}", tally.rate());
        assert!((tally.quantile(1.0) - 0.9).abs() < 0.01);
    }
}
