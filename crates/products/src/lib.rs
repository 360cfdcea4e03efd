#![doc = include_str!("../README.md")]

pub mod bulk;
mod category;
mod error;
mod http;
mod prices;
mod product;
mod schema;

pub use category::{Category, categories, find_category};
pub use error::Error;
pub use http::routes;
pub use prices::{Prices, prices};
pub use product::{Filter, Product, get, list};
