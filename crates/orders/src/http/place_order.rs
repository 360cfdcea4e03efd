use accounts::scope::OrdersPlace;
use accounts::{Authorized, Scope};
use actix_web::http::header::LOCATION;
use actix_web::web::Data;
use actix_web::{HttpResponse, post};
use utoipa::IntoParams;
use web::{All, FromParams, Idempotent, Json, ParamReader, Params, RequestId, TraceParent};

use crate::answer::{self, OrderView, TermsView};
use crate::http::body::NewOrder;
use crate::place::{PlaceError, Placed};
use crate::{Key, Orders, Request};

#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
struct Mode {
    /// Answer what would happen now, and write nothing.
    #[param(default = false)]
    dry_run: Option<bool>,
}

impl FromParams for Mode {
    fn from_params(reader: &mut ParamReader) -> Self {
        Self { dry_run: reader.optional("dry_run") }
    }
}

#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only its documentation is used: `Idempotent` reads the header")]
struct Headers {
    /// The client's name for this one order, such as a UUID.
    #[param(rename = "Idempotency-Key", nullable = false, min_length = 1, max_length = 255)]
    idempotency_key: Option<String>,
}

/// Place an order
///
/// In one transaction: the stock of every line is checked, and either all of it is taken (`CONFIRMED`) or none
/// (`REJECTED`, with the reason of every line that could not be served). Both outcomes are stored and answer 201.
///
/// With `expected_total` the order is only placed if the items cost exactly that now; else 409 with the right total,
/// and nothing is stored.
///
/// With an `Idempotency-Key`, a repeat of the same request within 72 hours gets the first answer again, byte for byte,
/// and places nothing. A key belongs to the store of its order, and to the token where one is sent; a request that was refused with a 4xx leaves it unused.
/// With `dry_run=true` the key is not looked at.
///
/// With a `customer_email` the confirmation goes there by mail, where the installation sends mail. It takes a token
/// with the scope `orders:email` besides, and is shown to those alone who send one with `orders:read`.
#[utoipa::path(
    tag = "orders",
    params(Mode, Headers),
    request_body = NewOrder,
    security((), ("bearer" = ["orders:place"])),
    responses(
        (status = 201, description = "Decided and stored: confirmed, or rejected.", body = OrderView, headers(
            ("Location" = String, description = "Where the order is."),
            ("Idempotent-Replayed" = bool, description = "`true` when this is the stored answer to an earlier request."),
        )),
        (status = 200, description = "A dry run: what would happen now. Nothing was stored.", body = TermsView),
        (status = 404, description = "There is no such store."),
        (status = 409, description = "The items cost something else than `expected_total`; or the first request with this \
                                      Idempotency-Key is still being worked on (then with `Retry-After`).", headers(
            ("Retry-After" = i64, description = "Seconds to wait before trying again."),
        )),
        (status = 422, description = "This Idempotency-Key was used before with another body."),
    ),
)]
#[post("/orders/")]
pub(crate) async fn place_order(
    authorized: Authorized<OrdersPlace>,
    orders: Data<Orders>,
    sent: All<(Params<Mode>, Idempotent, Json<NewOrder>)>,
    request: RequestId,
    trace: TraceParent,
) -> web::Result<HttpResponse> {
    let All((mode, key, body)) = sent;
    let NewOrder { store_id, items, expected_total, customer_email } = body.0;
    // Or the store could be used to send mail to strangers.
    if customer_email.is_some() {
        authorized.require(Scope::OrdersEmail)?;
    }
    let client = authorized.identity().map(|identity| identity.token_id.to_string()).unwrap_or_default();
    let request = Request {
        store_id: store_id.0,
        basket: items.0,
        expected_total: expected_total.map(|total| total.0),
        customer_email: customer_email.map(|address| address.0),
        key: key.0.map(|key| Key { client, key: key.0 }),
        request_id: Some(request.0),
        traceparent: trace.0,
    };
    if mode.0.dry_run == Some(true) {
        let terms = orders.preview(&request).await?;
        return Ok(HttpResponse::Ok().json(TermsView::from(&terms)));
    }
    let placed = orders.place(request).await?;
    Ok(created(placed)?)
}

fn created(placed: Placed) -> Result<HttpResponse, PlaceError> {
    let mut response = HttpResponse::Created();
    let (id, body) = match placed {
        Placed::New(order) => (order.id, answer::placed(&order)?),
        Placed::Replayed { order_id, body } => {
            response.insert_header(("Idempotent-Replayed", "true"));
            (order_id, body)
        }
    };
    response.insert_header((LOCATION, format!("/orders/{id}/")));
    Ok(response.content_type("application/json").body(body))
}
