//! The tables that this crate may touch.

// Owned, and so is `search_log`: triggers write the one, whoever prunes it keeps the other.
pub(crate) use db::schema::search_changes;
// Read.
pub(crate) use db::schema::{categories, inventory, products, stores};
