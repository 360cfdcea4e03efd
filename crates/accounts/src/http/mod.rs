//! Tokens over HTTP. This crate has no endpoints; it guards those of others.

mod authorized;
mod identify;

use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};

pub use authorized::Authorized;
pub use identify::identify;

/// What the API's description calls the scheme: `security(("bearer" = ["stock:write"]))`.
pub const SECURITY_SCHEME: &str = "bearer";

/// The scheme itself, for the API's description.
pub fn security_scheme() -> SecurityScheme {
    let description = "A token made by staff (`manage token create`), with the scopes that an operation names. Reading \
                       and ordering need none unless the installation asks for it.";
    SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(description)).build())
}
