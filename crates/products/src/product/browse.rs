//! Reading many products, for those who look after the catalogue.

use std::collections::HashMap;

use db::{CachedDsl, Rows, Seek};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::{Product, RowComparison, place};
use crate::schema::products;

/// In which order products are browsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// By id.
    Id,
    /// By title, without regard to case; then by id.
    Title,
}

/// Place of a product: title and id.
pub type Place = (String, i64);

/// A page of the products, or of those of one category, which come by id alone. Nothing is counted.
///
/// # Errors
/// Those of the database.
pub async fn browse(
    mut conn: &AsyncPgConnection,
    category: Option<i64>,
    order: Order,
    descending: bool,
    seek: &Seek<Place>,
    size: usize,
) -> Result<Rows<Product>, db::Error> {
    let downward = descending != seek.is_backward();
    let operator = if downward { "<" } else { ">" };
    let from = match seek {
        Seek::Skip(_) => None,
        Seek::After(place) | Seek::Before(place) => Some(place.clone()),
    };
    let limit = i64::try_from(size + 1).unwrap_or(i64::MAX);
    let mut query = Product::query().limit(limit).into_boxed();
    if let Some(category) = category {
        // As a range of the index, as in the API's list.
        let start = from.map_or(if downward { i64::MAX } else { i64::MIN }, |(_, id)| id);
        query = query.filter(place(operator, category, start));
        query = match downward {
            true => query
                .filter(products::category_id.ge(category))
                .order_by((products::category_id.desc(), products::id.desc())),
            false => query.filter(products::category_id.le(category)).order_by((products::category_id, products::id)),
        };
    } else {
        if let Some((title, id)) = from {
            query = match (order, downward) {
                (Order::Id, true) => query.filter(products::id.lt(id)),
                (Order::Id, false) => query.filter(products::id.gt(id)),
                (Order::Title, _) => query.filter(beside(operator, title, id)),
            };
        }
        query = match (order, downward) {
            (Order::Id, true) => query.order_by(products::id.desc()),
            (Order::Id, false) => query.order_by(products::id),
            (Order::Title, true) => query.order_by((products::title_key.desc(), products::id.desc())),
            (Order::Title, false) => query.order_by((products::title_key, products::id)),
        };
    }
    Ok(Rows::new(query.cached().load(&mut conn).await?, size, seek))
}

/// The products with these ids, in their order; those that do not exist are left out.
///
/// # Errors
/// Those of the database.
pub async fn several(mut conn: &AsyncPgConnection, ids: &[i64]) -> Result<Vec<Product>, db::Error> {
    let found: Vec<Product> = Product::query().filter(products::id.eq_any(ids)).load(&mut conn).await?;
    let mut found: HashMap<i64, Product> = found.into_iter().map(|product| (product.id, product)).collect();
    Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
}

/// The product with this key of the merchant.
///
/// # Errors
/// Those of the database.
pub async fn with_sku(mut conn: &AsyncPgConnection, sku: &str) -> Result<Option<Product>, db::Error> {
    Ok(Product::query().filter(products::sku.eq(sku)).first(&mut conn).await.optional()?)
}

/// The products with these keys of the merchant, in no order.
///
/// # Errors
/// Those of the database.
pub async fn with_skus(mut conn: &AsyncPgConnection, skus: &[&str]) -> Result<Vec<Product>, db::Error> {
    Ok(Product::query().filter(products::sku.eq_any(skus)).load(&mut conn).await?)
}

/// How many products are filed under a category, counted up to `most`.
///
/// # Errors
/// Those of the database.
pub async fn count_in(mut conn: &AsyncPgConnection, category: i64, most: i64) -> Result<i64, db::Error> {
    let filed = products::table.filter(products::category_id.eq(category)).select(products::id).limit(most);
    Ok(filed.load::<i64>(&mut conn).await?.len().try_into().unwrap_or(most))
}

/// The key of the list by title compared with this place, as a row; the database makes lower case of the title.
fn beside(operator: &str, title: String, id: i64) -> RowComparison {
    let comparison = sql::<diesel::sql_types::Bool>("(products.title_key, products.id) ")
        .sql(operator)
        .sql(" (lower(")
        .bind::<Text, _>(title)
        .sql(") COLLATE \"C\", ")
        .bind::<BigInt, _>(id)
        .sql(")");
    Box::new(comparison)
}
