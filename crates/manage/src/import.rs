//! `manage import`: rows of a CSV file into products, stores or inventory.
//!
//! The file is read once, in constant memory, into a staging table; the rows that are sound are then applied in sets.
//! A row that is not is left out and told of, with its line and the reason. Loading a file twice changes nothing the
//! second time.

mod fields;
mod header;
mod records;
mod rejects;
mod rows;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use db::Config;
use db::copy::Session;
use db::load::{Outcome, Stage, Staged};
use products::bulk::ProductRow;
use stores::bulk::{StockRow, StoreRow};

use self::header::Header;
use self::records::{Found, Records};
use self::rejects::Rejects;
use self::rows::{Row, Spellings};
use crate::progress;
use crate::staff::actor;

/// Sessions that load side by side. Two keep two cores of the database busy; more would leave orders little.
const SESSIONS: usize = 2;

/// Bytes of a file that are worth sharing.
const MUCH_TO_READ: u64 = 1024 * 1024;

/// Tables that changed by more rows than this are analyzed at once, others when the database gets round to it.
const MUCH: u64 = 1_000;

/// A CSV file in UTF-8 whose first row names the columns, in any order. Rows that are wrong are left out and written,
/// with line number and reason, to a file of rejects; the exit status is 1 then. That file can be mended and imported
/// as it is.
#[derive(Debug, Args)]
pub(crate) struct Import {
    /// What the rows are
    kind: Kind,
    /// The file; "-" reads from stdin
    file: PathBuf,
    /// Keep nothing unless every row is sound
    #[arg(long)]
    atomic: bool,
    /// Where rejected rows go [default: FILE.rejects.csv, or stdin.rejects.csv]
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// sku, title, category, price, description: matched by sku, missing categories are made
    Products,
    /// name, location: matched by name
    Stores,
    /// store, sku, quantity: sets the quantity that the store of this name has
    Inventory,
}

/// Imports and reports. The status is a failure when a row was rejected.
pub(crate) async fn run(config: &Config, import: &Import) -> Result<ExitCode> {
    match import.kind {
        Kind::Products => load::<ProductRow>(config, import).await,
        Kind::Stores => load::<StoreRow>(config, import).await,
        Kind::Inventory => load::<StockRow>(config, import).await,
    }
}

async fn load<L: Row>(config: &Config, import: &Import) -> Result<ExitCode> {
    let began = Instant::now();
    let (source, size) = open(&import.file)?;
    let mut records = Records::new(source);
    let header = Header::read(&mut records, L::NAMES)?;
    let mut rejects = Rejects::new(rejects_path(import), &import.file, header.clone())?;
    // What is one transaction is one session's. So is a small file, whose rows then get their ids in its order.
    let shares = if import.atomic || size.is_some_and(|size| size < MUCH_TO_READ) { 1 } else { SESSIONS };
    let mut sessions = Vec::new();
    for _ in 0..shares {
        sessions.push(Session::open(config).await?);
    }
    let staged = stage::<L>(&sessions, records, &header, size).await?;
    staged.refusals(&sessions, |refusal| rejects.write(&refusal)).await?;
    let rejected = rejects.finish()?;
    let outcome = apply(&mut sessions, &staged, import.atomic, rejected).await?;
    if outcome.inserted + outcome.updated > MUCH {
        sessions[0].batch_execute(&format!("ANALYZE {}", L::TABLES)).await?;
    }
    let seconds = began.elapsed().as_secs_f64();
    say!(
        "read {}, inserted {}, updated {}, unchanged {}, rejected {rejected}, {:.0} rows/s ({seconds:.1} s)",
        staged.rows,
        outcome.inserted,
        outcome.updated,
        outcome.unchanged,
        staged.rows as f64 / seconds
    );
    if rejected == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    let kept = if import.atomic { "nothing was kept: " } else { "" };
    eprintln!("manage: {kept}{rejected} rows were rejected, see {}", rejects_path(import).display());
    Ok(ExitCode::FAILURE)
}

/// Reads the file to its end into the staging table.
async fn stage<L: Row>(
    sessions: &[Session],
    mut records: Records<Box<dyn Read>>,
    header: &Header,
    size: Option<u64>,
) -> Result<Staged<L>> {
    let bar = progress::bytes("reading", size);
    let mut stage = Stage::<L>::open(sessions).await?;
    let mut spellings = Spellings::default();
    while let Some(found) = records.next().context("reading the file")? {
        match found {
            Found::Record(record) => match header.row::<L>(&record) {
                Ok(mut row) => {
                    row.agree(&mut spellings);
                    stage.accept(record.line, &record.text(), &row).await?;
                }
                Err(reason) => stage.refuse(record.line, &record.text(), &reason).await?,
            },
            Found::Broken { line, text, reason } => stage.refuse(line, &text, reason).await?,
        }
        bar.set_position(records.consumed());
    }
    bar.finish_and_clear();
    Ok(stage.close(sessions).await?)
}

async fn apply<L: Row>(sessions: &mut [Session], staged: &Staged<L>, atomic: bool, rejected: u64) -> Result<Outcome> {
    if !atomic {
        let bar = progress::rows("writing", staged.rows);
        let outcome =
            staged.apply(sessions, &actor(), |part| bar.set_position((part * staged.rows as f64) as u64)).await;
        bar.finish_and_clear();
        return outcome.context("rows written so far were kept; import the file again for the rest");
    }
    if rejected > 0 {
        return Ok(Outcome::default());
    }
    staged.apply_at_once(&mut sessions[0], &actor()).await.context("nothing was kept")
}

/// The bytes, and how many they are where that is known.
fn open(path: &Path) -> Result<(Box<dyn Read>, Option<u64>)> {
    if path == Path::new("-") {
        return Ok((Box::new(std::io::stdin()), None));
    }
    let file = File::open(path).with_context(|| path.display().to_string())?;
    let size = file.metadata().ok().filter(std::fs::Metadata::is_file).map(|metadata| metadata.len());
    Ok((Box::new(file), size))
}

fn rejects_path(import: &Import) -> PathBuf {
    import.rejects.clone().unwrap_or_else(|| {
        let mut name =
            if import.file == Path::new("-") { "stdin".into() } else { import.file.clone().into_os_string() };
        name.push(".rejects.csv");
        name.into()
    })
}
