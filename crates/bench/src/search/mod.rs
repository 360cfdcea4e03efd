//! Searching and suggesting over HTTP, beside the same questions put to PostgreSQL alone.

mod against;
mod changes;
mod fill;
mod questions;
mod sql;
mod titles;
mod verdict;
mod words;

use std::cell::Cell;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;

use self::against::Other;
use self::changes::Changes;
use self::questions::Question;
use self::titles::Described;
use self::words::Words;
use crate::cpu::{Shares, Watch};
use crate::database::BenchDatabase;
use crate::gateway::{Gateway, Memory, beside_us, folder};
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
    /// The same of another build, where there is one.
    others: Option<(Tally, Shares)>,
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
    let program = beside_us("gateway")?;
    let (gateway, built, when_ready) = start(&program, &settings).await?;
    let other = match &options.against {
        Some(program) => Some(Other::start(program, database.url(), &index, &prefix).await?),
        None => None,
    };
    let asked = ask(&gateway, other.as_ref(), &database, &words, options).await?;
    let after_load = gateway.memory()?;
    gateway.stop().await?;
    drop(other);
    let (gateway, restarted, _) = start(&program, &settings).await?;
    gateway.stop().await?;
    let life = Life { built, restarted, when_ready, after_load };

    let sql = match options.against {
        Some(_) => Vec::new(),
        None => {
            sql::prepare(&database).await?;
            sql::measure(&database, postmaster, &words, options, CONNECTIONS).await?
        }
    };
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
async fn start(program: &Path, settings: &[(&str, &str)]) -> Result<(Gateway, Duration, Memory)> {
    let begun = Instant::now();
    let mut gateway = Gateway::start_of(program, settings)?;
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

/// Asks every question, in rounds, in which builds take turns.
async fn ask(
    gateway: &Gateway,
    other: Option<&Other>,
    database: &BenchDatabase,
    words: &Words,
    options: &Options,
) -> Result<Vec<Asked>> {
    let postmaster = database.postmaster().await?;
    let asked = questions::all().into_iter().filter(|question| options.wants(question.name));
    let new = || Ok::<_, anyhow::Error>((Tally::new()?, Shares::default()));
    let asked = asked.map(|question| {
        let ((tally, cpu), others) = (new()?, other.map(|_| new()).transpose()?);
        Ok(Asked { question, tally, cpu, others })
    });
    let mut asked: Vec<Asked> = asked.collect::<Result<_>>()?;
    let fresh = Cell::new(0);
    // What changes the products comes last: deleted documents stay in the index for a while.
    let rounds =
        [false, true].into_iter().flat_map(|changing| (1..=options.rounds).map(move |round| (changing, round)));
    for (is_changing, round) in rounds {
        let of_now = asked.iter_mut().filter(|asked| asked.question.is_changing == is_changing);
        for Asked { question, tally, cpu, others } in of_now {
            let ours = Some((gateway, &fresh, "", tally, cpu));
            let theirs = other.zip(others.as_mut());
            let theirs =
                theirs.map(|(other, (tally, cpu))| (&other.gateway, &other.fresh, " of the other build", tally, cpu));
            for (gateway, fresh, whose, tally, cpu) in ours.into_iter().chain(theirs) {
                let sources = (0..CONNECTIONS as u64).map(|number| question.source(words, fresh, round << 8 | number));
                let changes = match is_changing {
                    true => Some(Changes::begin(database, options.products(), round).await?),
                    false => None,
                };
                let watch = Watch::begin(gateway.pid(), postmaster).await;
                let measured = load::run(gateway.address, options.pace(), sources.collect(), question.judge).await?;
                let taken = watch.end();
                if let Some(changes) = changes {
                    changes.end().await?;
                }
                eprintln!("round {round}, {}{whose}: {}, {taken}", question.name, measured.in_short());
                tally.add(&measured)?;
                cpu.add(&taken);
            }
        }
    }
    Ok(asked)
}
