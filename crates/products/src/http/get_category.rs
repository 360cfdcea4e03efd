//! `GET /categories/{id}/`

use accounts::Authorized;
use accounts::scope::CatalogueRead;
use actix_web::get;
use actix_web::web::{Data, Json, Path};
use db::Database;
use web::Params;

use super::view::CategoryView;

/// Shows a category
#[utoipa::path(
    tag = "products",
    operation_id = "get_category",
    params(("id" = i64, Path, description = "Id of the category")),
    security((), ("bearer" = ["catalogue:read"])),
    responses((status = 200, body = CategoryView)),
)]
#[get("/categories/{id}/")]
pub(crate) async fn get_category(
    _: Authorized<CatalogueRead>,
    database: Data<Database>,
    id: Path<i64>,
    _: Params<()>,
) -> web::Result<Json<CategoryView>> {
    let conn = database.connection().await?;
    Ok(Json(crate::get_category(&conn, *id).await?.into()))
}
