//! The wire forms of orders. The answer to a request with an idempotency key is kept with the key, so what a client was
//! told is the domain's business and not that of HTTP alone.

use serde::Serialize;
use utoipa::ToSchema;
use web::{Money, Timestamp};

use crate::order::{Confirmation, ConfirmationState, Line, Order, Reason, Rejection, Status, Summary, Terms};

/// The body that answers a placed order.
pub(crate) fn placed(order: &Order) -> Result<String, serde_json::Error> {
    serde_json::to_string(&OrderView::from(order))
}

/// An order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Order)]
pub(crate) struct OrderView {
    /// The order's number.
    #[schema(example = 4711)]
    id: i64,
    #[serde(flatten)]
    terms: TermsView,
}

/// What an order says besides its number.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderTerms)]
pub(crate) struct TermsView {
    /// The store that it was placed at.
    #[schema(example = 1)]
    store_id: i64,
    status: Status,
    /// When it was decided.
    created_at: Timestamp,
    /// Sum of the quantities asked for.
    #[schema(example = 2)]
    total_items: i64,
    /// Sum of quantity times unit price over all that was asked for.
    total_price: Money,
    /// The lines, as they were asked for.
    items: Vec<LineView>,
}

/// One line of an order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderLine)]
struct LineView {
    /// What was asked for.
    #[schema(example = 10)]
    product_id: i64,
    /// How many units were asked for.
    #[schema(minimum = 1, maximum = 1_000_000, example = 2)]
    quantity_requested: i32,
    /// The product's price when the order was decided.
    unit_price: Money,
    /// Why this line could not be served; null where it could.
    #[schema(required)]
    rejection: Option<RejectionView>,
}

/// That a line could not be served.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderLineRejection)]
struct RejectionView {
    code: Reason,
    /// Units on hand at that moment.
    #[schema(minimum = 0, example = 1)]
    available: i32,
}

/// An order, and whether its customer was told.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderDetail)]
pub(crate) struct DetailView {
    #[serde(flatten)]
    order: OrderView,
    /// Null where there is nothing to confirm.
    #[schema(required)]
    confirmation: Option<ConfirmationView>,
    /// Where the confirmation goes by mail. Only with a token with the scope `orders:read`, and where there is one.
    #[schema(format = "email", nullable = false, example = "ann@customer.example")]
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_email: Option<String>,
}

/// How telling the customer of a confirmed order went.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderConfirmation)]
struct ConfirmationView {
    state: ConfirmationState,
    /// How many attempts it took to send it; 0 until then, however many have failed.
    #[schema(minimum = 0, example = 1)]
    attempts: i32,
    /// When it was sent; null until then.
    #[schema(required)]
    sent_at: Option<Timestamp>,
}

/// An order in a list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderSummary)]
pub(crate) struct SummaryView {
    /// The order's number.
    #[schema(example = 4711)]
    id: i64,
    status: Status,
    /// When it was decided.
    created_at: Timestamp,
    /// Sum of the quantities asked for.
    #[schema(example = 2)]
    total_items: i64,
    /// Sum of quantity times unit price over all that was asked for.
    total_price: Money,
}

impl From<&Order> for OrderView {
    fn from(order: &Order) -> Self {
        Self { id: order.id, terms: TermsView::from(&order.terms) }
    }
}

impl From<&Terms> for TermsView {
    fn from(terms: &Terms) -> Self {
        Self {
            store_id: terms.store_id,
            status: terms.status,
            created_at: Timestamp(terms.created_at),
            total_items: terms.total_items,
            total_price: Money(terms.total_price),
            items: terms.lines.iter().map(LineView::from).collect(),
        }
    }
}

impl From<&Line> for LineView {
    fn from(line: &Line) -> Self {
        let show = |Rejection { reason, available }| RejectionView { code: reason, available };
        Self {
            product_id: line.product_id,
            quantity_requested: line.quantity,
            unit_price: Money(line.unit_price),
            rejection: line.rejection.map(show),
        }
    }
}

impl DetailView {
    /// Shows the customer's address if `shows_address` says so.
    pub(crate) fn new(order: &Order, confirmation: Option<Confirmation>, shows_address: bool) -> Self {
        let show = |Confirmation { state, attempts, sent_at }| ConfirmationView {
            state,
            attempts,
            sent_at: sent_at.map(Timestamp),
        };
        let customer_email = order.customer_email.as_ref().filter(|_| shows_address);
        Self {
            order: OrderView::from(order),
            confirmation: confirmation.map(show),
            customer_email: customer_email.map(|address| address.as_str().to_owned()),
        }
    }
}

impl From<Summary> for SummaryView {
    fn from(order: Summary) -> Self {
        Self {
            id: order.id,
            status: order.status,
            created_at: Timestamp(order.created_at),
            total_items: order.total_items,
            total_price: Money(order.total_price),
        }
    }
}
