//! Searching and suggesting over HTTP, beside the same questions put to PostgreSQL alone.

mod fill;
mod questions;
mod sql;
mod titles;
mod verdict;
mod words;

use std::cell::Cell;
use std::fs;
use std::time::{Duration, Instant};

use anyhow::Result;

use self::questions::Question;
use self::titles::Described;
use self::words::Words;
use crate::cpu::{Shares, Watch};
use crate::database::BenchDatabase;
use crate::gateway::{Gateway, Memory, folder};
use crate::load;
use crate::machine;
use crate::options::Options;
use crate::report::Report;
use crate::tally::Tally;

/// Connections in the closed loop.
const CONNECTIONS: usize = 4;

/// Longest that a gateway may take until it is ready before the run fails.
const PATIENCE: Duration = Duration::from_secs(180);

/// A question, and how it was answered.
struct Asked {
    question: Question,
    tally: Tally,
    cpu: Shares,
}

/// What was seen of the gateway's starts and memory.
struct Life {
    /// From the start until ready, without an index.
    built: Duration,
    /// From a restart until ready.
    restarted: Duration,
    when_ready: Memory,
    after_load: Memory,
}

/// Measures everything; judges.
pub(crate) async fn run(options: &Options) -> Result<Report> {
    let (titles, source) = titles::read(options).await?;
    let mut database = catalogue(options, &titles).await?;
    let machine = machine::describe(&database.sql().await?).await?;
    eprintln!("{machine}");
    let postmaster = database.postmaster().await?;
    let words = Words::draw(&titles);

    let index = folder()?.join("index");
    _ = fs::remove_dir_all(&index);
    let index = index.display().to_string();
    // A prefix of its own, so that no suggestion is cached that an earlier run asked for.
    let prefix = format!("bench_search_{}:", std::process::id());
    let settings =
        [("DATABASE_URL", database.url()), ("REDIS_PREFIX", prefix.as_str()), ("SEARCH_INDEX_DIR", index.as_str())];
    let (gateway, built, when_ready) = start(&settings).await?;
    let asked = ask(&gateway, postmaster, &words, options).await?;
    let after_load = gateway.memory()?;
    gateway.stop().await?;
    let (gateway, restarted, _) = start(&settings).await?;
    gateway.stop().await?;
    let life = Life { built, restarted, when_ready, after_load };

    sql::prepare(&database).await?;
    let sql = sql::measure(&database, postmaster, &words, options, CONNECTIONS).await?;
    if options.keep {
        database.keep();
    }
    let mut report = verdict::judge(options.products(), &life, &asked, &sql);
    report.notes.splice(0..0, [machine, options.method(), source]);
    Ok(report)
}

/// The database, loaded: the one that an earlier run kept, or a new one.
async fn catalogue(options: &Options, titles: &[Described]) -> Result<BenchDatabase> {
    let products = options.products();
    let name = format!("bench_search_{products}_{}", db::MIGRATIONS_FINGERPRINT);
    if let Some(kept) = BenchDatabase::find(&name).await? {
        return Ok(kept);
    }
    let begun = Instant::now();
    let database = BenchDatabase::create(&name).await?;
    fill::fill(&database, titles, products).await?;
    database.finish().await?;
    eprintln!("{products} products loaded in {:.0} s", begun.elapsed().as_secs_f64());
    Ok(database)
}

/// Starts a gateway and has it answer a first search: how long both took, and what it holds in memory then.
async fn start(settings: &[(&str, &str)]) -> Result<(Gateway, Duration, Memory)> {
    let begun = Instant::now();
    let mut gateway = Gateway::start(settings)?;
    let ready = gateway.until_ready(PATIENCE).await?;
    // Ready means that searches are answered; one that is not belongs to getting ready.
    while gateway.status_of("/api/search/products/?q=organic").await? != 200 && begun.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let memory = gateway.memory()?;
    eprintln!(
        "ready after {:.1} s, first search answered after {:.1} s, {:.0} MiB",
        ready.as_secs_f64(),
        begun.elapsed().as_secs_f64(),
        memory.resident
    );
    Ok((gateway, begun.elapsed(), memory))
}

/// Asks every question, in rounds.
async fn ask(gateway: &Gateway, postmaster: Option<u32>, words: &Words, options: &Options) -> Result<Vec<Asked>> {
    let asked = questions::all().into_iter().filter(|question| options.wants(question.name));
    let asked = asked.map(|question| Ok(Asked { question, tally: Tally::new()?, cpu: Shares::default() }));
    let mut asked: Vec<Asked> = asked.collect::<Result<_>>()?;
    let fresh = Cell::new(0);
    for round in 1..=options.rounds {
        for Asked { question, tally, cpu } in &mut asked {
            let sources = (0..CONNECTIONS as u64).map(|number| question.source(words, &fresh, round << 8 | number));
            let watch = Watch::begin(gateway.pid(), postmaster).await;
            let measured = load::run(gateway.address, options.pace(), sources.collect(), question.judge).await?;
            let taken = watch.end();
            eprintln!("round {round}, {}: {}, {taken}", question.name, measured.in_short());
            tally.add(&measured)?;
            cpu.add(&taken);
        }
    }
    Ok(asked)
}
