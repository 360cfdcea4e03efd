//! What a run is told.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::FalseyValueParser;
use clap::{Parser, ValueEnum};

/// Measures the gateway under load. Exit status 1 when a bar is not held.
#[derive(Debug, Parser)]
#[command(name = "bench", version)]
pub(crate) struct Options {
    /// What to measure; everything when nothing is named
    #[arg(value_enum)]
    suites: Vec<Suite>,
    /// Seconds that each figure is measured for, in each round
    #[arg(long, env = "BENCH_SECONDS", default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// Rounds, in which the sides that are compared take turns
    #[arg(long, env = "BENCH_ROUNDS", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=100))]
    pub(crate) rounds: u64,
    /// Share of the million products that are searched
    #[arg(long, env = "BENCH_SCALE", default_value_t = 1.0)]
    scale: f64,
    /// CSV with the columns title, category and description, whose words the products' titles are made of
    #[arg(long, env = "BENCH_CATALOGUE")]
    pub(crate) catalogue: Option<PathBuf>,
    /// Only figures whose name contains this, such as "hot" or "suggest"; bars that need others are left out
    #[arg(long, env = "BENCH_ONLY")]
    only: Option<String>,
    /// Seconds that the worker's memory is watched for
    #[arg(long, env = "BENCH_STEADY_SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(10..))]
    steady_seconds: u64,
    /// Keep the database of the search for the next run
    #[arg(long, env = "BENCH_KEEP", value_parser = FalseyValueParser::new())]
    pub(crate) keep: bool,
    /// Another build of the gateway, asked the same as this one in turns, instead of PostgreSQL alone
    #[arg(long, env = "BENCH_AGAINST")]
    pub(crate) against: Option<PathBuf>,
}

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Suite {
    /// Placing orders
    Orders,
    /// Searching and suggesting
    Search,
    /// Confirming orders
    Tasks,
    /// Pages of lists of a million rows
    Lists,
    /// Signing in, alone and as a flood
    SignIns,
    /// What gateway and worker keep in memory
    Memory,
    /// Importing files, and a made-up million
    Imports,
}

/// How long a figure is measured in one round.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// Not counted: connections, caches and plans get warm.
    pub(crate) warm_up: Duration,
    /// Counted.
    pub(crate) measured: Duration,
}

impl Options {
    /// The suites to run.
    pub(crate) fn suites(&self) -> &[Suite] {
        if self.suites.is_empty() { Suite::value_variants() } else { &self.suites }
    }

    /// Whether some figures are not asked for.
    pub(crate) fn is_partial(&self) -> bool {
        self.only.is_some()
    }

    /// Whether the figure of this name is asked for.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|only| name.contains(only.as_str()))
    }

    /// How long each figure is measured.
    pub(crate) fn pace(&self) -> Pace {
        Pace { warm_up: Duration::from_secs(1), measured: Duration::from_secs(self.seconds) }
    }

    /// How long the worker's memory is watched.
    pub(crate) fn steady(&self) -> Duration {
        Duration::from_secs(self.steady_seconds)
    }

    /// Products to search, at least 10,000.
    pub(crate) fn products(&self) -> usize {
        ((1_000_000.0 * self.scale) as usize).max(10_000)
    }

    /// How the figures were made, for the report.
    pub(crate) fn method(&self) -> String {
        let Pace { warm_up, measured } = self.pace();
        format!(
            "Each figure: {} rounds of {} s after {} s of warm-up, sides taking turns; closed loop, connections kept open.",
            self.rounds,
            measured.as_secs(),
            warm_up.as_secs()
        )
    }
}
