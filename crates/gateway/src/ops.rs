//! What operators' machines read. On an address of its own, which is never made public.

use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::web::{Data, get};
use actix_web::{App, HttpResponse, HttpServer};
use anyhow::Context;
use metrics_exporter_prometheus::PrometheusHandle;

/// Serves `/metrics` on `address` from a thread of its own.
///
/// # Errors
/// When the address cannot be listened on.
pub fn serve_ops(address: &str, metrics: PrometheusHandle) -> anyhow::Result<ServerHandle> {
    let rendered = metrics.clone();
    let server =
        HttpServer::new(move || App::new().app_data(Data::new(rendered.clone())).route("/metrics", get().to(render)))
            .workers(1)
            .disable_signals()
            .bind(address)
            .with_context(|| format!("cannot listen on OPS_ADDR {address}"))?
            .run();
    let handle = server.handle();
    tokio::spawn(server);
    tokio::spawn(async move {
        // The recorder keeps every sample until it is folded, and nobody may ever ask for the metrics.
        let mut ticks = tokio::time::interval(Duration::from_secs(5));
        loop {
            ticks.tick().await;
            metrics.run_upkeep();
        }
    });
    Ok(handle)
}

async fn render(metrics: Data<PrometheusHandle>) -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; version=0.0.4").body(metrics.render())
}
