#![doc = include_str!("../README.md")]

pub mod bulk;
mod error;
mod http;
pub mod inventory;
mod schema;
pub mod stock;
mod store;

pub use error::Error;
pub use http::routes;
pub use store::{NewStore, Place, Store, StoreChange, change, create, delete, existing, exists, get, keep, list};
