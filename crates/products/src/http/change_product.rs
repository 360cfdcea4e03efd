//! `PATCH /products/{id}/`

use accounts::Authorized;
use accounts::scope::CatalogueWrite;
use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, patch};
use db::{Clock, Database};
use web::{All, IfMatch, Json, Params};

use super::body::ProductChangeBody;
use super::view::{self, IfMatchHeader, ProductView};

/// Changes a product
///
/// With `If-Match` only if nobody else changed it since it was read.
#[utoipa::path(
    tag = "products",
    operation_id = "change_product",
    params(("id" = i64, Path, description = "Id of the product"), IfMatchHeader),
    request_body = ProductChangeBody,
    security(("bearer" = ["catalogue:write"])),
    responses(
        (status = 200, description = "Changed.", body = ProductView, headers(
            ("ETag" = String, description = "For `If-Match`."),
        )),
        (status = 409, description = "Another product has this sku."),
        (status = 412, description = "The product is no longer as `If-Match` says."),
    ),
)]
#[patch("/products/{id}/")]
pub(crate) async fn change_product(
    authorized: Authorized<CatalogueWrite>,
    database: Data<Database>,
    clock: Data<Clock>,
    id: Path<i64>,
    seen: IfMatch,
    sent: All<(Params<()>, Json<ProductChangeBody>)>,
) -> web::Result<HttpResponse> {
    let All((_, body)) = sent;
    let (actor, now, id, change) = (authorized.into_actor(), clock.now(), *id, body.0.into());
    let product = database
        .transaction(move |tx| {
            Box::pin(async move {
                let is_expected = |product: &_| view::is_what_was_seen(&seen, product);
                crate::change(tx, &actor, id, change, is_expected, now).await
            })
        })
        .await?;
    view::with_etag(HttpResponse::Ok(), product)
}
