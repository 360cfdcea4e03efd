//! `GET /stores/{store_id}/inventory/`

use accounts::Authorized;
use accounts::scope::CatalogueRead;
use actix_web::get;
use actix_web::web::{Data, Json, Path};
use db::Database;
use utoipa::IntoParams;
use web::{Atlas, FromParams, Links, Page, Paging, Param, ParamReader, Params, Rejected};

use super::view::StockedView;
use crate::inventory::{Filter, Listed};

/// Which part of the inventory to list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct InventoryParams {
    /// Part of the title, in any case. Every sign stands for itself.
    q: Option<String>,
    /// Name of a category, in any case, or its id. An unknown one finds nothing.
    category: Option<String>,
    /// `true` leaves out what is sold out; `false` leaves out nothing.
    in_stock: Option<bool>,
    /// Only products with at most this many units.
    #[param(value_type = Option<i64>, minimum = 0)]
    low_stock: Option<Units>,
}

/// A number of units, which is never negative.
struct Units(i64);

impl Param for Units {
    fn parse(text: &str) -> Result<Self, Rejected> {
        let units = i64::parse(text)?;
        if units < 0 { Err(Rejected::new("out_of_range", "Must not be negative.")) } else { Ok(Self(units)) }
    }
}

impl FromParams for InventoryParams {
    fn from_params(reader: &mut ParamReader) -> Self {
        Self {
            q: reader.optional("q"),
            category: reader.optional("category"),
            in_stock: reader.optional("in_stock"),
            low_stock: reader.optional("low_stock"),
        }
    }
}

impl From<InventoryParams> for Filter {
    fn from(InventoryParams { q, category, in_stock, low_stock }: InventoryParams) -> Self {
        Self { q, category, in_stock: in_stock.unwrap_or_default(), low_stock: low_stock.map(|units| units.0) }
    }
}

/// Lists what a store carries
///
/// By title without regard to case, then by id of the product.
#[utoipa::path(
    tag = "stores",
    operation_id = "list_inventory",
    params(("store_id" = i64, Path, description = "Id of the store"), InventoryParams, Paging),
    security((), ("bearer" = ["catalogue:read"])),
    responses((status = 200, body = Page<StockedView>)),
)]
#[get("/stores/{store_id}/inventory/")]
pub(crate) async fn list_inventory(
    _: Authorized<CatalogueRead>,
    database: Data<Database>,
    atlas: Data<Atlas<Listed>>,
    store_id: Path<i64>,
    params: Params<(InventoryParams, Paging)>,
    links: Links,
) -> web::Result<Json<Page<StockedView>>> {
    let Params((filter, paging)) = params;
    let spot = paging.spot()?;
    let list = Listed { store_id: *store_id, filter: filter.into() };
    let (count, rows) = atlas.page(&database, &list, &spot).await?;
    Ok(Json(Page::new(&spot, count, rows, &links, |row| (row.title_key.clone(), row.product_id), StockedView::from)?))
}
