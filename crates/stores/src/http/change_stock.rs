//! `PATCH /stores/{store_id}/inventory/{product_id}/`

use accounts::Authorized;
use accounts::scope::StockWrite;
use actix_web::patch;
use actix_web::web::{Data, Path};
use db::{Clock, Database};
use web::{All, Json, Params};

use super::body::{StockChange, StockChangeBody};
use super::refused::Refused;
use super::view::StockView;
use crate::stock::{self, Adjusted, Adjustment};

/// Sets or adjusts what a store has of a product
///
/// `quantity` is set only where the stock is still `expected_quantity`, so that nobody overwrites what was sold since
/// they counted; `delta` lets units come or go. A product that the store does not carry counts as 0 and is carried from
/// then on. The movement is in the ledger, with its reason.
#[utoipa::path(
    tag = "stores",
    operation_id = "change_stock",
    params(
        ("store_id" = i64, Path, description = "Id of the store"),
        ("product_id" = i64, Path, description = "Id of the product"),
    ),
    request_body = StockChangeBody,
    security(("bearer" = ["stock:write"])),
    responses(
        (status = 200, description = "What the store has now.", body = StockView),
        (status = 409, description = "The stock is another by now, or less than is to go: `errors` says what is there."),
    ),
)]
#[patch("/stores/{store_id}/inventory/{product_id}/")]
pub(crate) async fn change_stock(
    authorized: Authorized<StockWrite>,
    database: Data<Database>,
    clock: Data<Clock>,
    ids: Path<(i64, i64)>,
    sent: All<(Params<()>, Json<StockChange>)>,
) -> web::Result<actix_web::web::Json<StockView>> {
    let All((_, body)) = sent;
    let (actor, now, (store_id, product_id)) = (authorized.into_actor(), clock.now(), *ids);
    let StockChange { wish, reason } = body.0;
    let adjusted: Vec<Adjusted> = database
        .transaction(move |tx| {
            Box::pin(async move {
                let asked = [Adjustment { product_id, wish }];
                stock::adjust(tx, &actor, store_id, &asked, &reason, now).await.map_err(Refused::only)
            })
        })
        .await?;
    let shown = adjusted.into_iter().next().map(|row| StockView::new(store_id, row));
    shown.map(actix_web::web::Json).ok_or_else(|| web::Error::new(web::Code::Internal))
}
