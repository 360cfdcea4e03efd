//! The catalogue over HTTP.

mod get_product;
mod list_categories;
mod list_products;
mod view;

use utoipa_actix_web::service_config::ServiceConfig;

/// The operations of the catalogue. They need a [`db::Database`] as app data.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(list_products::list_products)
        .service(get_product::get_product)
        .service(list_categories::list_categories);
}
