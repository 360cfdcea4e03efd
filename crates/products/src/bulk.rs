//! Many products at once: what the operators' seed and import write.

mod load;
mod seed;

pub use load::ProductRow;
pub use seed::{
    NewProduct, ProductCopy, analyze, ensure_categories, highest_number, ids_of_skus, is_empty, lock_for_seeding,
    suspend_upkeep,
};
