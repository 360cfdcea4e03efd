//! What a store carries, listed by title without regard to case, then by id of the product.

mod among;
mod browse;
mod listed;
mod page;

use db::{Rows, Seek};
use diesel::sql_types::{BigInt, Integer, Nullable, Numeric, Text};
use diesel_async::AsyncPgConnection;
use futures_util::try_join;
use rust_decimal::Decimal;
use web::Spot;

use crate::Error;

pub use among::{Placed, among};
pub use browse::{
    Adjustment, Carried, Scarce, adjustments, browse, carrying, count_carried, count_carrying, last_adjustments,
    quantities, quantity, scarce,
};
pub use listed::Listed;

/// Which rows to list. All of them by default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Filter {
    /// Part of the title, in any case; every sign stands for itself.
    pub q: Option<String>,
    /// Name of a category, in any case, or its id. An unknown one finds nothing.
    pub category: Option<String>,
    /// Only what is in stock.
    pub in_stock: bool,
    /// Only what has at most this many units.
    pub low_stock: Option<i64>,
}

/// Place of a row in the list: the title in lower case, as the database sees it, and the id of the product.
pub type Place = (String, i64);

/// A product as a store carries it.
#[derive(Debug, Clone, PartialEq, diesel::QueryableByName)]
pub struct Stocked {
    /// Id of the product.
    #[diesel(sql_type = BigInt)]
    pub product_id: i64,
    /// The merchant's own key.
    #[diesel(sql_type = Nullable<Text>)]
    pub sku: Option<String>,
    /// Its title.
    #[diesel(sql_type = Text)]
    pub title: String,
    /// Price of one unit, with two decimals.
    #[diesel(sql_type = Numeric)]
    pub price: Decimal,
    /// Id of its category.
    #[diesel(sql_type = BigInt)]
    pub category_id: i64,
    /// Name of its category.
    #[diesel(sql_type = Text)]
    pub category: String,
    /// Units on hand.
    #[diesel(sql_type = Integer)]
    pub quantity: i32,
    /// The title in lower case, as the database sees it.
    #[diesel(sql_type = Text)]
    pub title_key: String,
}

/// A page of what the store carries and `filter` lets through, and how many rows those are in all.
///
/// # Errors
/// [`Error::NoSuchStore`], and those of the database.
pub async fn list(
    conn: &AsyncPgConnection,
    store_id: i64,
    filter: &Filter,
    spot: &Spot<Place>,
) -> Result<(i64, Rows<Stocked>), Error> {
    let (exists, found) = try_join!(crate::exists(conn, store_id), find(conn, store_id, filter, spot))?;
    if exists { Ok(found) } else { Err(Error::NoSuchStore(store_id)) }
}

async fn find(
    conn: &AsyncPgConnection,
    store_id: i64,
    filter: &Filter,
    spot: &Spot<Place>,
) -> Result<(i64, Rows<Stocked>), db::Error> {
    let Some(among) = page::Among::of(conn, store_id, filter).await? else {
        return Ok((0, Rows { rows: Vec::new(), more: false }));
    };
    let count = match spot.count {
        Some(count) => count,
        None => among.count(conn).await?,
    };
    let fetched = match &spot.seek {
        Seek::Skip(rows) if *rows >= count => Vec::new(),
        _ => among.page(conn, &spot.seek, spot.size + 1, count).await?,
    };
    Ok((count, Rows::new(fetched, spot.size, &spot.seek)))
}
