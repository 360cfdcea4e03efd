//! `GET /categories/`

use accounts::Authorized;
use accounts::scope::CatalogueRead;
use actix_web::get;
use actix_web::web::{Data, Json};
use db::Database;
use web::{Links, Page, Paging, Params};

use super::view::CategoryView;

/// Lists the categories
///
/// By name, without regard to case.
#[utoipa::path(
    tag = "products",
    operation_id = "list_categories",
    params(Paging),
    security((), ("bearer" = ["catalogue:read"])),
    responses((status = 200, body = Page<CategoryView>)),
)]
#[get("/categories/")]
pub(crate) async fn list_categories(
    _: Authorized<CatalogueRead>,
    database: Data<Database>,
    params: Params<Paging>,
    links: Links,
) -> web::Result<Json<Page<CategoryView>>> {
    let spot = params.0.spot()?;
    let conn = database.connection().await?;
    let (count, rows) = crate::categories(&conn, &spot).await?;
    Ok(Json(Page::new(&spot, count, rows, &links, |category| category.name_key.clone(), CategoryView::from)?))
}
