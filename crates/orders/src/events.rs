//! What this domain tells others, recorded in the transaction in which it became true.

use serde::{Deserialize, Serialize};

/// An order was confirmed: its stock is taken, and its customer is to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderConfirmed {
    /// The store that it was placed at.
    pub store_id: i64,
    /// The order.
    pub order_id: i64,
}

/// A confirmed order was called off, and its stock went back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderCancelled {
    /// The store that it was placed at.
    pub store_id: i64,
    /// The order.
    pub order_id: i64,
}

impl outbox::Event for OrderConfirmed {
    const KIND: &'static str = "order.confirmed";

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
