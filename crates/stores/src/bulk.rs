//! Many stores and much stock at once: what the operators' seed and import write.

mod load;
mod seed;

pub use load::{MAX_QUANTITY, StockRow, StoreRow};
pub use seed::{InventoryCopy, NewStore, account_for, add_stores, analyze, taken_names};
