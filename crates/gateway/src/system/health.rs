//! `GET /healthz/`

use actix_web::get;
use serde::Serialize;
use utoipa::ToSchema;
use web::Params;

/// A sign of life.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    /// Always `ok`.
    #[schema(example = "ok")]
    status: &'static str,
}

/// Tells that the process is alive
///
/// Looks at nothing outside the process: restart it when this fails, not when a database does.
#[utoipa::path(tag = "system", operation_id = "health", responses((status = 200, body = Health)))]
#[get("/healthz/")]
pub(crate) async fn health(_: Params<()>) -> actix_web::web::Json<Health> {
    actix_web::web::Json(Health { status: "ok" })
}
