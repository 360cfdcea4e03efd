//! The catalogue against a real PostgreSQL.

mod prices;
