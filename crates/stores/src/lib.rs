#![doc = include_str!("../README.md")]

pub mod bulk;
mod schema;
pub mod stock;
mod store;

pub use store::exists;
