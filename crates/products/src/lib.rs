#![doc = include_str!("../README.md")]

pub mod bulk;
mod category;
mod error;
mod http;
mod prices;
mod product;
mod schema;
mod titles;

pub use category::{
    Category, categories, create_category, delete_category, find_category, get_category, rename_category,
};
pub use error::Error;
pub use http::routes;
pub use prices::{Prices, keep, prices};
pub use product::{Filter, Listed, NewProduct, Product, ProductChange, change, create, delete, get, list};
pub use titles::{Titles, titles};
