#![doc = include_str!("../README.md")]

pub mod bulk;
mod error;
mod http;
pub mod inventory;
mod schema;
pub mod stock;
mod store;

pub use error::Error;
pub use http::{read_change, read_new, read_stock, routes};
pub use store::{
    NewStore, Order, Place, Store, StoreChange, browse, called, change, create, delete, existing, exists, get, keep,
    list,
};
