//! Stores over HTTP.

mod body;
mod change_inventory;
mod change_stock;
mod change_store;
mod create_store;
mod delete_store;
mod get_store;
mod list_inventory;
mod list_stores;
mod refused;
mod view;

use utoipa_actix_web::service_config::ServiceConfig;

pub use body::{read_change, read_new, read_stock};

/// The operations of stores. They need a [`db::Database`] and a [`db::Clock`] as app data, and
/// [`accounts::identify`] around them.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(list_stores::list_stores)
        .service(create_store::create_store)
        .service(get_store::get_store)
        .service(change_store::change_store)
        .service(delete_store::delete_store)
        .service(list_inventory::list_inventory)
        .service(change_inventory::change_inventory)
        .service(change_stock::change_stock);
}
