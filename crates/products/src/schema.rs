//! The tables that this crate owns.

pub(crate) use db::schema::products;
