//! `PATCH /stores/{id}/`

use accounts::Authorized;
use accounts::scope::StoresWrite;
use actix_web::patch;
use actix_web::web::{Data, Path};
use db::Database;
use web::{All, Json, Params};

use super::body::StoreChangeBody;
use super::view::StoreView;

/// Changes a store
#[utoipa::path(
    tag = "stores",
    operation_id = "change_store",
    params(("id" = i64, Path, description = "Id of the store")),
    request_body = StoreChangeBody,
    security(("bearer" = ["stores:write"])),
    responses((status = 200, description = "Changed.", body = StoreView)),
)]
#[patch("/stores/{id}/")]
pub(crate) async fn change_store(
    authorized: Authorized<StoresWrite>,
    database: Data<Database>,
    id: Path<i64>,
    sent: All<(Params<()>, Json<StoreChangeBody>)>,
) -> web::Result<actix_web::web::Json<StoreView>> {
    let All((_, body)) = sent;
    let (actor, id, change) = (authorized.into_actor(), *id, body.0.into());
    let store = database
        .transaction(move |tx| Box::pin(async move { crate::change(tx, &actor, id, change, |_| true).await }))
        .await?;
    Ok(actix_web::web::Json(store.into()))
}
