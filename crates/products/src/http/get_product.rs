//! `GET /products/{id}/`

use accounts::Authorized;
use accounts::scope::CatalogueRead;
use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, get};
use db::Database;
use web::Params;

use super::view::{self, ProductView};

/// Shows a product
#[utoipa::path(
    tag = "products",
    operation_id = "get_product",
    params(("id" = i64, Path, description = "Id of the product")),
    security((), ("bearer" = ["catalogue:read"])),
    responses((status = 200, body = ProductView, headers(("ETag" = String, description = "For `If-Match`.")))),
)]
#[get("/products/{id}/")]
pub(crate) async fn get_product(
    _: Authorized<CatalogueRead>,
    database: Data<Database>,
    id: Path<i64>,
    _: Params<()>,
) -> web::Result<HttpResponse> {
    let conn = database.connection().await?;
    view::with_etag(HttpResponse::Ok(), crate::get(&conn, *id).await?)
}
