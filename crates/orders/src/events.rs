//! What this domain tells others, recorded in the transaction in which it became true.
//!
//! Operators see events, and so do those that a webhook tells of them: nothing in one is about a person.

use serde::{Deserialize, Serialize};
use web::{Money, Timestamp};

use crate::order::{Order, Status};

/// An order was confirmed: its stock is taken, and its customer is to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderConfirmed {
    /// The store that it was placed at.
    pub store_id: i64,
    /// The order.
    pub order_id: i64,
    /// Whether the customer left an address for mail.
    #[serde(default)]
    pub has_address: bool,
    /// When staff wanted it sent once more although it was sent or discarded, in microseconds since 1970: a letter of its
    /// own then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resent: Option<i64>,
}

/// An order was confirmed or rejected. Recorded only where a webhook wants to hear of it
/// ([`Config::announces`](crate::Config)), beside [`OrderConfirmed`]: neither waits for what becomes of the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct OrderDecided {
    /// The store that it was placed at.
    pub store_id: i64,
    /// The order.
    pub order_id: i64,
    /// How it was decided.
    pub status: Status,
    /// When.
    pub at: Timestamp,
    /// Sum of the lines' quantities, served or not.
    pub total_items: i64,
    /// Sum of quantity times unit price over the lines, served or not.
    pub total_price: Money,
}

/// A confirmed order was called off, and its stock went back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct OrderCancelled {
    /// The store that it was placed at.
    pub store_id: i64,
    /// The order.
    pub order_id: i64,
    /// When it was called off.
    pub at: Timestamp,
}

impl OrderConfirmed {
    pub(crate) fn of(order: &Order) -> Self {
        let Order { id: order_id, customer_email, terms } = order;
        Self { store_id: terms.store_id, order_id: *order_id, has_address: customer_email.is_some(), resent: None }
    }
}

impl OrderDecided {
    pub(crate) fn of(order: &Order) -> Self {
        let Order { id, terms, .. } = order;
        Self {
            store_id: terms.store_id,
            order_id: *id,
            status: terms.status,
            at: Timestamp(terms.created_at),
            total_items: terms.total_items,
            total_price: Money(terms.total_price),
        }
    }
}

impl outbox::Event for OrderConfirmed {
    const KIND: &'static str = "order.confirmed";

    fn store_id(&self) -> i64 {
        self.store_id
    }
}

impl outbox::Event for OrderDecided {
    const KIND: &'static str = "order.decided";

    fn store_id(&self) -> i64 {
        self.store_id
    }
}

impl outbox::Event for OrderCancelled {
    const KIND: &'static str = "order.cancelled";

    fn store_id(&self) -> i64 {
        self.store_id
    }
}
