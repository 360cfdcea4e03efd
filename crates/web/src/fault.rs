//! What is wrong with a request, place by place.

use std::fmt::Write as _;
use std::ops::ControlFlow;

use deserr::{DeserializeError, ErrorKind, IntoValue, MergeWithError, ValueKind, ValuePointerRef};
use serde::Serialize;
use utoipa::ToSchema;

use crate::Money;

/// Where a fault lies. On the wire: a member `pointer` or `parameter`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// A JSON pointer (RFC 6901) into the body.
    Pointer(String),
    /// The name of a query parameter or header.
    Parameter(String),
}

/// One thing that is wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Where it lies.
    #[serde(flatten)]
    pub place: Place,
    /// Which kind of fault, for programs.
    pub code: &'static str,
    /// What would be right, for people.
    pub detail: String,
    /// What is stored now, where that is the matter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current: Option<i64>,
    /// What the items cost now, where that is the matter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_total: Option<Money>,
}

/// A fault as documented.
#[derive(ToSchema)]
#[schema(as = Fault)]
#[expect(dead_code, reason = "only its documentation is used")]
pub(crate) struct FaultSchema {
    /// JSON pointer into the body, when the fault lies there.
    #[schema(nullable = false, example = "/items/2/quantity_requested")]
    pointer: Option<String>,
    /// Query parameter or header, when the fault lies there.
    #[schema(nullable = false)]
    parameter: Option<String>,
    /// Which kind of fault, for programs.
    #[schema(example = "out_of_range")]
    code: String,
    /// What would be right, for people.
    #[schema(example = "Must be an integer from 1 to 1000000.")]
    detail: String,
    /// What is stored now, where that is the matter: the quantity that an `expected_quantity` or a `delta` missed.
    #[schema(nullable = false)]
    current: Option<i64>,
    /// What the items cost now, where an `expected_total` missed it.
    #[schema(nullable = false)]
    current_total: Option<Money>,
}

impl Fault {
    /// A fault in the body, at `pointer` (empty for the whole body).
    pub fn at(pointer: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        Self { place: Place::Pointer(pointer.into()), code, detail: detail.into(), current: None, current_total: None }
    }

    /// A fault in the value that deserr is reading.
    pub fn in_body(place: ValuePointerRef<'_>, code: &'static str, detail: impl Into<String>) -> Self {
        Self::at(pointer(place), code, detail)
    }

    /// The same, with what is stored now.
    #[must_use]
    pub fn with_current(self, current: i64) -> Self {
        Self { current: Some(current), ..self }
    }

    /// The same, with what the items cost now.
    #[must_use]
    pub fn with_current_total(self, total: Money) -> Self {
        Self { current_total: Some(total), ..self }
    }

    /// A fault in a query parameter or header.
    pub fn parameter(name: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        Self { place: Place::Parameter(name.into()), code, detail: detail.into(), current: None, current_total: None }
    }
}

/// Every fault found while reading a body: what deserr collects.
#[derive(Debug, Default)]
pub struct Faults(pub Vec<Fault>);

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Self(vec![fault])
    }
}

/// Reading goes on after a fault, so that a client hears of all of them at once.
impl MergeWithError<Faults> for Faults {
    fn merge(self_: Option<Self>, other: Self, _: ValuePointerRef) -> ControlFlow<Self, Self> {
        let mut all = self_.unwrap_or_default();
        all.0.extend(other.0);
        ControlFlow::Continue(all)
    }
}

impl DeserializeError for Faults {
    fn error<V: IntoValue>(
        self_: Option<Self>,
        error: ErrorKind<V>,
        place: ValuePointerRef,
    ) -> ControlFlow<Self, Self> {
        let fault = match error {
            ErrorKind::MissingField { field } => {
                Fault::at(pointer(place.push_key(field)), "required", "This field is required.")
            }
            ErrorKind::IncorrectValueKind { accepted, .. } => {
                Fault::at(pointer(place), "invalid_type", format!("Must be {}.", kinds(accepted)))
            }
            ErrorKind::UnknownValue { accepted, .. } => {
                Fault::at(pointer(place), "unknown_value", format!("Must be one of {}.", accepted.join(", ")))
            }
            ErrorKind::UnknownKey { .. } => Fault::at(pointer(place), "unknown_field", "This field is not known."),
            ErrorKind::BadSequenceLen { expected, .. } => {
                Fault::at(pointer(place), "invalid_length", format!("Must have {expected} elements."))
            }
            ErrorKind::Unexpected { msg } => Fault::at(pointer(place), "out_of_range", msg),
        };
        Self::merge(self_, fault.into(), place)
    }
}

/// RFC 6901: `~` and `/` in keys are escaped.
fn pointer(place: ValuePointerRef<'_>) -> String {
    let mut text = match place {
        ValuePointerRef::Origin => return String::new(),
        ValuePointerRef::Key { prev, .. } | ValuePointerRef::Index { prev, .. } => pointer(*prev),
    };
    match place {
        ValuePointerRef::Key { key, .. } => {
            text.push('/');
            text.push_str(&key.replace('~', "~0").replace('/', "~1"));
        }
        ValuePointerRef::Index { index, .. } => _ = write!(text, "/{index}"),
        ValuePointerRef::Origin => {}
    }
    text
}

fn kinds(accepted: &[ValueKind]) -> String {
    let mut names: Vec<&str> = accepted
        .iter()
        .map(|kind| match kind {
            ValueKind::Null => "null",
            ValueKind::Boolean => "true or false",
            ValueKind::Integer | ValueKind::NegativeInteger => "an integer",
            ValueKind::Float => "a number",
            ValueKind::String => "a string",
            ValueKind::Sequence => "an array",
            ValueKind::Map => "an object",
        })
        .collect();
    names.dedup();
    names.join(" or ")
}
