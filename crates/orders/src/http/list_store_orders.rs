use accounts::Authorized;
use accounts::scope::OrdersRead;
use actix_web::get;
use actix_web::web::{Data, Json, Path};
use utoipa::IntoParams;
use web::{FromParams, Links, Page, Paging, Param, ParamReader, Params, Rejected, Timestamp};

use crate::answer::SummaryView;
use crate::order::{Status, Summary};
use crate::{Filter, Orders};

#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Only orders that stand here.
    status: Option<Status>,
    /// Only orders decided at this moment or later.
    created_after: Option<Timestamp>,
    /// Only orders decided before this moment.
    created_before: Option<Timestamp>,
}

impl FromParams for Wanted {
    fn from_params(reader: &mut ParamReader) -> Self {
        Self {
            status: reader.optional("status"),
            created_after: reader.optional("created_after"),
            created_before: reader.optional("created_before"),
        }
    }
}

impl Param for Status {
    fn parse(text: &str) -> Result<Self, Rejected> {
        web::one_of(text, &Self::NAMES)
    }
}

/// List a store's orders
///
/// Newest first. `created_after` includes its moment and `created_before` does not, so that spans which follow each
/// other share no order and miss none.
#[utoipa::path(
    tag = "orders",
    params(Wanted, Paging),
    security((), ("bearer" = ["orders:read"])),
    responses((status = 200, description = "A page of orders.", body = Page<SummaryView>)),
)]
#[get("/stores/{store_id}/orders/")]
pub(crate) async fn list_store_orders(
    _: Authorized<OrdersRead>,
    orders: Data<Orders>,
    store_id: Path<i64>,
    params: Params<(Wanted, Paging)>,
    links: Links,
) -> web::Result<Json<Page<SummaryView>>> {
    let Params((wanted, paging)) = params;
    let spot = paging.spot()?;
    let filter = Filter {
        status: wanted.status,
        created_after: wanted.created_after.map(|moment| moment.0),
        created_before: wanted.created_before.map(|moment| moment.0),
    };
    let (count, rows) = orders.list(*store_id, &filter, &spot.seek, spot.size, spot.count).await?;
    let key = |order: &Summary| (order.created_at.timestamp_micros(), order.id);
    Ok(Json(Page::new(&spot, count, rows, &links, key, SummaryView::from)?))
}
