//! Stores and stock against a real PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a test that meets an error must fail")]

mod inventory;
mod plans;
mod stock;
