#![doc = include_str!("../README.md")]
#![expect(clippy::missing_panics_doc, clippy::expect_used, reason = "a test that cannot be set up must fail")]

mod app;
mod build;
mod database;
mod names;
mod proxy;

pub use app::{Answer, TestApp};
pub use build::Builder;
pub use database::TestDatabase;
pub use names::{address_of, amqp_url, database_url, redis_url, through, unique_name};
pub use proxy::Proxy;
