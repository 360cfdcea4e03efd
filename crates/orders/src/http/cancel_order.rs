use actix_web::post;
use actix_web::web::{Data, Json, Path};
use web::{Operator, Params, RequestId};

use crate::Orders;
use crate::answer::DetailView;

/// Cancel an order
///
/// A confirmed order becomes `CANCELLED` and its stock goes back, exactly once: cancelling again answers the same and
/// moves nothing. An order that was rejected took nothing and cannot be cancelled. Needs the operators' token.
#[utoipa::path(
    tag = "orders",
    responses(
        (status = 200, description = "The order, cancelled now or before.", body = DetailView),
        (status = 401, description = "The token of an operator is needed, as `Authorization: Bearer <token>`."),
        (status = 409, description = "The order is not a confirmed one, so there is nothing to cancel."),
    ),
)]
#[post("/orders/{order_id}/cancel/")]
pub(crate) async fn cancel_order(
    _: Operator,
    orders: Data<Orders>,
    order_id: Path<i64>,
    request: RequestId,
    _: Params<()>,
) -> web::Result<Json<DetailView>> {
    let (order, confirmation) = orders.cancel(*order_id, &request.0).await?;
    Ok(Json(DetailView::new(&order, confirmation)))
}
