//! The gateway process: settings in, server up, drained on SIGTERM.

use std::net::TcpListener;
use std::time::Duration;

use anyhow::Context;
use gateway::{Services, Settings, serve, serve_ops};
use tokio::signal::unix::{SignalKind, signal};
use web::Draining;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<()> {
    match std::env::args().nth(1).as_deref() {
        None => run(),
        Some("healthcheck") => {
            let is_alive = web::healthcheck(&gateway::http_addr(), "/healthz/")?;
            std::process::exit(if is_alive { 0 } else { 1 });
        }
        Some("--version") => {
            println!("gateway {}", env!("CARGO_PKG_VERSION"));
            Ok(())
        }
        Some(_) => {
            anyhow::bail!("usage: gateway [healthcheck | --version]; everything else comes from the environment")
        }
    }
}

#[tokio::main]
async fn run() -> anyhow::Result<()> {
    let settings = Settings::from_env()?;
    // There, requests that are no HTTP are called errors, which anybody can send as many of as they like.
    web::log_to_stdout_without(&["actix_http::h1"]);
    let metrics = metrics_exporter_prometheus::PrometheusBuilder::new().install_recorder()?;
    web::begin_metrics();
    let services = Services::connect(&settings)?;
    tokio::spawn(outbox::watch(services.database.clone(), |_| ()));
    let listener = TcpListener::bind(&settings.http_addr)
        .with_context(|| format!("cannot listen on HTTP_ADDR {}", settings.http_addr))?;
    let door = listener.try_clone()?;
    let draining = Draining::default();
    let server = serve(listener, &settings, services, draining.clone())?;
    let _ops = serve_ops(&settings.ops_addr, metrics)?;
    tracing::info!(address = %settings.http_addr, "listening");

    let handle = server.handle();
    tokio::spawn(async move {
        wait_for_signal().await;
        // Still accepting, but closing each connection with its answer: clients that keep connections open are not cut
        // off between two requests, and balancers see /readyz fail first.
        draining.begin();
        tracing::info!("draining");
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
            () = wait_for_signal() => std::process::exit(1),
        }
        // Stopping closes connections that have not sent their request yet, so nobody new is let in first, and those
        // who are in get a moment to speak. Whoever comes now is refused at once: in the queue of a socket that nobody
        // takes from any more they would speak to nobody.
        handle.pause().await;
        _ = rustix::net::shutdown(&door, rustix::net::Shutdown::Both);
        tokio::time::sleep(Duration::from_millis(500)).await;
        handle.stop(true).await;
    });
    server.await?;
    tracing::info!("stopped");
    Ok(())
}

async fn wait_for_signal() {
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
