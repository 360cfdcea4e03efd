//! `manage search`: looks after the search indexes.

use std::path::PathBuf;

use ::search::{Explanation, Filters, Query};
use anyhow::Result;
use clap::Subcommand;
use db::{Config, Database};

use crate::show::thousands;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Have every gateway build its search index anew, beside the one that serves meanwhile
    Rebuild,
    /// Tell how far the log of changes and an index are
    Status {
        /// The folder of a gateway's index
        #[arg(long, env = "SEARCH_INDEX_DIR", value_name = "FOLDER")]
        index: Option<PathBuf>,
    },
    /// Tell why products rank where they do, from an index of its own in memory
    Explain {
        /// What to search for
        query: String,
        /// How many products to explain
        #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=100))]
        first: u16,
    },
}

pub(crate) async fn run(config: &Config, command: Command) -> Result<()> {
    let database = Database::new(config)?;
    match command {
        Command::Rebuild => {
            ::search::request_rebuild(&database).await?;
            say!("Every gateway that runs builds its search index anew.");
        }
        Command::Status { index } => show_status(&::search::status(&database, index.as_deref()).await?),
        Command::Explain { query, first } => explain(database, query, first).await?,
    }
    Ok(())
}

fn show_status(status: &::search::Status) {
    say!("products   {}", thousands(status.products.unsigned_abs()));
    match status.oldest {
        Some(oldest) => {
            say!("log        {} changes since {}", thousands(status.changes.unsigned_abs()), oldest.format("%F %T UTC"))
        }
        None => say!("log        empty"),
    }
    if let Some(index) = &status.index {
        say!(
            "index      {} products, {} bytes, {} changes behind",
            thousands(index.products as u64),
            thousands(index.bytes),
            thousands(index.behind.unsigned_abs())
        );
    }
}

async fn explain(database: Database, query: String, first: u16) -> Result<()> {
    let query = Query {
        text: Some(query),
        filters: Filters::default(),
        sort: None,
        page: 1,
        page_size: usize::from(first),
        facets: false,
    };
    let (count, explanations) = ::search::explain(database, query).await?;
    say!("{} found", thousands(count.unsigned_abs()));
    for (place, explanation) in (1..).zip(&explanations) {
        show(place, explanation);
    }
    Ok(())
}

fn show(place: u32, explanation: &Explanation) {
    say!("{place:3}. {} (product {})", explanation.product.title, explanation.product.id);
    if let Some(title_is) = explanation.title_is {
        say!("     {title_is}");
    }
    for word in &explanation.words {
        match &word.found {
            Some(found) => say!("     {}: {found}", word.typed),
            None => say!("     {}: no longer there", word.typed),
        }
    }
    if let Some(side_by_side) = explanation.side_by_side {
        say!("     {side_by_side}");
    }
    say!("     title of {} characters", explanation.title_length);
}
