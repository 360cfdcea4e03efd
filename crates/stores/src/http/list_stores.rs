//! `GET /stores/`

use accounts::Authorized;
use accounts::scope::CatalogueRead;
use actix_web::get;
use actix_web::web::{Data, Json};
use db::Database;
use web::{Links, Page, Paging, Params};

use super::view::StoreView;

/// Lists the stores
///
/// By name without regard to case, then by id.
#[utoipa::path(
    tag = "stores",
    operation_id = "list_stores",
    params(Paging),
    security((), ("bearer" = ["catalogue:read"])),
    responses((status = 200, body = Page<StoreView>)),
)]
#[get("/stores/")]
pub(crate) async fn list_stores(
    _: Authorized<CatalogueRead>,
    database: Data<Database>,
    params: Params<Paging>,
    links: Links,
) -> web::Result<Json<Page<StoreView>>> {
    let spot = params.0.spot()?;
    let conn = database.connection().await?;
    let (count, rows) = crate::list(&conn, &spot).await?;
    Ok(Json(Page::new(&spot, count, rows, &links, |store| (store.name_key.clone(), store.id), StoreView::from)?))
}
