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
    Category, CategoryOrder, browse_categories, categories, category_called, create_category, delete_category,
    find_category, get_category, rename_category,
};
pub use error::Error;
pub use http::{read_category, read_change, read_new, routes};
pub use prices::{Prices, keep, prices};
pub use product::{
    Filter, Listed, NewProduct, Order, Place, Product, ProductChange, browse, change, count_in, create, delete, get,
    list, several, with_sku, with_skus,
};
pub use titles::{Titles, titles};
