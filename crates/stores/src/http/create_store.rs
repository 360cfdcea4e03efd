//! `POST /stores/`

use accounts::Authorized;
use accounts::scope::StoresWrite;
use actix_web::web::Data;
use actix_web::{HttpResponse, post};
use db::{Clock, Database};
use web::{All, Json, Params};

use super::body::NewStoreBody;
use super::view::StoreView;

/// Creates a store
#[utoipa::path(
    tag = "stores",
    operation_id = "create_store",
    request_body = NewStoreBody,
    security(("bearer" = ["stores:write"])),
    responses(
        (status = 201, description = "Created.", body = StoreView, headers(
            ("Location" = String, description = "Where the store is."),
        )),
    ),
)]
#[post("/stores/")]
pub(crate) async fn create_store(
    authorized: Authorized<StoresWrite>,
    database: Data<Database>,
    clock: Data<Clock>,
    sent: All<(Params<()>, Json<NewStoreBody>)>,
) -> web::Result<HttpResponse> {
    let All((_, body)) = sent;
    let (actor, now, new) = (authorized.into_actor(), clock.now(), body.0.into());
    let store =
        database.transaction(move |tx| Box::pin(async move { crate::create(tx, &actor, &new, now).await })).await?;
    let location = format!("/stores/{}/", store.id);
    Ok(HttpResponse::Created().insert_header(("Location", location)).json(StoreView::from(store)))
}
