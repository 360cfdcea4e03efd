//! Stores and stock against a real PostgreSQL.

mod stock;
