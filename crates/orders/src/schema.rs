//! The tables that this crate owns. By hand-written SQL it also reads those that a dry run is decided on (`stores`,
//! `products`, `inventory`) and the other half of the ledger (`stock_adjustments`).

#[expect(unused_imports, reason = "idempotency keys are written and read by hand-written SQL")]
pub(crate) use db::schema::idempotency_keys;
pub(crate) use db::schema::{confirmations, order_items, orders};
