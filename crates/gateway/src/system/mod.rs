//! Health, readiness, and the pages that explain the API.

mod health;
mod index;
mod problems;
mod ready;
mod spec;
mod swagger;

use actix_web::web;
use utoipa_actix_web::service_config::ServiceConfig;

pub(crate) use spec::OpenApiJson;
pub(crate) use swagger::swagger_ui;

/// Documented operations.
pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(health::health).service(ready::ready);
}

/// Pages for people, and the spec itself.
pub(crate) fn pages(config: &mut web::ServiceConfig) {
    config.service(index::index).service(problems::list).service(problems::page).service(spec::openapi_json);
}

/// A page of HTML with a title and a body.
fn html(title: &str, body: &str) -> actix_web::HttpResponse {
    actix_web::HttpResponse::Ok().content_type("text/html; charset=utf-8").body(format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{title}</title><h1>{title}</h1>{body}</html>\n"
    ))
}
