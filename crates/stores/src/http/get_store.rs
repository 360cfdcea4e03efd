//! `GET /stores/{id}/`

use accounts::Authorized;
use accounts::scope::CatalogueRead;
use actix_web::get;
use actix_web::web::{Data, Json, Path};
use db::Database;
use web::Params;

use super::view::StoreView;

/// Shows a store
#[utoipa::path(
    tag = "stores",
    operation_id = "get_store",
    params(("id" = i64, Path, description = "Id of the store")),
    security((), ("bearer" = ["catalogue:read"])),
    responses((status = 200, body = StoreView)),
)]
#[get("/stores/{id}/")]
pub(crate) async fn get_store(
    _: Authorized<CatalogueRead>,
    database: Data<Database>,
    id: Path<i64>,
    _: Params<()>,
) -> web::Result<Json<StoreView>> {
    let conn = database.connection().await?;
    Ok(Json(crate::get(&conn, *id).await?.into()))
}
