//! `manage jobs`: how much waits, and what was given up.

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use ::jobs::operators::{self, Parked, Which};
use accounts::audit::{self, Action, Change, Object};
use anyhow::{Result, ensure};
use clap::{Args, Subcommand};
use db::{Database, Tx};
use serde_json::json;

use crate::show::thousands;
use crate::staff::actor;

/// What to do about background tasks.
#[derive(Debug, Subcommand)]
pub(crate) enum Jobs {
    /// Say how much waits, and where
    Status,
    /// List what was given up, oldest first
    List {
        /// Events of this kind alone
        #[arg(long)]
        kind: Option<String>,
        /// How many at most
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..))]
        limit: i64,
        /// From the number after this one on
        #[arg(long, default_value_t = 0)]
        after: i64,
    },
    /// Show one that was given up, with its payload and reason
    Show {
        /// Its number
        id: i64,
    },
    /// Have what was given up tried again from the beginning
    Redrive {
        #[command(flatten)]
        chosen: Chosen,
        /// How many a second at most
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
        rate: Option<u32>,
    },
    /// Delete what was given up, for good
    Discard {
        #[command(flatten)]
        chosen: Chosen,
    },
}

/// Which of those that were given up.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub(crate) struct Chosen {
    /// These numbers
    #[arg(conflicts_with = "all")]
    ids: Vec<i64>,
    /// All of them
    #[arg(long)]
    all: bool,
    /// All of this kind
    #[arg(long)]
    kind: Option<String>,
}

impl Chosen {
    fn which(&self) -> Which {
        let ids = (!self.ids.is_empty()).then(|| self.ids.clone());
        Which { ids, kind: self.kind.clone(), ..Which::default() }
    }
}

/// Does it and reports.
pub(crate) async fn run(database: &Database, command: &Jobs) -> Result<()> {
    match command {
        Jobs::Status => status(database).await,
        Jobs::List { kind, limit, after } => {
            let which = Which { kind: kind.clone(), ..Which::default() };
            let parked = operators::parked(database, &which, *after, *limit).await?;
            for event in &parked {
                say!("{}", line(event));
            }
            if i64::try_from(parked.len()) == Ok(*limit) {
                say!("More: --after {}", parked.last().map_or(0, |event| event.id));
            }
            Ok(())
        }
        Jobs::Show { id } => {
            let which = Which { ids: Some(vec![*id]), ..Which::default() };
            let found = operators::parked(database, &which, 0, 1).await?;
            ensure!(!found.is_empty(), "no event {id} was given up");
            found.iter().try_for_each(show)
        }
        Jobs::Redrive { chosen, rate } => told(chosen, &redrive(database, &chosen.which(), *rate).await?, "redriven"),
        Jobs::Discard { chosen } => {
            let mut discarded = Vec::new();
            loop {
                let batch = discard_some(database, chosen.which()).await?;
                if batch.is_empty() {
                    return told(chosen, &discarded, "discarded");
                }
                discarded.extend(batch);
            }
        }
    }
}

async fn status(database: &Database) -> Result<()> {
    let backlog = operators::backlog(database).await?;
    let count = |number: i64| thousands(number.unsigned_abs());
    say!("waiting    {}", count(backlog.waiting));
    say!("published  {}", count(backlog.published));
    say!("retrying   {}", count(backlog.retrying));
    say!("parked     {}", count(backlog.parked));
    say!("oldest     {:.0} s", backlog.oldest_seconds);
    for queue in ::jobs::queues(&::jobs::Config::from_env()?).await? {
        let ready = queue.ready.map_or_else(|| "not there".into(), |ready| thousands(ready.into()));
        say!("{}  {ready}", queue.name);
    }
    Ok(())
}

/// Redrives as many as there were when it began; what is given up once more meanwhile is not taken again.
async fn redrive(database: &Database, which: &Which, rate: Option<u32>) -> Result<Vec<i64>> {
    let mut left = None;
    let mut redriven = Vec::new();
    loop {
        let parked = operators::backlog(database).await?.parked;
        let most = left.unwrap_or(parked).min(rate.map_or(i64::MAX, i64::from));
        let batch = redrive_some(database, which.clone(), most).await?;
        let remaining = left.unwrap_or(parked) - i64::try_from(batch.len())?;
        left = Some(remaining);
        let is_last = batch.is_empty() || remaining <= 0;
        redriven.extend(batch);
        if is_last {
            return Ok(redriven);
        }
        if rate.is_some() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
}

/// Redrives as many as one transaction takes: their numbers.
async fn redrive_some(database: &Database, which: Which, most: i64) -> Result<Vec<i64>, db::Error> {
    let work = database.transaction(move |tx| {
        Box::pin(async move {
            let ids = operators::redrive(tx, &which, most).await?;
            tell(tx, Action::Redrive, ids).await
        })
    });
    work.await
}

/// The same for those that are thrown away.
async fn discard_some(database: &Database, which: Which) -> Result<Vec<i64>, db::Error> {
    let work = database.transaction(move |tx| {
        Box::pin(async move {
            let ids = ::orders::desk::discard(tx, &which, operators::BATCH).await?;
            tell(tx, Action::Discard, ids).await
        })
    });
    work.await
}

/// Writes into the audit log what was done about these.
async fn tell(tx: &Tx, action: Action, ids: Vec<i64>) -> Result<Vec<i64>, db::Error> {
    let before = || Some(json!({ "parked": true }));
    let changes = ids.iter().map(|id| Change { object: Object::new("job", *id), before: before(), after: None });
    audit::record_all(tx, &actor(), action, changes.collect()).await?;
    Ok(ids)
}

/// Says how many it was done about, and complains about numbers that were chosen and not found.
fn told(chosen: &Chosen, ids: &[i64], done: &str) -> Result<()> {
    ensure!(!ids.is_empty() || !chosen.ids.is_empty(), "nothing of that was given up");
    say!("{} {done}.", thousands(ids.len() as u64));
    let found: HashSet<&i64> = ids.iter().collect();
    let missing: BTreeSet<&i64> = chosen.ids.iter().filter(|id| !found.contains(id)).collect();
    let missing: Vec<String> = missing.into_iter().map(i64::to_string).collect();
    ensure!(missing.is_empty(), "not found among what was given up: {}", missing.join(", "));
    Ok(())
}

fn line(event: &Parked) -> String {
    let parked = event.parked_at.map(|at| at.format("%Y-%m-%dT%H:%M:%SZ").to_string()).unwrap_or_default();
    let reason = event.last_error.as_deref().unwrap_or("").lines().next().unwrap_or("");
    let tried = event.failures + event.crashes;
    format!("{}  {parked}  {}  store {}  {tried} tried  {reason}", event.id, event.kind, event.store_id)
}

fn show(event: &Parked) -> Result<()> {
    say!("{}", line(event));
    say!("recorded   {}", event.created_at.format("%Y-%m-%dT%H:%M:%SZ"));
    say!("failures   {}", event.failures);
    say!("crashes    {}", event.crashes);
    say!("request    {}", event.request_id.as_deref().unwrap_or("unknown"));
    say!("payload    {}", serde_json::to_string_pretty(&event.payload)?);
    Ok(())
}
