#![doc = include_str!("../README.md")]

pub mod bulk;
mod prices;
mod schema;

pub use prices::{Prices, prices};
