//! The catalogue over HTTP.

mod body;
mod change_category;
mod change_product;
mod create_category;
mod create_product;
mod delete_category;
mod delete_product;
mod get_category;
mod get_product;
mod list_categories;
mod list_products;
mod view;

use utoipa_actix_web::service_config::ServiceConfig;

pub use body::{read_category, read_change, read_new};

/// The operations of the catalogue. They need a [`db::Database`], a [`db::Clock`] and an atlas of
/// [`Listed`](crate::Listed) as app data, and
/// [`accounts::identify`] around them.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(list_products::list_products)
        .service(create_product::create_product)
        .service(get_product::get_product)
        .service(change_product::change_product)
        .service(delete_product::delete_product)
        .service(list_categories::list_categories)
        .service(create_category::create_category)
        .service(get_category::get_category)
        .service(change_category::change_category)
        .service(delete_category::delete_category);
}
