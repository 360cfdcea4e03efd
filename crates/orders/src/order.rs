//! An order, as it is decided and kept.

use chrono::{DateTime, Utc};
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::pg::{Pg, PgValue};
use diesel::prelude::*;
use diesel::sql_types::Text;
use rust_decimal::Decimal;
use serde::Serialize;
use stores::stock::Quantity;
use utoipa::ToSchema;

use crate::email::CustomerEmail;
use crate::schema::{confirmations, orders};

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ToSchema, FromSqlRow)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schema(as = OrderStatus)]
pub enum Status {
    /// Waits to be decided. Orders placed here are decided at once; rows of other programs may wait.
    Pending,
    /// Every line was taken out of stock.
    Confirmed,
    /// At least one line could not be served; no stock moved.
    Rejected,
    /// Was confirmed, then called off; its stock went back.
    Cancelled,
}

/// Names in the database, the same as on the wire.
impl Status {
    /// Every status, by its name.
    pub const NAMES: [(&'static str, Self); 4] = [
        ("PENDING", Self::Pending),
        ("CONFIRMED", Self::Confirmed),
        ("REJECTED", Self::Rejected),
        ("CANCELLED", Self::Cancelled),
    ];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        name_of(&Self::NAMES, self)
    }
}

/// Why a line could not be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema, FromSqlRow)]
#[serde(rename_all = "snake_case")]
#[schema(as = OrderLineRejectionCode)]
pub enum Reason {
    /// The store has fewer units than were asked for.
    InsufficientStock,
    /// The store does not carry the product.
    NotStocked,
}

impl Reason {
    pub(crate) const NAMES: [(&'static str, Self); 2] =
        [("insufficient_stock", Self::InsufficientStock), ("not_stocked", Self::NotStocked)];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        name_of(&Self::NAMES, self)
    }
}

/// That a line could not be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rejection {
    /// Why.
    pub reason: Reason,
    /// Units on hand at that moment.
    pub available: i32,
}

/// One line of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What was asked for.
    pub product_id: i64,
    /// How many units, 1 to 1,000,000.
    pub quantity: i32,
    /// The product's price when the order was decided.
    pub unit_price: Decimal,
    /// Set where this line could not be served.
    pub rejection: Option<Rejection>,
}

/// What an order says besides its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The store that it was placed at.
    pub store_id: i64,
    /// Where it stands.
    pub status: Status,
    /// When it was decided.
    pub created_at: DateTime<Utc>,
    /// Sum of the lines' quantities, served or not.
    pub total_items: i64,
    /// Sum of quantity times unit price over the lines, served or not.
    pub total_price: Decimal,
    /// The lines, as they were asked for.
    pub lines: Vec<Line>,
}

/// An order, with its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Its number.
    pub id: i64,
    /// Where its confirmation goes by mail, if the customer left an address.
    pub customer_email: Option<CustomerEmail>,
    /// Everything else.
    pub terms: Terms,
}

impl Terms {
    /// What leaves the stock of the store: nothing unless confirmed.
    pub(crate) fn taken(&self) -> Vec<Quantity> {
        match self.status {
            Status::Confirmed => {
                self.lines.iter().map(|line| (self.store_id, line.product_id, line.quantity)).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// An order without its lines: what a list shows.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = orders, check_for_backend(Pg))]
pub struct Summary {
    /// Its number.
    pub id: i64,
    /// Where it stands.
    pub status: Status,
    /// When it was decided.
    pub created_at: DateTime<Utc>,
    /// Sum of the lines' quantities, served or not.
    pub total_items: i64,
    /// Sum of quantity times unit price over the lines, served or not.
    pub total_price: Decimal,
}

/// Whether the customer of a confirmed order was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema, FromSqlRow)]
#[serde(rename_all = "snake_case")]
#[schema(as = OrderConfirmationState)]
pub enum ConfirmationState {
    /// Not yet.
    Pending,
    /// Yes.
    Sent,
    /// Given up after too many attempts.
    Failed,
}

impl ConfirmationState {
    /// Every one, with its name.
    pub const NAMES: [(&'static str, Self); 3] =
        [("pending", Self::Pending), ("sent", Self::Sent), ("failed", Self::Failed)];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        name_of(&Self::NAMES, self)
    }
}

/// How telling the customer of a confirmed order went.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = confirmations, check_for_backend(Pg))]
pub struct Confirmation {
    /// Whether it was sent.
    pub state: ConfirmationState,
    /// How many attempts it took to send it; 0 until then, however many have failed.
    pub attempts: i32,
    /// When it was sent.
    pub sent_at: Option<DateTime<Utc>>,
}

fn name_of<T: PartialEq + Copy>(names: &[(&'static str, T)], value: T) -> &'static str {
    names.iter().find(|(_, named)| *named == value).map_or("", |(name, _)| name)
}

fn named<T: Copy>(names: &[(&'static str, T)], value: PgValue<'_>) -> deserialize::Result<T> {
    let text = <String as FromSql<Text, Pg>>::from_sql(value)?;
    let found = names.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
    found.ok_or_else(|| format!("{text} is not one of the names that the column's check allows").into())
}

impl FromSql<Text, Pg> for Status {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        named(&Self::NAMES, value)
    }
}

impl FromSql<Text, Pg> for Reason {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        named(&Self::NAMES, value)
    }
}

impl FromSql<Text, Pg> for ConfirmationState {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        named(&Self::NAMES, value)
    }
}
