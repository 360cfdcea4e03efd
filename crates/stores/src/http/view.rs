//! Stores as clients see them.

use serde::Serialize;
use utoipa::ToSchema;
use web::{Money, Timestamp};

use crate::inventory::Stocked;

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
