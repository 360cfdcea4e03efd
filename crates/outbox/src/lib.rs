#![doc = include_str!("../README.md")]

mod record;
mod relay;
mod schema;

pub use record::{Event, record, record_all};
pub use relay::{Claimed, claim, delete, postpone};
