//! Placing orders over HTTP, beside pgbench writing the same rows one order a transaction.

mod ledger;
mod pgbench;
mod requests;
pub(crate) mod seed;
mod triggers;
mod verdict;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;

use self::pgbench::Script;
use crate::cpu::{Shares, Watch};
use crate::database::BenchDatabase;
use crate::gateway::Gateway;
use crate::load;
use crate::machine;
use crate::options::{Options, Pace};
use crate::report::Report;
use crate::tally::Tally;

pub(crate) use self::requests::{judge, source};

/// What is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Basket {
    /// Three lines, over all products of all stores.
    Three,
    /// One line, always the same product.
    Hot,
}

/// Who places orders, and how many at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    /// Clients of the gateway, with an Idempotency-Key or without.
    Gateway { with_keys: bool },
    /// Sessions of pgbench.
    Pgbench(Script),
}

/// One figure: who orders what, with how many connections.
struct Cell {
    side: Side,
    basket: Basket,
    connections: usize,
    tally: Tally,
    cpu: Shares,
}

/// Connections to the gateway.
const CONNECTIONS: [usize; 4] = [1, 16, 64, 256];

/// Sessions of pgbench: beyond 64 it gets slower, not faster.
const SESSIONS: [usize; 2] = [16, 64];

/// How often in a round the sides of a lone order take turns, a second each. How long one takes changes from second to
/// second with the machine, so sides are compared that were measured close together.
const LONE_TURNS: usize = 4;

/// What the sides share while they take turns.
struct Ground {
    database: BenchDatabase,
    postmaster: Option<u32>,
    gateway: Gateway,
    pgbench: PathBuf,
    pace: Pace,
    /// Streams of random numbers that have been used.
    streams: u64,
}

/// Measures everything, in rounds; proves the ledger; judges.
pub(crate) async fn run(options: &Options) -> Result<Report> {
    let pgbench = pgbench::find()?;
    let database = BenchDatabase::create("bench_orders").await?;
    let sql = database.sql().await?;
    let machine = machine::describe(&sql).await?;
    eprintln!("{machine}");
    seed::fill(&sql).await?;
    let mut gateway = Gateway::start(&[("DATABASE_URL", database.url()), ("REDIS_PREFIX", "bench_orders:")])?;
    gateway.until_ready(Duration::from_secs(30)).await?;
    let postmaster = database.postmaster().await?;
    let mut ground = Ground { database, postmaster, gateway, pgbench, pace: options.pace(), streams: 0 };

    let mut cells = cells()?;
    cells.retain(|cell| options.wants(&cell.name()));
    for round in 1..=options.rounds {
        for sides in cells.chunk_by_mut(|cell, next| cell.is_lone() == next.is_lone()) {
            let (turns, pace) = match sides.iter().all(Cell::is_lone) {
                true => (LONE_TURNS, Pace { measured: Duration::from_secs(1), ..options.pace() }),
                false => (1, options.pace()),
            };
            ground.pace = pace;
            for _ in 0..turns {
                for cell in &mut *sides {
                    let (tally, cpu) = ground.measure(cell).await?;
                    eprintln!("round {round}, {}: {}, {cpu}", cell.name(), tally.in_short());
                    cell.tally.add(&tally)?;
                    cell.cpu.add(&cpu);
                }
            }
        }
        ground.pace = options.pace();
    }
    let triggers = triggers::measure(&mut ground, &sql, options).await?;
    let acknowledged = cells.iter().map(|cell| cell.tally.answered).sum::<u64>() + triggers.acknowledged;
    let proof = ledger::prove(&sql, acknowledged).await?;
    ground.gateway.stop().await?;

    let mut report = verdict::judge(&cells);
    triggers.judge(&mut report);
    let lone = format!("Lone orders: {LONE_TURNS} turns of 1 s in each round instead.");
    report.notes.extend([machine, options.method(), lone, proof]);
    Ok(report)
}

/// Every figure, so ordered that those which are compared are measured one after the other.
fn cells() -> Result<Vec<Cell>> {
    let mut cells = Vec::new();
    for basket in [Basket::Three, Basket::Hot] {
        let mut add = |side, connections| -> Result<()> {
            cells.push(Cell { side, basket, connections, tally: Tally::new()?, cpu: Shares::default() });
            Ok(())
        };
        add(Side::Pgbench(Script::Naive), 1)?;
        add(Side::Pgbench(Script::NaiveWithKey), 1)?;
        for connections in CONNECTIONS {
            add(Side::Gateway { with_keys: false }, connections)?;
            add(Side::Gateway { with_keys: true }, connections)?;
            if SESSIONS.contains(&connections) {
                add(Side::Pgbench(Script::Single), connections)?;
                add(Side::Pgbench(Script::Naive), connections)?;
            }
        }
    }
    Ok(cells)
}

impl Ground {
    async fn measure(&mut self, cell: &Cell) -> Result<(Tally, Shares)> {
        let watch = Watch::begin(self.gateway.pid(), self.postmaster).await;
        let tally = match cell.side {
            Side::Gateway { with_keys } => {
                let streams = self.streams..self.streams + cell.connections as u64;
                self.streams = streams.end;
                let sources = streams.map(|stream| requests::source(cell.basket, with_keys, stream)).collect();
                load::run(self.gateway.address, self.pace, sources, requests::judge).await?
            }
            Side::Pgbench(script) => {
                let what = (script, cell.basket);
                pgbench::run(&self.pgbench, self.database.url(), self.pace, cell.connections, what).await?
            }
        };
        Ok((tally, watch.end()))
    }
}

impl Cell {
    fn is_lone(&self) -> bool {
        self.connections == 1
    }

    fn name(&self) -> String {
        let side = match self.side {
            Side::Gateway { with_keys: false } => "gateway",
            Side::Gateway { with_keys: true } => "gateway, with keys",
            Side::Pgbench(Script::Naive) => "pgbench, statement by statement",
            Side::Pgbench(Script::NaiveWithKey) => "pgbench, statement by statement, with keys",
            Side::Pgbench(Script::Single) => "pgbench, single statement",
        };
        format!("{} {}, {side}", self.connections, self.basket.name())
    }
}

impl Basket {
    /// In words.
    fn name(self) -> &'static str {
        match self {
            Self::Three => "× three lines",
            Self::Hot => "× hot product",
        }
    }
}
