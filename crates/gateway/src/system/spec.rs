//! `GET /openapi.json`

use actix_web::web::{Bytes, Data};
use actix_web::{HttpResponse, get};
use utoipa::openapi::OpenApi;

/// The document, written once.
pub(crate) struct OpenApiJson(Bytes);

impl OpenApiJson {
    pub(crate) fn new(spec: &OpenApi) -> std::io::Result<Self> {
        Ok(Self(serde_json::to_vec(spec)?.into()))
    }
}

/// The OpenAPI document of this very process.
#[get("/openapi.json")]
pub(crate) async fn openapi_json(spec: Data<OpenApiJson>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(spec.0.clone())
}
