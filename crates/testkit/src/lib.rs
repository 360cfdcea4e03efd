#![doc = include_str!("../README.md")]
#![expect(clippy::missing_panics_doc, clippy::expect_used, reason = "a test that cannot be set up must fail")]

mod app;
#[cfg(feature = "amqp")]
mod broker;
mod build;
mod database;
mod eventually;
mod inbox;
mod names;
mod plan;
mod proxy;
mod size;
mod watched;

pub use app::{Answer, TestApp};
#[cfg(feature = "amqp")]
pub use broker::Broker;
pub use build::Builder;
pub use database::TestDatabase;
pub use eventually::eventually;
pub use inbox::{Inbox, Mail};
pub use names::{address_of, amqp_url, database_url, redis_url, through, unique_name};
pub use plan::{Plan, rows_read, rows_read_so_far};
pub use proxy::{Moment, Proxy};
pub use size::size;
pub use watched::{said, watched};
