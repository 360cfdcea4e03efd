//! What operators and their machines ask a worker. On an address of its own, which is never made public.

use std::net::SocketAddr;

use actix_web::http::StatusCode;
use actix_web::web::{Data, get};
use actix_web::{App, HttpResponse, HttpServer};
use anyhow::Context;
use db::Database;
use jobs::Health;
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::{Map, Value, json};
use web::Draining;

/// What the answers are made of.
#[derive(Clone)]
pub(crate) struct Ops {
    pub(crate) health: Health,
    pub(crate) database: Database,
    pub(crate) metrics: PrometheusHandle,
    pub(crate) draining: Draining,
}

/// Serves `/healthz`, `/readyz` and `/metrics` on `address` from a thread of its own; returns where it listens.
///
/// # Errors
/// When the address cannot be listened on.
pub(crate) fn serve(address: &str, ops: Ops) -> anyhow::Result<SocketAddr> {
    let server = HttpServer::new(move || {
        App::new()
            .app_data(Data::new(ops.clone()))
            .route("/healthz", get().to(healthz))
            .route("/readyz", get().to(readyz))
            .route("/metrics", get().to(metrics))
    })
    .workers(1)
    .disable_signals()
    .bind(address)
    .with_context(|| format!("cannot listen on WORKER_OPS_ADDR {address}"))?;
    let address = server.addrs().first().copied().context("the server has no address")?;
    tokio::spawn(server.run());
    Ok(address)
}

/// Whether every loop goes round. Looks at nothing outside of the process: restarting it mends no other.
async fn healthz(ops: Data<Ops>) -> HttpResponse {
    let parts = ops.health.parts();
    let alive = parts.iter().all(|part| part.alive);
    answer(alive, parts.iter().map(|part| (part.name, part.alive)))
}

/// Whether tasks get done: the database answers, and the sessions with the broker stand.
async fn readyz(ops: Data<Ops>) -> HttpResponse {
    let database = ops.database.ping().await.is_ok();
    let parts: Vec<_> = [("database", database), ("accepting", !ops.draining.has_begun())]
        .into_iter()
        .chain(ops.health.parts().iter().map(|part| (part.name, part.ready)))
        .collect();
    answer(parts.iter().all(|(_, ready)| *ready), parts)
}

async fn metrics(ops: Data<Ops>) -> HttpResponse {
    ops.metrics.run_upkeep();
    HttpResponse::Ok().content_type("text/plain; version=0.0.4").body(ops.metrics.render())
}

fn answer(well: bool, parts: impl IntoIterator<Item = (&'static str, bool)>) -> HttpResponse {
    let status = if well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let parts: Map<String, Value> = parts.into_iter().map(|(name, well)| (name.into(), well.into())).collect();
    HttpResponse::build(status).json(json!({ "status": if well { "ok" } else { "unavailable" }, "parts": parts }))
}
