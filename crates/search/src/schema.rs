//! The tables that this crate may touch.

// Owned; its triggers are the only writers.
pub(crate) use db::schema::catalogue_generations;
// Read.
pub(crate) use db::schema::{categories, inventory, products, stores};
