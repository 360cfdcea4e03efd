//! `DELETE /products/{id}/`

use accounts::Authorized;
use accounts::scope::CatalogueWrite;
use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, delete};
use db::Database;
use web::{IfMatch, Params};

use super::view::{self, IfMatchHeader};

/// Deletes a product
///
/// What stores have of it goes with it. A product that orders name stays.
#[utoipa::path(
    tag = "products",
    operation_id = "delete_product",
    params(("id" = i64, Path, description = "Id of the product"), IfMatchHeader),
    security(("bearer" = ["catalogue:write"])),
    responses(
        (status = 204, description = "Deleted."),
        (status = 409, description = "Orders refer to the product."),
        (status = 412, description = "The product is no longer as `If-Match` says."),
    ),
)]
#[delete("/products/{id}/")]
pub(crate) async fn delete_product(
    authorized: Authorized<CatalogueWrite>,
    database: Data<Database>,
    id: Path<i64>,
    seen: IfMatch,
    _: Params<()>,
) -> web::Result<HttpResponse> {
    let (actor, id) = (authorized.into_actor(), *id);
    database
        .transaction(move |tx| {
            Box::pin(
                async move { crate::delete(tx, &actor, id, |product| view::is_what_was_seen(&seen, product)).await },
            )
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}
