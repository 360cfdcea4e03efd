//! What clients send to change the catalogue.

use deserr::{Deserr, IntoValue, Value, ValuePointerRef};
use rust_decimal::Decimal;
use utoipa::ToSchema;
use web::{Bounded, Fault, Faults, Given, Money, Text};

type Id = Bounded<{ i64::MIN }, { i64::MAX }>;
type Sku = Text<1, 100>;
type Title = Text<1, 500>;
type Description = Text<0, 20_000>;

/// The name of a category.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults)]
pub(crate) struct CategoryName {
    /// No two categories have the same, whatever its case.
    #[schema(value_type = String, min_length = 1, max_length = 200, example = "Tea")]
    pub(crate) name: Text<1, 200>,
}

/// A price: not negative, and not beyond what the column holds.
#[derive(Debug)]
pub(crate) struct Price(Decimal);

impl Deserr<Faults> for Price {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, place: ValuePointerRef<'_>) -> Result<Self, Faults> {
        match Money::deserialize_from_value(value, place) {
            Ok(Money(price)) if (Decimal::ZERO..Decimal::from(10_000_000_000_i64)).contains(&price) => Ok(Self(price)),
            // Money in general may have more digits: the bounds told are those of a price.
            Err(faults) if faults.0.iter().any(|fault| fault.code != "out_of_range") => Err(faults),
            Ok(_) | Err(_) => {
                let detail = "Must be from 0.00 to 9999999999.99, with at most 2 digits after the point.";
                Err(Fault::in_body(place, "out_of_range", detail).into())
            }
        }
    }
}

/// A product to be made.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults)]
#[schema(as = NewProduct)]
pub(crate) struct NewProductBody {
    /// The merchant's own key, which no other product has.
    #[deserr(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100, example = "TEA-0010")]
    sku: Option<Sku>,
    /// Title.
    #[schema(value_type = String, min_length = 1, max_length = 500, example = "Green tea, 100 g")]
    title: Title,
    /// Description.
    #[deserr(default)]
    #[schema(value_type = Option<String>, max_length = 20_000, example = "First harvest, loose leaves.")]
    description: Option<Description>,
    /// Price of one unit, with at most two decimals.
    #[schema(value_type = Money)]
    price: Price,
    /// Id of its category.
    #[schema(value_type = i64, example = 3)]
    category_id: Id,
}

impl From<NewProductBody> for crate::NewProduct {
    fn from(body: NewProductBody) -> Self {
        Self {
            sku: body.sku.map(|sku| sku.0),
            title: body.title.0,
            description: body.description.map(|text| text.0).unwrap_or_default(),
            price: body.price.0,
            category_id: body.category_id.0,
        }
    }
}

/// What to change of a product. What is not there stays as it is.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults)]
#[schema(as = ProductChange)]
pub(crate) struct ProductChangeBody {
    /// The merchant's own key, which no other product has; `null` takes it away.
    #[deserr(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100, example = "TEA-0010")]
    sku: Given<Option<Sku>>,
    /// Title.
    #[deserr(default)]
    #[schema(value_type = Option<String>, nullable = false, min_length = 1, max_length = 500, example = "Green tea, 100 g")]
    title: Given<Title>,
    /// Description.
    #[deserr(default)]
    #[schema(value_type = Option<String>, nullable = false, max_length = 20_000, example = "First harvest, loose leaves.")]
    description: Given<Description>,
    /// Price of one unit, with at most two decimals.
    #[deserr(default)]
    #[schema(value_type = Option<Money>, nullable = false)]
    price: Given<Price>,
    /// Id of its category.
    #[deserr(default)]
    #[schema(value_type = Option<i64>, nullable = false, example = 3)]
    category_id: Given<Id>,
}

impl From<ProductChangeBody> for crate::ProductChange {
    fn from(body: ProductChangeBody) -> Self {
        Self {
            sku: body.sku.0.map(|sku| sku.map(|sku| sku.0)),
            title: body.title.0.map(|title| title.0),
            description: body.description.0.map(|text| text.0),
            price: body.price.0.map(|price| price.0),
            category_id: body.category_id.0.map(|id| id.0),
        }
    }
}

/// Reads the name of a category as the API does, for whoever else takes one.
///
/// # Errors
/// Every fault, with its place.
pub fn read_category(body: serde_json::Value) -> Result<String, Faults> {
    deserr::deserialize::<CategoryName, _, _>(body).map(|body| body.name.0)
}

/// Reads a product to be made as the API does.
///
/// # Errors
/// Every fault, with its place.
pub fn read_new(body: serde_json::Value) -> Result<crate::NewProduct, Faults> {
    deserr::deserialize::<NewProductBody, _, _>(body).map(Into::into)
}

/// Reads what to change of a product as the API does.
///
/// # Errors
/// Every fault, with its place.
pub fn read_change(body: serde_json::Value) -> Result<crate::ProductChange, Faults> {
    deserr::deserialize::<ProductChangeBody, _, _>(body).map(Into::into)
}
