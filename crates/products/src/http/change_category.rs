//! `PATCH /categories/{id}/`

use accounts::Authorized;
use accounts::scope::CatalogueWrite;
use actix_web::patch;
use actix_web::web::{Data, Path};
use db::Database;
use web::{All, Json, Params};

use super::body::CategoryName;
use super::view::CategoryView;

/// Renames a category
#[utoipa::path(
    tag = "products",
    operation_id = "change_category",
    params(("id" = i64, Path, description = "Id of the category")),
    request_body = CategoryName,
    security(("bearer" = ["catalogue:write"])),
    responses(
        (status = 200, description = "Renamed.", body = CategoryView),
        (status = 409, description = "Another category has this name."),
    ),
)]
#[patch("/categories/{id}/")]
pub(crate) async fn change_category(
    authorized: Authorized<CatalogueWrite>,
    database: Data<Database>,
    id: Path<i64>,
    sent: All<(Params<()>, Json<CategoryName>)>,
) -> web::Result<actix_web::web::Json<CategoryView>> {
    let All((_, body)) = sent;
    let (actor, id, name) = (authorized.into_actor(), *id, body.0.name.0);
    let category = database
        .transaction(move |tx| Box::pin(async move { crate::rename_category(tx, &actor, id, &name, |_| true).await }))
        .await?;
    Ok(actix_web::web::Json(category.into()))
}
