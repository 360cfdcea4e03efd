//! `GET /swagger-ui/`: the page to try the API out.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{CONTENT_SECURITY_POLICY, HeaderValue};
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{ServiceConfig, redirect, scope};
use utoipa_swagger_ui::{Config, SwaggerUi};

/// What the page needs, found by looking at what a browser refuses without it: its own scripts and styles, the styles
/// and pictures that its scripts write into it, and asking the API.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// The page and its files.
pub(crate) fn swagger_ui(config: &mut ServiceConfig) {
    let page = SwaggerUi::new("/{_:.*}").config(Config::new(["/openapi.json"]).try_it_out_enabled(true));
    config
        .service(redirect("/swagger-ui", "/swagger-ui/"))
        .service(scope("/swagger-ui").wrap(from_fn(with_policy)).service(page));
}

async fn with_policy(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let mut answer = next.call(request).await?;
    if answer.status().is_success() {
        answer.headers_mut().insert(CONTENT_SECURITY_POLICY, POLICY);
    }
    Ok(answer)
}
