#![doc = include_str!("../README.md")]

mod backlog;
mod bell;
mod carriers;
mod gauges;
mod parked;
mod record;
mod relay;
mod schema;
mod task;

pub use backlog::{Backlog, backlog};
pub use bell::{Bell, listen};
pub use carriers::{Carriers, carriers};
pub use gauges::watch;
pub use parked::{
    Parked, UNDECODABLE, Which, browse_parked, count_parked, count_which, discard, is_parked, park_undecodable, parked,
    parked_among, redrive, standing,
};
pub use record::{Cause, Event, record, record_all};
pub use relay::{Among, Claimed, Key, claim, count_overdue, mark_published, recall};
pub use task::{Next, Standing, begin, fail, finish, hold, look, park_crashed, release, renew};
