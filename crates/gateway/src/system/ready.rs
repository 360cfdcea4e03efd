//! `GET /readyz/`

use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use serde::Serialize;
use utoipa::ToSchema;
use web::{Draining, Params};

use crate::Services;

/// Whether requests should be sent here, and how each part does.
#[derive(Serialize, ToSchema)]
pub(crate) struct Readiness {
    /// `ready`, or `unavailable`.
    #[schema(example = "ready")]
    status: &'static str,
    /// The parts.
    parts: Parts,
}

/// How each part does.
#[derive(Serialize, ToSchema)]
pub(crate) struct Parts {
    /// `ok`; `unreachable`; or `outdated`, when the schema lacks migrations. Needed.
    #[schema(example = "ok")]
    database: &'static str,
    /// `accepting`, or `draining` when the process is about to stop. Needed.
    #[schema(example = "accepting")]
    server: &'static str,
    /// `ok`; `degraded`, when Redis is away; or `local`, when none is configured. Not needed.
    #[schema(example = "ok")]
    cache: &'static str,
    /// `ok`; `building`, while there is no index yet; or `behind`, while one from an earlier run catches up. Needed.
    #[schema(example = "ok")]
    search: &'static str,
}

/// Tells whether requests should be sent here
///
/// Parts that can be done without (the cache) show here but do not make the service unavailable.
#[utoipa::path(
    tag = "system",
    operation_id = "readiness",
    responses((status = 200, body = Readiness), (status = 503, body = Readiness, description = "Not ready"))
)]
#[get("/readyz/")]
pub(crate) async fn ready(services: Data<Services>, draining: Data<Draining>, _: Params<()>) -> HttpResponse {
    let database = services.database_state().await;
    let server = if draining.has_begun() { "draining" } else { "accepting" };
    let cache = services.cache.check().await.as_str();
    let search = services.search.state();
    let is_ready = database == "ok" && server == "accepting" && search == "ok";
    // Whoever asks during a start is told no, as often as they ask; what the log gets is that it changed.
    if services.turned(is_ready) {
        match is_ready {
            true => tracing::info!("ready"),
            false => tracing::info!(database, server, search, "not ready any more"),
        }
    }
    let status = if is_ready { "ready" } else { "unavailable" };
    let mut answer = if is_ready { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    if !is_ready {
        answer.insert_header(("Retry-After", "1"));
    }
    answer.json(Readiness { status, parts: Parts { database, server, cache, search } })
}
