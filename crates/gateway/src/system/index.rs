//! `GET /`

use actix_web::{HttpResponse, get};

/// The page that a person sees first.
#[get("/")]
pub(crate) async fn index() -> HttpResponse {
    super::html(
        "Stockroom",
        "<p>A multi-store commerce backend.</p><ul>\
         <li><a href=\"/swagger-ui/\">Try the API</a> (Swagger UI)</li>\
         <li><a href=\"/admin/\">Manage the stores</a> (for staff)</li>\
         <li><a href=\"/openapi.json\">OpenAPI document</a></li>\
         <li><a href=\"/problems/\">Problems</a>: every error code and what to do about it</li>\
         <li><a href=\"/readyz/\">Readiness</a></li></ul>",
    )
}
