//! What clients send to change stores and their stock.

use std::collections::HashMap;

use deserr::{Deserr, IntoValue, Value, ValuePointerRef};
use utoipa::ToSchema;
use web::{Bounded, Fault, Faults, Given, Text};

use crate::bulk::MAX_QUANTITY;
use crate::stock::{Adjustment, Wish};

/// Adjustments in one request at most.
const MAX_CHANGES: usize = 1_000;

type Units = Bounded<0, { MAX_QUANTITY as i64 }>;
type Delta = Bounded<{ -(MAX_QUANTITY as i64) }, { MAX_QUANTITY as i64 }>;
type Id = Bounded<{ i64::MIN }, { i64::MAX }>;

/// A store to be made.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults)]
#[schema(as = NewStore)]
pub(crate) struct NewStoreBody {
    /// Name. Several stores may have the same.
    #[schema(value_type = String, min_length = 1, max_length = 200, example = "Harbour")]
    name: Text<1, 200>,
    /// Where it is.
    #[deserr(default)]
    #[schema(value_type = Option<String>, max_length = 500, example = "12 Quay Street, Port Ellen")]
    location: Option<Text<0, 500>>,
}

impl From<NewStoreBody> for crate::NewStore {
    fn from(body: NewStoreBody) -> Self {
        Self { name: body.name.0, location: body.location.map(|location| location.0).unwrap_or_default() }
    }
}

/// What to change of a store. What is not there stays as it is.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults)]
#[schema(as = StoreChange)]
pub(crate) struct StoreChangeBody {
    /// Name.
    #[deserr(default)]
    #[schema(value_type = Option<String>, nullable = false, min_length = 1, max_length = 200, example = "Harbour")]
    name: Given<Text<1, 200>>,
    /// Where it is.
    #[deserr(default)]
    #[schema(value_type = Option<String>, nullable = false, max_length = 500, example = "12 Quay Street, Port Ellen")]
    location: Given<Text<0, 500>>,
}

impl From<StoreChangeBody> for crate::StoreChange {
    fn from(body: StoreChangeBody) -> Self {
        Self { name: body.name.0.map(|name| name.0), location: body.location.0.map(|location| location.0) }
    }
}

/// What to do about the stock of a product: `quantity` with `expected_quantity`, or `delta`.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults)]
#[schema(as = StockChange)]
pub(crate) struct StockChangeBody {
    /// Units from now on.
    #[deserr(default)]
    #[schema(value_type = Option<i32>, nullable = false, minimum = 0, maximum = 1_000_000_000, example = 40)]
    quantity: Option<Units>,
    /// Units that were there when somebody looked; 0 where the store does not carry the product yet.
    #[deserr(default)]
    #[schema(value_type = Option<i32>, nullable = false, minimum = 0, maximum = 1_000_000_000, example = 37)]
    expected_quantity: Option<Units>,
    /// Units that come, or go when negative.
    #[deserr(default)]
    #[schema(value_type = Option<i32>, nullable = false, minimum = -1_000_000_000, maximum = 1_000_000_000)]
    delta: Option<Delta>,
    /// Why: `recount`, `receipt`, `damage`, or words of one's own.
    #[schema(value_type = String, min_length = 1, max_length = 200, example = "recount")]
    reason: Text<1, 200>,
}

/// The same, understood.
#[derive(Debug)]
pub(crate) struct StockChange {
    pub(crate) wish: Wish,
    pub(crate) reason: String,
}

impl Deserr<Faults> for StockChange {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, place: ValuePointerRef<'_>) -> Result<Self, Faults> {
        let body = StockChangeBody::deserialize_from_value(value, place)?;
        let wish = wish(body.quantity, body.expected_quantity, body.delta, place)?;
        Ok(Self { wish, reason: body.reason.0 })
    }
}

/// What to do about the stock of several products: all of it, or nothing.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults)]
#[schema(as = StockChanges)]
pub(crate) struct StockChanges {
    /// Why: `recount`, `receipt`, `damage`, or words of one's own.
    #[schema(value_type = String, min_length = 1, max_length = 200, example = "receipt")]
    pub(crate) reason: Text<1, 200>,
    /// What to do: 1 to 1,000 products, none twice.
    #[schema(value_type = Vec<ProductStockChange>, min_items = 1, max_items = 1_000)]
    pub(crate) changes: Changes,
}

/// What to do about the stock of one of several products: `quantity` with `expected_quantity`, or `delta`.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults)]
pub(crate) struct ProductStockChange {
    /// Id of the product.
    #[schema(value_type = i64, example = 401)]
    product_id: Id,
    /// Units from now on.
    #[deserr(default)]
    #[schema(value_type = Option<i32>, nullable = false, minimum = 0, maximum = 1_000_000_000)]
    quantity: Option<Units>,
    /// Units that were there when somebody looked; 0 where the store does not carry the product yet.
    #[deserr(default)]
    #[schema(value_type = Option<i32>, nullable = false, minimum = 0, maximum = 1_000_000_000)]
    expected_quantity: Option<Units>,
    /// Units that come, or go when negative.
    #[deserr(default)]
    #[schema(value_type = Option<i32>, nullable = false, minimum = -1_000_000_000, maximum = 1_000_000_000, example = 12)]
    delta: Option<Delta>,
}

/// Adjustments of different products.
#[derive(Debug)]
pub(crate) struct Changes(pub(crate) Vec<Adjustment>);

impl Deserr<Faults> for Changes {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, place: ValuePointerRef<'_>) -> Result<Self, Faults> {
        let bodies = Vec::<ProductStockChange>::deserialize_from_value(value, place)?;
        let (mut faults, mut adjustments, mut seen) = (Vec::new(), Vec::new(), HashMap::new());
        if !(1..=MAX_CHANGES).contains(&bodies.len()) {
            faults.push(Fault::in_body(place, "invalid_length", format!("Must have 1 to {MAX_CHANGES} elements.")));
        }
        for (index, body) in bodies.into_iter().enumerate() {
            let (place, product_id) = (place.push_index(index), body.product_id.0);
            if let Some(first) = seen.insert(product_id, index) {
                let detail = format!("Product {product_id} is already at /changes/{first}.");
                faults.push(Fault::in_body(place.push_key("product_id"), "duplicate_product", detail));
            }
            match wish(body.quantity, body.expected_quantity, body.delta, place) {
                Ok(wish) => adjustments.push(Adjustment { product_id, wish }),
                Err(found) => faults.extend(found.0),
            }
        }
        if faults.is_empty() { Ok(Self(adjustments)) } else { Err(Faults(faults)) }
    }
}

fn wish(
    quantity: Option<Units>,
    expected: Option<Units>,
    delta: Option<Delta>,
    place: ValuePointerRef<'_>,
) -> Result<Wish, Faults> {
    let small = |number: i64| i32::try_from(number).unwrap_or(i32::MAX);
    let fault = |key, code, detail: &str| Err(Fault::in_body(place.push_key(key), code, detail).into());
    match (quantity, expected, delta) {
        (Some(quantity), Some(expected), None) => {
            Ok(Wish::Set { quantity: small(quantity.0), expected: small(expected.0) })
        }
        (None, None, Some(delta)) => Ok(Wish::Shift { delta: small(delta.0), after: None }),
        (None, None, None) => fault("quantity", "required", "Give quantity with expected_quantity, or delta."),
        (Some(_), None, None) => fault("expected_quantity", "required", "Say what was there when you looked."),
        (None, Some(_), None) => fault("quantity", "required", "Say how many there are from now on."),
        (_, _, Some(_)) => fault("delta", "contradiction", "Give either delta, or quantity with expected_quantity."),
    }
}

/// Reads a store to be made as the API does, for whoever else takes one.
///
/// # Errors
/// Every fault, with its place.
pub fn read_new(body: serde_json::Value) -> Result<crate::NewStore, Faults> {
    deserr::deserialize::<NewStoreBody, _, _>(body).map(Into::into)
}

/// Reads what to change of a store as the API does.
///
/// # Errors
/// Every fault, with its place.
pub fn read_change(body: serde_json::Value) -> Result<crate::StoreChange, Faults> {
    deserr::deserialize::<StoreChangeBody, _, _>(body).map(Into::into)
}

/// Reads what to do about the stock of a product as the API does: the wish, and its reason.
///
/// # Errors
/// Every fault, with its place.
pub fn read_stock(body: serde_json::Value) -> Result<(Wish, String), Faults> {
    deserr::deserialize::<StockChange, _, _>(body).map(|change| (change.wish, change.reason))
}
