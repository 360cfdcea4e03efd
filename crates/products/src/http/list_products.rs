//! `GET /products/`

use accounts::Authorized;
use accounts::scope::CatalogueRead;
use actix_web::get;
use actix_web::web::{Data, Json};
use db::Database;
use utoipa::IntoParams;
use web::{Atlas, FromParams, Links, Page, Paging, ParamReader, Params};

use super::view::ProductView;
use crate::{Filter, Listed};

/// Which products to list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ProductParams {
    /// Name of a category, in any case, or its id. An unknown one finds nothing.
    category: Option<String>,
    /// The exact key of the merchant.
    sku: Option<String>,
}

impl FromParams for ProductParams {
    fn from_params(reader: &mut ParamReader) -> Self {
        Self { category: reader.optional("category"), sku: reader.optional("sku") }
    }
}

/// Lists products
///
/// By id.
#[utoipa::path(
    tag = "products",
    operation_id = "list_products",
    params(ProductParams, Paging),
    security((), ("bearer" = ["catalogue:read"])),
    responses((status = 200, body = Page<ProductView>)),
)]
#[get("/products/")]
pub(crate) async fn list_products(
    _: Authorized<CatalogueRead>,
    database: Data<Database>,
    atlas: Data<Atlas<Listed>>,
    params: Params<(ProductParams, Paging)>,
    links: Links,
) -> web::Result<Json<Page<ProductView>>> {
    let Params((ProductParams { category, sku }, paging)) = params;
    let spot = paging.spot()?;
    let (count, rows) = atlas.page(&database, &Listed(Filter { category, sku }), &spot).await?;
    Ok(Json(Page::new(&spot, count, rows, &links, |product| product.id, ProductView::from)?))
}
