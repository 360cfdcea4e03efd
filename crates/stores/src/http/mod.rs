//! Stores over HTTP.

mod get_store;
mod list_inventory;
mod list_stores;
mod view;

use utoipa_actix_web::service_config::ServiceConfig;

/// The operations of stores. They need a [`db::Database`] as app data.
pub fn routes(config: &mut ServiceConfig) {
    config.service(list_stores::list_stores).service(get_store::get_store).service(list_inventory::list_inventory);
}
