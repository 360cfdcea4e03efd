use accounts::scope::OrdersCancel;
use accounts::{Authorized, Scope};
use actix_web::post;
use actix_web::web::{Data, Json, Path};
use web::Params;

use crate::Orders;
use crate::answer::DetailView;

/// Cancel an order
///
/// A confirmed order becomes `CANCELLED` and its stock goes back, exactly once: cancelling again answers the same and
/// moves nothing. An order that was rejected took nothing and cannot be cancelled.
#[utoipa::path(
    tag = "orders",
    security(("bearer" = ["orders:cancel"])),
    responses(
        (status = 200, description = "The order, cancelled now or before.", body = DetailView),
        (status = 409, description = "The order is not a confirmed one, so there is nothing to cancel."),
    ),
)]
#[post("/orders/{order_id}/cancel/")]
pub(crate) async fn cancel_order(
    authorized: Authorized<OrdersCancel>,
    orders: Data<Orders>,
    order_id: Path<i64>,
    _: Params<()>,
) -> web::Result<Json<DetailView>> {
    let (order, confirmation) = orders.cancel(*order_id, authorized.actor()).await?;
    Ok(Json(DetailView::new(&order, confirmation, authorized.holds(Scope::OrdersRead))))
}
