//! `DELETE /stores/{id}/`

use accounts::Authorized;
use accounts::scope::StoresWrite;
use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, delete};
use db::Database;
use web::Params;

/// Deletes a store
///
/// What it has in stock goes with it. A store with orders stays.
#[utoipa::path(
    tag = "stores",
    operation_id = "delete_store",
    params(("id" = i64, Path, description = "Id of the store")),
    security(("bearer" = ["stores:write"])),
    responses(
        (status = 204, description = "Deleted."),
        (status = 409, description = "Orders refer to the store."),
    ),
)]
#[delete("/stores/{id}/")]
pub(crate) async fn delete_store(
    authorized: Authorized<StoresWrite>,
    database: Data<Database>,
    id: Path<i64>,
    _: Params<()>,
) -> web::Result<HttpResponse> {
    let (actor, id) = (authorized.into_actor(), *id);
    database.transaction(move |tx| Box::pin(async move { crate::delete(tx, &actor, id).await })).await?;
    Ok(HttpResponse::NoContent().finish())
}
