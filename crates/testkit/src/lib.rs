#![doc = include_str!("../README.md")]
#![expect(clippy::missing_panics_doc, clippy::expect_used, reason = "a test that cannot be set up must fail")]

mod build;
mod database;
mod names;
mod proxy;

pub use build::Builder;
pub use database::TestDatabase;
pub use names::{amqp_url, redis_url, unique_name};
pub use proxy::Proxy;
