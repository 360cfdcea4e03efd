//! The tables that this crate owns, and below them the one that it only reads.

#[expect(unused_imports, reason = "idempotency keys are written and read by hand-written SQL")]
pub(crate) use db::schema::idempotency_keys;
pub(crate) use db::schema::{confirmations, order_items, orders};

/// What a dry run is decided on. Written by `stores` alone.
pub(crate) use db::schema::inventory;
