//! The endpoints, one per file.

mod body;
mod cancel_order;
mod get_order;
mod list_store_orders;
mod place_order;
mod problems;

use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the endpoints of orders. Needs [`Orders`](crate::Orders) as `Data`.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(place_order::place_order)
        .service(cancel_order::cancel_order)
        .service(get_order::get_order)
        .service(list_store_orders::list_store_orders);
}
