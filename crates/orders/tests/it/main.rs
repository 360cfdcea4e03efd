//! Orders against a real PostgreSQL.
#![expect(clippy::unwrap_used, reason = "what a test cannot set up must fail it")]

mod announcing;
mod cancelling;
mod commits;
mod concurrency;
mod confirming;
mod desk;
mod idempotency;
mod model;
mod placing;
mod preview;
mod reading;
mod rush;
mod support;
mod told;
