//! `GET /products/{id}/`

use actix_web::get;
use actix_web::web::{Data, Json, Path};
use db::Database;
use web::Params;

use super::view::ProductView;

/// Shows a product
#[utoipa::path(
    tag = "products",
    operation_id = "get_product",
    params(("id" = i64, Path, description = "Id of the product")),
    responses((status = 200, body = ProductView)),
)]
#[get("/products/{id}/")]
pub(crate) async fn get_product(
    database: Data<Database>,
    id: Path<i64>,
    _: Params<()>,
) -> web::Result<Json<ProductView>> {
    let conn = database.connection().await?;
    Ok(Json(crate::get(&conn, *id).await?.into()))
}
