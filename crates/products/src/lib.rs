#![doc = include_str!("../README.md")]

mod prices;
mod schema;

pub use prices::{Prices, prices};
