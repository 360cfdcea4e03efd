//! `DELETE /categories/{id}/`

use accounts::Authorized;
use accounts::scope::CatalogueWrite;
use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, delete};
use db::Database;
use web::Params;

/// Deletes a category
///
/// One under which products are filed stays.
#[utoipa::path(
    tag = "products",
    operation_id = "delete_category",
    params(("id" = i64, Path, description = "Id of the category")),
    security(("bearer" = ["catalogue:write"])),
    responses(
        (status = 204, description = "Deleted."),
        (status = 409, description = "Products are filed under the category."),
    ),
)]
#[delete("/categories/{id}/")]
pub(crate) async fn delete_category(
    authorized: Authorized<CatalogueWrite>,
    database: Data<Database>,
    id: Path<i64>,
    _: Params<()>,
) -> web::Result<HttpResponse> {
    let (actor, id) = (authorized.into_actor(), *id);
    database.transaction(move |tx| Box::pin(async move { crate::delete_category(tx, &actor, id).await })).await?;
    Ok(HttpResponse::NoContent().finish())
}
