//! Every route of the site, and who may take it.

use accounts::Role;
use actix_web::http::Method;
use actix_web::http::header::HeaderValue;
use actix_web::web::{ServiceConfig, get, post, scope, to};

use crate::guard::guard;
use crate::pages::{
    audit, bulk, categories, confirmations, dashboard, import, inventory, jobs, order, orders, own, product, products,
    sign_in, staff, stock, store, stores, tokens,
};
use crate::trouble::Trouble;
use crate::{assets, list};

/// A route: method, path as registered, and the least role that may take it; `None` for everybody.
pub type Route = (&'static str, &'static str, Option<Role>);

/// Who may take a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Access {
    /// Signed in or not.
    Everybody,
    /// From this role on.
    Role(Role),
    /// Nobody by this method, but by these.
    Other(HeaderValue),
}

/// Makes the table and the registration in one act, so that no route lacks a row.
macro_rules! routes {
    ($($least:ident $method:ident $path:literal => $handler:expr;)*) => {
        /// Every route.
        pub static ROUTES: &[Route] = &[$((routes!(@method $method), concat!("/admin", $path), routes!(@role $least))),*];

        /// Registers the site. Needs [`Site`](crate::Site), [`accounts::Accounts`], [`cache::Cache`], [`db::Database`],
        /// [`db::Clock`], [`orders::Orders`](::orders::Orders) and [`search::Search`] as `Data`.
        pub fn configure(config: &mut ServiceConfig) {
            config.service(
                scope("/admin")
                    .wrap(actix_web::middleware::from_fn(guard))
                    $(.route($path, $method().to($handler)))*
                    .default_service(to(|| async { Err::<&str, _>(Trouble::nothing()) })),
            );
        }
    };
    (@method get) => { "GET" };
    (@method post) => { "POST" };
    (@role Everybody) => { None };
    (@role $least:ident) => { Some(Role::$least) };
}

routes! {
    Everybody get "/assets/{name}" => assets::show;
    Everybody get "/sign-in/" => sign_in::show;
    Everybody post "/sign-in/" => sign_in::submit;
    Viewer post "/sign-out/" => sign_in::sign_out;
    Viewer get "/password/" => own::show;
    Viewer post "/password/" => own::save;

    Viewer get "/" => dashboard::show;

    Viewer get "/orders/" => list::show::<orders::Orders>;
    Viewer get "/orders/export.csv" => list::export::<orders::Orders>;
    Manager post "/orders/bulk/" => bulk::act::<orders::Orders>;
    Viewer get "/orders/{id}/" => order::show;
    Manager post "/orders/{id}/cancel/" => order::cancel;
    Manager post "/orders/{id}/resend/" => order::resend;

    Viewer get "/confirmations/" => list::show::<confirmations::Confirmations>;
    Viewer get "/confirmations/export.csv" => list::export::<confirmations::Confirmations>;
    Manager post "/confirmations/bulk/" => bulk::act::<confirmations::Confirmations>;

    Viewer get "/jobs/" => list::show::<jobs::Jobs>;
    Viewer get "/jobs/export.csv" => list::export::<jobs::Jobs>;
    Manager post "/jobs/bulk/" => bulk::act::<jobs::Jobs>;

    Viewer get "/products/" => list::show::<products::Products>;
    Viewer get "/products/export.csv" => list::export::<products::Products>;
    Manager post "/products/bulk/" => bulk::act::<products::Products>;
    Manager get "/products/new/" => product::blank;
    Manager post "/products/new/" => product::create;
    Viewer get "/products/{id}/" => product::show;
    Manager post "/products/{id}/" => product::save;
    Manager get "/products/{id}/delete/" => product::ask;
    Manager post "/products/{id}/delete/" => product::delete;

    Viewer get "/categories/" => list::show::<categories::Categories>;
    Viewer get "/categories/export.csv" => list::export::<categories::Categories>;
    Manager get "/categories/new/" => categories::blank;
    Manager post "/categories/new/" => categories::create;
    Viewer get "/categories/{id}/" => categories::show;
    Manager post "/categories/{id}/" => categories::save;
    Manager get "/categories/{id}/delete/" => categories::ask;
    Manager post "/categories/{id}/delete/" => categories::delete;

    Viewer get "/stores/" => list::show::<stores::Stores>;
    Viewer get "/stores/export.csv" => list::export::<stores::Stores>;
    Manager get "/stores/new/" => store::blank;
    Manager post "/stores/new/" => store::create;
    Viewer get "/stores/{id}/" => store::show;
    Manager post "/stores/{id}/" => store::save;
    Manager get "/stores/{id}/delete/" => store::ask;
    Manager post "/stores/{id}/delete/" => store::delete;

    Viewer get "/inventory/" => list::show::<inventory::Inventory>;
    Viewer get "/inventory/export.csv" => list::export::<inventory::Inventory>;
    Manager post "/inventory/adjust/" => stock::adjust;
    Viewer get "/inventory/open/" => stock::open;
    Viewer get "/inventory/{store}/{product}/" => stock::show;

    Manager get "/import/" => import::blank;
    Manager post "/import/" => import::submit;

    Viewer get "/tokens/" => list::show::<tokens::Tokens>;
    Viewer get "/tokens/export.csv" => list::export::<tokens::Tokens>;
    Viewer post "/tokens/bulk/" => bulk::act::<tokens::Tokens>;
    Viewer get "/tokens/new/" => tokens::blank;
    Viewer post "/tokens/new/" => tokens::create;
    Viewer get "/tokens/{id}/" => tokens::show;

    Owner get "/staff/" => list::show::<staff::Members>;
    Owner get "/staff/export.csv" => list::export::<staff::Members>;
    Owner get "/staff/new/" => staff::blank;
    Owner post "/staff/new/" => staff::create;
    Owner get "/staff/{id}/" => staff::show;
    Owner post "/staff/{id}/" => staff::save;
    Owner get "/staff/{id}/password/" => staff::password_form;
    Owner post "/staff/{id}/password/" => staff::password;

    Manager get "/audit/" => list::show::<audit::Log>;
    Manager get "/audit/export.csv" => list::export::<audit::Log>;
    Manager get "/audit/{id}/" => audit::entry;
}

/// Who may take this route. Behind an address that is not in the table there is nothing, which one may see who is signed
/// in.
pub(crate) fn access(method: &Method, pattern: Option<&str>) -> Access {
    let rows = || ROUTES.iter().filter(|(_, path, _)| Some(*path) == pattern);
    match rows().find(|(verb, _, _)| *verb == method.as_str()) {
        Some((_, _, None)) => Access::Everybody,
        Some((_, _, Some(role))) => Access::Role(*role),
        None if rows().next().is_none() => Access::Role(Role::Viewer),
        None => {
            let methods: Vec<&str> = rows().map(|(verb, _, _)| *verb).collect();
            Access::Other(HeaderValue::from_str(&methods.join(", ")).unwrap_or(HeaderValue::from_static("GET")))
        }
    }
}
