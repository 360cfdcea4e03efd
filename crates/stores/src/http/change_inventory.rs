//! `PATCH /stores/{store_id}/inventory/`

use accounts::Authorized;
use accounts::scope::StockWrite;
use actix_web::patch;
use actix_web::web::{Data, Path};
use db::{Clock, Database};
use web::{All, Json, Params};

use super::body::StockChanges;
use super::refused::Refused;
use super::view::{StockList, StockView};
use crate::stock;

/// Sets or adjusts what a store has of several products
///
/// Up to 1,000 of them, all or none: where one cannot be done, `errors` names every one that cannot, and nothing was
/// changed. Each is as in the operation for one product.
#[utoipa::path(
    tag = "stores",
    operation_id = "change_inventory",
    params(("store_id" = i64, Path, description = "Id of the store")),
    request_body = StockChanges,
    security(("bearer" = ["stock:write"])),
    responses(
        (status = 200, description = "What the store has of them now.", body = StockList),
        (status = 409, description = "A stock is another by now, or less than is to go: `errors` says what is there."),
    ),
)]
#[patch("/stores/{store_id}/inventory/")]
pub(crate) async fn change_inventory(
    authorized: Authorized<StockWrite>,
    database: Data<Database>,
    clock: Data<Clock>,
    store_id: Path<i64>,
    sent: All<(Params<()>, Json<StockChanges>)>,
) -> web::Result<actix_web::web::Json<StockList>> {
    let All((_, body)) = sent;
    let (actor, now, store_id) = (authorized.into_actor(), clock.now(), *store_id);
    let StockChanges { reason, changes } = body.0;
    let adjusted = database
        .transaction(move |tx| {
            Box::pin(async move {
                stock::adjust(tx, &actor, store_id, &changes.0, &reason.0, now).await.map_err(Refused::in_list)
            })
        })
        .await?;
    let results = adjusted.into_iter().map(|row| StockView::new(store_id, row)).collect();
    Ok(actix_web::web::Json(StockList { results }))
}
