#![doc = include_str!("../README.md")]

mod backlog;
mod record;
mod relay;
mod schema;

pub use backlog::{Backlog, backlog};
pub use record::{Event, record, record_all};
pub use relay::{Claimed, Postponed, claim, delete, park, postpone};
