#![doc = include_str!("../README.md")]

mod schema;
pub mod stock;
mod store;

pub use store::exists;
