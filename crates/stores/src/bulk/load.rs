//! Rows of a file: stores matched by name, stock by the store's name and the product's sku.

mod stock;
mod stores;

pub use stock::{MAX_QUANTITY, StockRow};
pub use stores::StoreRow;
