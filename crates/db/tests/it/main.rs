//! The kernel against a real PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a test that meets an error must fail")]

mod copy;
mod migrations;
mod schema;
mod transactions;
mod values;
