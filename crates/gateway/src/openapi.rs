//! The OpenAPI document: gathered from the handlers, completed by rule.
//!
//! An annotation names an operation's success and what is peculiar to it. What every operation can answer follows from
//! its shape, and is added here: one rule, no pasted attributes.

use std::collections::BTreeSet;

use actix_web::App;
use actix_web::http::StatusCode;
use utoipa::OpenApi as _;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, ParameterIn};
use utoipa::openapi::schema::ArrayItems;
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{
    Components, ContentBuilder, Object, OpenApi, Ref, RefOr, Required, Response, ResponseBuilder, Schema, Type,
};
use utoipa_actix_web::AppExt;

use crate::server::routes;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Stockroom",
        description = "Stores sell products from their own inventory. An order is confirmed if every line is in stock \
                       and rejected otherwise, in one database transaction; a confirmed order is confirmed to its \
                       customer in the background. Errors are problem documents (RFC 9457).",
        license(name = "MIT", identifier = "MIT"),
    ),
    servers((url = "/", description = "This server")),
    tags(
        (name = "orders", description = "Placing orders and reading them."),
        (name = "search", description = "Finding products, and suggestions while typing."),
        (name = "stores", description = "Stores and what they have in stock."),
        (name = "products", description = "The catalogue."),
        (name = "system", description = "Whether the service is alive and ready."),
    ),
    components(schemas(web::Problem)),
)]
struct Document;

/// The document that describes every operation of the API.
pub fn openapi() -> OpenApi {
    let (_, mut document) =
        App::new().into_utoipa_app().openapi(Document::openapi()).configure(routes).split_for_parts();
    let components = document.components.get_or_insert_default();
    components.add_security_scheme(accounts::SECURITY_SCHEME, accounts::security_scheme());
    name_rows(components);
    for (path, item) in &mut document.paths.paths {
        let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        for operation in operations.into_iter().flatten() {
            complete(path, operation);
        }
    }
    document
}

/// The rows of a page are written out in place, as [`web::Page`] is generic. Their type has a name, and clients made
/// from the document shall have one type for it, not one more for its lists.
fn name_rows(components: &mut Components) {
    let known: BTreeSet<String> = components.schemas.keys().cloned().collect();
    for (name, schema) in &mut components.schemas {
        let Some(row) = name.strip_prefix("Page_").filter(|row| known.contains(*row)) else { continue };
        if let RefOr::T(Schema::Object(page)) = schema
            && let Some(RefOr::T(Schema::Array(results))) = page.properties.get_mut("results")
        {
            results.items = ArrayItems::RefOrSchema(Box::new(Ref::from_schema_name(row).into()));
        }
    }
}

/// The same for an installation that lets nobody in without a token.
pub(crate) fn requiring_tokens(mut document: OpenApi) -> OpenApi {
    let nothing = SecurityRequirement::default();
    for item in document.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        for alternatives in operations.into_iter().flatten().filter_map(|operation| operation.security.as_mut()) {
            alternatives.retain(|needs| *needs != nothing);
        }
    }
    document
}

fn complete(path: &str, operation: &mut Operation) {
    let mut is_paged = false;
    for parameter in operation.parameters.iter_mut().flatten() {
        let RefOr::T(parameter) = parameter else { continue };
        if parameter.parameter_in != ParameterIn::Query {
            continue;
        }
        is_paged |= parameter.name == "page";
        if parameter.required != Required::True {
            let extensions = parameter.extensions.get_or_insert_default();
            extensions.insert("allowEmptyValue".into(), true.into());
        }
    }
    let mut problems = vec![400, 500, 503];
    if operation.security.is_some() {
        problems.extend([401, 403]);
    }
    if is_paged || path.contains('{') {
        problems.push(404);
    }
    if operation.request_body.is_some() {
        problems.extend([408, 413, 415]);
    }
    for status in problems {
        operation.responses.responses.entry(status.to_string()).or_insert_with(|| RefOr::T(problem()));
    }
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response {
            finish(status, response);
        }
    }
}

fn problem() -> Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    ResponseBuilder::new().content("application/problem+json", content).build()
}

/// Descriptions are required by OpenAPI; errors announced without a body have a problem.
fn finish(status: &str, response: &mut Response) {
    let code = status.parse().ok().and_then(|status| StatusCode::from_u16(status).ok());
    if response.description.is_empty() {
        response.description = code.and_then(|code| code.canonical_reason()).unwrap_or("Answer").into();
    }
    let Some(code) = code else { return };
    if (code.is_client_error() || code.is_server_error()) && response.content.is_empty() {
        response.content = problem().content;
    }
    if matches!(code, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
        let challenge = HeaderBuilder::new()
            .schema(Some(Object::with_type(Type::String)))
            .description(Some("What is the matter with the token (RFC 6750)."))
            .build();
        response.headers.insert("WWW-Authenticate".into(), challenge.into());
    }
    if matches!(code, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
        let seconds = HeaderBuilder::new()
            .schema(Some(Object::with_type(Type::Integer)))
            .description(Some("Seconds to wait before trying again."))
            .build();
        response.headers.insert("Retry-After".into(), seconds.into());
    }
}
