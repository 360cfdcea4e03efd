//! `POST /categories/`

use accounts::Authorized;
use accounts::scope::CatalogueWrite;
use actix_web::web::Data;
use actix_web::{HttpResponse, post};
use db::{Clock, Database};
use web::{All, Json, Params};

use super::body::CategoryName;
use super::view::CategoryView;

/// Creates a category
#[utoipa::path(
    tag = "products",
    operation_id = "create_category",
    request_body = CategoryName,
    security(("bearer" = ["catalogue:write"])),
    responses(
        (status = 201, description = "Created.", body = CategoryView, headers(
            ("Location" = String, description = "Where the category is."),
        )),
        (status = 409, description = "Another category has this name."),
    ),
)]
#[post("/categories/")]
pub(crate) async fn create_category(
    authorized: Authorized<CatalogueWrite>,
    database: Data<Database>,
    clock: Data<Clock>,
    sent: All<(Params<()>, Json<CategoryName>)>,
) -> web::Result<HttpResponse> {
    let All((_, body)) = sent;
    let (actor, now, name) = (authorized.into_actor(), clock.now(), body.0.name.0);
    let category = database
        .transaction(move |tx| Box::pin(async move { crate::create_category(tx, &actor, &name, now).await }))
        .await?;
    let location = format!("/categories/{}/", category.id);
    Ok(HttpResponse::Created().insert_header(("Location", location)).json(CategoryView::from(category)))
}
