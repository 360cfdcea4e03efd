use accounts::scope::OrdersRead;
use accounts::{Authorized, Scope};
use actix_web::get;
use actix_web::web::{Data, Json, Path};
use web::{Code, Error, Params};

use crate::Orders;
use crate::answer::DetailView;

/// Get an order
///
/// With its lines, and whether its customer was told. The customer's address is shown to those who send a token with
/// the scope `orders:read`.
#[utoipa::path(
    tag = "orders",
    security((), ("bearer" = ["orders:read"])),
    responses((status = 200, description = "The order.", body = DetailView)),
)]
#[get("/orders/{order_id}/")]
pub(crate) async fn get_order(
    authorized: Authorized<OrdersRead>,
    orders: Data<Orders>,
    order_id: Path<i64>,
    _: Params<()>,
) -> web::Result<Json<DetailView>> {
    match orders.find(*order_id).await? {
        Some((order, confirmation)) => {
            Ok(Json(DetailView::new(&order, confirmation, authorized.holds(Scope::OrdersRead))))
        }
        None => Err(Error::new(Code::NotFound).with_detail(format!("There is no order {order_id}."))),
    }
}
