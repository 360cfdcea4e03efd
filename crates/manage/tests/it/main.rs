//! The command line against a real PostgreSQL: the program itself is run, as an operator does.

#![expect(clippy::unwrap_used, reason = "a test that meets an error must fail")]

mod accounts;
mod import;
mod jobs;
mod ledger;
mod openapi;
mod search;
mod seed;
mod support;
mod tls;
mod usage;
