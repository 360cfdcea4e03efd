//! The catalogue against a real PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a test that meets an error must fail")]

mod list;
mod prices;
