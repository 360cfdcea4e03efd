//! The kernel against a real PostgreSQL.

mod migrations;
mod transactions;
