//! Stores as clients see them.

use serde::Serialize;
use utoipa::ToSchema;
use web::{Money, Timestamp};

use crate::inventory::Stocked;
use crate::stock::Adjusted;

/// Who sells.
#[derive(Serialize, ToSchema)]
#[schema(as = Store)]
pub(crate) struct StoreView {
    /// Id.
    #[schema(example = 1)]
    id: i64,
    /// Name. Several stores may have the same.
    #[schema(example = "Harbour")]
    name: String,
    /// Where it is, possibly empty.
    #[schema(example = "12 Quay Street, Port Ellen")]
    location: String,
    /// When it was made.
    created_at: Timestamp,
}

impl From<crate::Store> for StoreView {
    fn from(store: crate::Store) -> Self {
        Self { id: store.id, name: store.name, location: store.location, created_at: Timestamp(store.created_at) }
    }
}

/// A product as a store carries it.
#[derive(Serialize, ToSchema)]
#[schema(as = StockedProduct)]
pub(crate) struct StockedView {
    /// Id of the product.
    #[schema(example = 10)]
    product_id: i64,
    /// The merchant's own key, unique when given.
    #[schema(required, example = "TEA-0010")]
    sku: Option<String>,
    /// Title of the product.
    #[schema(example = "Green tea, 100 g")]
    product_title: String,
    /// Price of one unit.
    price: Money,
    /// Id of the product's category.
    #[schema(example = 3)]
    category_id: i64,
    /// Name of the product's category.
    #[schema(example = "Tea")]
    category_name: String,
    /// Units on hand.
    #[schema(example = 37, minimum = 0)]
    quantity: i32,
}

impl From<Stocked> for StockedView {
    fn from(row: Stocked) -> Self {
        Self {
            product_id: row.product_id,
            sku: row.sku,
            product_title: row.title,
            price: Money(row.price),
            category_id: row.category_id,
            category_name: row.category,
            quantity: row.quantity,
        }
    }
}

/// What a store has of a product, after an adjustment.
#[derive(Serialize, ToSchema)]
#[schema(as = Stock)]
pub(crate) struct StockView {
    /// Id of the store.
    #[schema(example = 1)]
    store_id: i64,
    /// Id of the product.
    #[schema(example = 10)]
    product_id: i64,
    /// Units on hand.
    #[schema(example = 40, minimum = 0)]
    quantity: i32,
    /// Units before.
    #[schema(example = 37, minimum = 0)]
    previous_quantity: i32,
}

impl StockView {
    pub(crate) fn new(store_id: i64, row: Adjusted) -> Self {
        Self { store_id, product_id: row.product_id, quantity: row.quantity, previous_quantity: row.before }
    }
}

/// What a store has of several products, in the order that they were asked for.
#[derive(Serialize, ToSchema)]
pub(crate) struct StockList {
    /// One for each.
    pub(crate) results: Vec<StockView>,
}
