//! Another build of the gateway, asked the same in turns with this one: what both took, side by side. The machine's
//! moods fall on both alike, so a ratio says what absolute figures cannot.

use std::cell::Cell;
use std::path::Path;

use anyhow::Result;

use super::{Asked, start};
use crate::cpu::Shares;
use crate::gateway::Gateway;
use crate::report::Table;
use crate::tally::Tally;

/// The other gateway.
pub(super) struct Other {
    pub(super) gateway: Gateway,
    /// Suggestions that it was asked for once.
    pub(super) fresh: Cell<usize>,
}

impl Other {
    /// Starts it on the same database, with an index and a cache of its own.
    pub(super) async fn start(program: &Path, database: &str, index: &str, prefix: &str) -> Result<Self> {
        let (index, prefix) = (format!("{index}-other"), format!("other_{prefix}"));
        _ = std::fs::remove_dir_all(&index);
        let settings = [("DATABASE_URL", database), ("REDIS_PREFIX", &prefix), ("SEARCH_INDEX_DIR", &index)];
        let (gateway, ..) = start(program, &settings).await?;
        Ok(Self { gateway, fresh: Cell::new(0) })
    }
}

/// What this build takes as a multiple of what the other does; none where there is no other.
pub(super) fn ratios(asked: &[Asked]) -> Option<Table> {
    let heads = ["", "p50", "p99", "gateway's time", "PostgreSQL's time"];
    let mut table = Table::new("This build over the other, a request", &heads);
    for Asked { question, tally, cpu, others, .. } in asked {
        let (theirs, their_cpu) = others.as_ref()?;
        let ratio = |of: &dyn Fn(&Tally, &Shares) -> f64| format!("{:.2} ×", of(tally, cpu) / of(theirs, their_cpu));
        table.row([
            question.name.to_owned(),
            ratio(&|tally, _| tally.quantile(0.5)),
            ratio(&|tally, _| tally.quantile(0.99)),
            ratio(&|tally, cpu| cpu.gateway / tally.rate()),
            ratio(&|tally, cpu| cpu.postgres / tally.rate()),
        ]);
    }
    Some(table)
}
