//! What clients send to change stores and their stock.

use std::collections::HashMap;

use deserr::{Deserr, IntoValue, Value, ValuePointerRef};
use utoipa::ToSchema;
use web::{Bounded, Fault, Faults, Given, Heard, Text};

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
    quantity: Heard<Option<Units>>,
    /// Units that were there when somebody looked; 0 where the store does not carry the product yet.
    #[deserr(default)]
    #[schema(value_type = Option<i32>, nullable = false, minimum = 0, maximum = 1_000_000_000, example = 37)]
    expected_quantity: Heard<Option<Units>>,
    /// Units that come, or go when negative.
    #[deserr(default)]
    #[schema(value_type = Option<i32>, nullable = false, minimum = -1_000_000_000, maximum = 1_000_000_000)]
    delta: Heard<Option<Delta>>,
    /// Why: `recount`, `receipt`, `damage`, or words of one's own.
    #[deserr(default)]
    #[schema(value_type = String, min_length = 1, max_length = 200, example = "recount")]
    reason: Given<Heard<Text<1, 200>>>,
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
        let mut faults = Vec::new();
        let wish = wish(body.quantity, body.expected_quantity, body.delta, place, &mut faults);
        let reason = body.reason.required(place.push_key("reason"), &mut faults);
        match (wish, reason) {
            (Some(wish), Some(reason)) => Ok(Self { wish, reason: reason.0 }),
            _ => Err(Faults(faults)),
        }
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
    #[deserr(default)]
    #[schema(value_type = i64, example = 401)]
    product_id: Given<Heard<Id>>,
    /// Units from now on.
    #[deserr(default)]
    #[schema(value_type = Option<i32>, nullable = false, minimum = 0, maximum = 1_000_000_000)]
    quantity: Heard<Option<Units>>,
    /// Units that were there when somebody looked; 0 where the store does not carry the product yet.
    #[deserr(default)]
    #[schema(value_type = Option<i32>, nullable = false, minimum = 0, maximum = 1_000_000_000)]
    expected_quantity: Heard<Option<Units>>,
    /// Units that come, or go when negative.
    #[deserr(default)]
    #[schema(value_type = Option<i32>, nullable = false, minimum = -1_000_000_000, maximum = 1_000_000_000, example = 12)]
    delta: Heard<Option<Delta>>,
}

/// Adjustments of different products.
#[derive(Debug)]
pub(crate) struct Changes(pub(crate) Vec<Adjustment>);

impl Deserr<Faults> for Changes {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, place: ValuePointerRef<'_>) -> Result<Self, Faults> {
        let bodies = Vec::<Heard<ProductStockChange>>::deserialize_from_value(value, place)?;
        let (mut faults, mut adjustments, mut seen) = (Vec::new(), Vec::new(), HashMap::new());
        if !(1..=MAX_CHANGES).contains(&bodies.len()) {
            faults.push(Fault::in_body(place, "invalid_length", format!("Must have 1 to {MAX_CHANGES} elements.")));
        }
        for (index, body) in bodies.into_iter().enumerate() {
            let place = place.push_index(index);
            let Some(body) = body.noting(&mut faults) else { continue };
            let product_id = body.product_id.required(place.push_key("product_id"), &mut faults).map(|id| id.0);
            if let Some(id) = product_id
                && let Some(first) = seen.insert(id, index)
            {
                let detail = format!("Product {id} is already at /changes/{first}.");
                faults.push(Fault::in_body(place.push_key("product_id"), "duplicate_product", detail));
            }
            let wish = wish(body.quantity, body.expected_quantity, body.delta, place, &mut faults);
            adjustments.extend(product_id.zip(wish).map(|(product_id, wish)| Adjustment { product_id, wish }));
        }
        if faults.is_empty() { Ok(Self(adjustments)) } else { Err(Faults(faults)) }
    }
}

/// What is wished, by those of the three fields that were sent. Every fault is noted: of each field, and of all together.
fn wish(
    quantity: Heard<Option<Units>>,
    expected: Heard<Option<Units>>,
    delta: Heard<Option<Delta>>,
    place: ValuePointerRef<'_>,
    faults: &mut Vec<Fault>,
) -> Option<Wish> {
    let together = match (quantity.is_given(), expected.is_given(), delta.is_given()) {
        (true, true, false) | (false, false, true) => None,
        (false, false, false) => Some(("quantity", "required", "Give quantity with expected_quantity, or delta.")),
        (true, false, false) => Some(("expected_quantity", "required", "Say what was there when you looked.")),
        (false, true, false) => Some(("quantity", "required", "Say how many there are from now on.")),
        (_, _, true) => Some(("delta", "contradiction", "Give either delta, or quantity with expected_quantity.")),
    };
    let [quantity, expected] = [quantity, expected].map(|heard| heard.noting(faults));
    let delta = delta.noting(faults);
    if let Some((key, code, detail)) = together {
        faults.push(Fault::in_body(place.push_key(key), code, detail));
        return None;
    }
    let small = |number: i64| i32::try_from(number).unwrap_or(i32::MAX);
    match (quantity?, expected?, delta?) {
        (Some(quantity), Some(expected), _) => {
            Some(Wish::Set { quantity: small(quantity.0), expected: small(expected.0) })
        }
        (_, _, delta) => delta.map(|delta| Wish::Shift { delta: small(delta.0), after: None }),
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
