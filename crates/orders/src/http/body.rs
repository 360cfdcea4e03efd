//! The body of a new order: read to the end, whatever is wrong with it, so that a client hears of every fault at once.

use deserr::{DeserializeError, Deserr, ErrorKind, IntoValue, Map, Sequence, Value, ValueKind, ValuePointerRef};
use rust_decimal::Decimal;
use utoipa::ToSchema;
use web::{Bounded, Fault, Faults, Money, Rejected};

use crate::basket::{Basket, BasketFault, MAX_QUANTITY, Wanted, duplicates, wrong_length};
use crate::email::CustomerEmail;

type Quantity = Bounded<1, { MAX_QUANTITY as i64 }>;
type Id = Bounded<{ i64::MIN }, { i64::MAX }>;

/// A new order.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults)]
// One that anybody may try: a total that is out of date is refused, and so is an address without a token.
#[schema(example = json!({ "store_id": 1, "items": [{ "product_id": 401, "quantity_requested": 2 }] }))]
pub(crate) struct NewOrder {
    /// The store that is to serve it.
    #[schema(value_type = i64, example = 1)]
    pub(crate) store_id: Id,
    /// What is wanted: 1 to 500 items, no product twice.
    #[schema(value_type = Vec<NewItem>, min_items = 1, max_items = 500)]
    pub(crate) items: Items,
    /// What the items are believed to cost in all. If they cost something else, the order is refused (409) with the
    /// right total.
    #[schema(value_type = Option<String>, pattern = r"^\d+(\.\d{1,2})?$", example = "2.96")]
    #[deserr(default)]
    pub(crate) expected_total: Option<Total>,
    /// Where the confirmation is to go by mail. Taken only with a token with the scope `orders:email`.
    #[schema(value_type = Option<String>, format = "email", max_length = 254, example = "ann@customer.example")]
    #[deserr(default)]
    pub(crate) customer_email: Option<Address>,
}

/// An amount of money as large as a total can be: with up to 22 digits before the point, as the column holds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Total(pub(crate) Decimal);

/// An address that mail can go to.
#[derive(Debug, Clone)]
pub(crate) struct Address(pub(crate) CustomerEmail);

/// One item of a new order.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its documentation is used: items are read by hand")]
pub(crate) struct NewItem {
    /// What is wanted.
    #[schema(example = 401)]
    product_id: i64,
    /// How many units.
    #[schema(minimum = 1, maximum = 1_000_000, example = 2)]
    quantity_requested: i32,
}

/// Items that make a legal basket.
#[derive(Debug)]
pub(crate) struct Items(pub(crate) Basket);

/// As much of an item as could be read.
struct Draft {
    product_id: Option<i64>,
    quantity: Option<i32>,
}

impl Deserr<Faults> for Items {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, place: ValuePointerRef) -> Result<Self, Faults> {
        let Value::Sequence(items) = value else { return Err(wrong_kind(value, &[ValueKind::Sequence], place)) };
        let mut faults = Vec::new();
        let drafts: Vec<Draft> = items
            .into_iter()
            .enumerate()
            .map(|(line, item)| draft(item.into_value(), place.push_index(line), &mut faults))
            .collect();
        faults.extend(wrong_length(drafts.len()).map(fault));
        let products = drafts.iter().enumerate().filter_map(|(line, draft)| Some((line, draft.product_id?)));
        faults.extend(duplicates(products).into_iter().map(fault));
        if !faults.is_empty() {
            return Err(Faults(faults));
        }
        let lines = drafts
            .into_iter()
            .filter_map(|draft| Some(Wanted { product_id: draft.product_id?, quantity: draft.quantity? }));
        Basket::new(lines.collect()).map(Self).map_err(|faults| Faults(faults.into_iter().map(fault).collect()))
    }
}

impl Deserr<Faults> for Total {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, place: ValuePointerRef) -> Result<Self, Faults> {
        let Value::String(text) = value else { return Err(wrong_kind(value, &[ValueKind::String], place)) };
        let rejected = match Money::with_digits(&text, 22, 2) {
            Ok(Money(total)) if total.is_sign_positive() => return Ok(Self(total)),
            Ok(_) => Rejected::new("out_of_range", "Must not be negative."),
            Err(rejected) => rejected,
        };
        Err(Fault::in_body(place, rejected.code, rejected.detail).into())
    }
}

impl Deserr<Faults> for Address {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, place: ValuePointerRef) -> Result<Self, Faults> {
        let Value::String(text) = value else { return Err(wrong_kind(value, &[ValueKind::String], place)) };
        let address = CustomerEmail::parse(&text).map(Self);
        address.map_err(|wrong| Fault::at("/customer_email", "invalid_email", wrong.to_string()).into())
    }
}

fn draft<V: IntoValue>(value: Value<V>, place: ValuePointerRef, faults: &mut Vec<Fault>) -> Draft {
    let Value::Map(mut item) = value else {
        faults.extend(wrong_kind(value, &[ValueKind::Map], place).0);
        return Draft { product_id: None, quantity: None };
    };
    let product_id = member::<_, Id>(&mut item, "product_id", place, faults).map(|id| id.0);
    let quantity = member::<_, Quantity>(&mut item, "quantity_requested", place, faults);
    Draft { product_id, quantity: quantity.and_then(|quantity| i32::try_from(quantity.0).ok()) }
}

fn member<M: Map, T: Deserr<Faults>>(
    item: &mut M,
    name: &'static str,
    place: ValuePointerRef,
    faults: &mut Vec<Fault>,
) -> Option<T> {
    let read = match item.remove(name) {
        Some(value) => T::deserialize_from_value(value.into_value(), place.push_key(name)),
        None => Err(collect::<M::Value>(ErrorKind::MissingField { field: name }, place)),
    };
    read.map_err(|found| faults.extend(found.0)).ok()
}

fn wrong_kind<V: IntoValue>(actual: Value<V>, accepted: &[ValueKind], place: ValuePointerRef) -> Faults {
    collect(ErrorKind::IncorrectValueKind { actual, accepted }, place)
}

fn collect<V: IntoValue>(kind: ErrorKind<'_, V>, place: ValuePointerRef) -> Faults {
    deserr::take_cf_content(Faults::error(None, kind, place))
}

fn fault(fault: BasketFault) -> Fault {
    let (pointer, code) = match fault {
        BasketFault::Empty => ("/items".to_owned(), "too_few"),
        BasketFault::TooManyLines => ("/items".to_owned(), "too_many"),
        BasketFault::Quantity { line } => (format!("/items/{line}/quantity_requested"), "out_of_range"),
        BasketFault::Duplicate { line, .. } => (format!("/items/{line}/product_id"), "duplicate_product"),
    };
    Fault::at(pointer, code, fault.to_string())
}
