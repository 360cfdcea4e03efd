//! The handle on everything here.

use db::{Clock, Database};

use crate::Config;

/// Staff, sessions and tokens. Cheap to clone.
#[derive(Clone)]
pub struct Accounts {
    pub(crate) database: Database,
    pub(crate) clock: Clock,
    pub(crate) config: Config,
}

impl Accounts {
    /// The accounts kept in `database`.
    pub fn new(database: Database, clock: Clock, config: Config) -> Self {
        Self { database, clock, config }
    }
}
