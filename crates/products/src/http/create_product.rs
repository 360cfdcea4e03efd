//! `POST /products/`

use accounts::Authorized;
use accounts::scope::CatalogueWrite;
use actix_web::web::Data;
use actix_web::{HttpResponse, post};
use db::{Clock, Database};
use web::{All, Json, Params};

use super::body::NewProductBody;
use super::view::{self, ProductView};

/// Creates a product
#[utoipa::path(
    tag = "products",
    operation_id = "create_product",
    request_body = NewProductBody,
    security(("bearer" = ["catalogue:write"])),
    responses(
        (status = 201, description = "Created.", body = ProductView, headers(
            ("Location" = String, description = "Where the product is."),
            ("ETag" = String, description = "For `If-Match`."),
        )),
        (status = 409, description = "Another product has this sku."),
    ),
)]
#[post("/products/")]
pub(crate) async fn create_product(
    authorized: Authorized<CatalogueWrite>,
    database: Data<Database>,
    clock: Data<Clock>,
    sent: All<(Params<()>, Json<NewProductBody>)>,
) -> web::Result<HttpResponse> {
    let All((_, body)) = sent;
    let (actor, now, new) = (authorized.into_actor(), clock.now(), body.0.into());
    let product =
        database.transaction(move |tx| Box::pin(async move { crate::create(tx, &actor, &new, now).await })).await?;
    let mut answer = HttpResponse::Created();
    answer.insert_header(("Location", format!("/products/{}/", product.id)));
    view::with_etag(answer, product)
}
