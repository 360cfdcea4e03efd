//! Many stores and much stock at once: what the operators' seed and import write.

mod load;
mod seed;

pub use load::{MAX_QUANTITY, StockRow, StoreRow};
pub use seed::{
    InventoryCopy, NewStore, Shelf, account_for, account_for_sales, add_stores, analyze, shelves, suspend_upkeep,
    taken_names,
};
