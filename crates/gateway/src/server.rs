//! The HTTP server: every route, inside the one middleware.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::web::{Data, to};
use actix_web::{App, HttpServer};
use utoipa_actix_web::AppExt;
use utoipa_actix_web::service_config::ServiceConfig;
use web::{Draining, Patience, PublicUrl};

use crate::allowed::Allowed;
use crate::system::OpenApiJson;
use crate::{Services, Settings, openapi, system};

/// Every documented route.
pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .configure(orders::routes)
        .configure(search::routes)
        .configure(stores::routes)
        .configure(products::routes)
        .configure(system::routes);
}

/// A read has time for two statements that take as long as they may. What changes something may delete for half a minute.
fn patience(database: &db::Config) -> Patience {
    let statement = Some(database.statement).filter(|limit| !limit.is_zero());
    Patience { reading: statement.map(|limit| limit * 2), changing: Some(Duration::from_secs(45)) }
}

/// Serves on `listener` until stopped through the server's handle; stopping waits up to 15 seconds for requests under
/// way. Signals are the caller's business.
///
/// # Errors
/// When the listener cannot be used.
pub fn serve(
    listener: TcpListener,
    settings: &Settings,
    services: Services,
    draining: Draining,
) -> std::io::Result<Server> {
    let spec = match settings.accounts.token_required {
        true => openapi::requiring_tokens(openapi::openapi()),
        false => openapi::openapi(),
    };
    let allowed = Arc::new(Allowed::from_spec(&spec));
    let spec = Data::new(OpenApiJson::new(&spec)?);
    let (public_url, trusted_proxies) = (settings.public_url.clone(), settings.trusted_proxies.clone());
    let site = Data::new(admin::Site::default());
    let patience = patience(&settings.database);
    let mut server = HttpServer::new(move || {
        let services = services.clone();
        let allowed = allowed.clone();
        let mut app = App::new()
            .wrap(from_fn(accounts::identify))
            .wrap(from_fn(web::edge))
            .configure(web::configure)
            .configure(|config| services.provide(config))
            .app_data(spec.clone())
            .app_data(site.clone())
            .app_data(Data::new(draining.clone()))
            .app_data(trusted_proxies.clone())
            .app_data(patience);
        if let Some(url) = &public_url {
            app = app.app_data(PublicUrl(url.clone()));
        }
        app.into_utoipa_app()
            .configure(routes)
            .into_app()
            .configure(system::pages)
            .configure(system::swagger_ui)
            .configure(admin::configure)
            .default_service(to(move |request: actix_web::HttpRequest| {
                let answer = allowed.answer(&request);
                async move { answer }
            }))
    })
    .disable_signals()
    .shutdown_timeout(15)
    .client_request_timeout(Duration::from_secs(5))
    .keep_alive(Duration::from_secs(15));
    if let Some(workers) = settings.workers {
        server = server.workers(workers);
    }
    Ok(server.listen(listener)?.run())
}
