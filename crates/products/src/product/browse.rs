//! Reading many products, for those who look after the catalogue.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use db::{CachedDsl, Rows, Seek};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Numeric, Text, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use rust_decimal::Decimal;

use super::Product;
use crate::schema::products;

/// In which order products are browsed. Each has an index, for all products and for those of one category.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// By id.
    Id,
    /// By title, without regard to case; then by id.
    Title,
    /// By price, then by id.
    Price,
    /// By the moment when it was made, then by id; of a span alone, from its first moment to just before its last.
    Made {
        /// The first moment.
        from: Option<DateTime<Utc>>,
        /// The first moment after it.
        before: Option<DateTime<Utc>>,
    },
}

/// Place of a product: its title, its price or the microsecond since 1970 when it was made, by which of them it is
/// ordered, and its id.
pub type Place = (String, i64);

/// A page of the products, or of those of one category. Nothing is counted.
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
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = BigInt)]
        id: i64,
    }
    let upward = descending == seek.is_backward();
    let (operator, direction) = if upward { (">", "ASC") } else { ("<", "DESC") };
    let (column, value) = match order {
        Order::Id => ("", ""),
        Order::Title => ("title_key, ", "lower($2) COLLATE \"C\", "),
        Order::Price => ("price, ", "$3, "),
        Order::Made { .. } => ("created_at, ", "$6, "),
    };
    let (filed, filed_under) = if category.is_some() { ("category_id, ", "$1, ") } else { ("", "") };
    let place = match seek {
        Seek::Skip(_) => None,
        Seek::After(place) | Seek::Before(place) => Some(place),
    };
    let (text, id) = place.map_or(("", 0), |(text, id)| (text.as_str(), *id));
    // The span is entered at one edge, unless the page begins behind it, and left at the other.
    let (edge, end) = match order {
        Order::Made { from, before } if upward => (from, before),
        Order::Made { from, before } => (before, from),
        _ => (None, None),
    };
    let start = matches!(order, Order::Made { .. }).then(|| enter(text, id, edge, upward)).flatten();
    let (made, id) = start.map_or((None, id), |(made, id)| (Some(made), id));
    let mut conditions = Vec::new();
    if category.is_some() {
        // A span of the index: given `category_id = $1`, the planner may prefer to walk all products by their titles in
        // the hope of soon meeting some of the category.
        conditions.push("category_id >= $1 AND category_id <= $1".to_owned());
    }
    if end.is_some() {
        let within = if upward { "<" } else { ">=" };
        conditions.push(format!("({filed}created_at) {within} ({filed_under}$7)"));
    }
    if place.is_some() || made.is_some() {
        conditions.push(format!("({filed}{column}id) {operator} ({filed_under}{value}$4)"));
    }
    let condition = if conditions.is_empty() { "true".into() } else { conditions.join(" AND ") };
    let sorted = format!("{filed}{column}id").replace(", ", &format!(" {direction}, "));
    let limit = i64::try_from(size + 1).unwrap_or(i64::MAX);
    let found: Vec<Found> =
        diesel::sql_query(format!("SELECT id FROM products WHERE {condition} ORDER BY {sorted} {direction} LIMIT $5"))
            .bind::<BigInt, _>(category.unwrap_or_default())
            .bind::<Text, _>(text)
            .bind::<Numeric, _>(text.parse::<Decimal>().unwrap_or_default())
            .bind::<BigInt, _>(id)
            .bind::<BigInt, _>(limit)
            .bind::<Nullable<Timestamptz>, _>(made)
            .bind::<Nullable<Timestamptz>, _>(end)
            .cached()
            .load(&mut conn)
            .await?;
    let Rows { rows, more } = Rows::new(found, size, seek);
    let ids: Vec<i64> = rows.iter().map(|found| found.id).collect();
    Ok(Rows { rows: several(conn, &ids).await?, more })
}

/// Where an index by moments is entered: at the page's place or the span's edge, whichever comes later on the way.
fn enter(text: &str, id: i64, edge: Option<DateTime<Utc>>, upward: bool) -> Option<(DateTime<Utc>, i64)> {
    let place = text.parse().ok().and_then(DateTime::from_timestamp_micros).map(|moment| (moment, id));
    // No id is 0.
    let places = [place, edge.map(|edge| (edge, 0))].into_iter().flatten();
    if upward { places.max() } else { places.min() }
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
