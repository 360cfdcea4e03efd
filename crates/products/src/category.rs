//! Reading categories; [`edit`] changes them.

mod edit;

use db::{Rows, Seek};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use web::Spot;

use crate::Error;
use crate::schema::{categories as table, lower, strpos};

pub use edit::{create_category, delete_category, rename_category};

/// What a product is filed under.
#[derive(Debug, Clone, PartialEq, Eq, HasQuery)]
#[diesel(table_name = table, check_for_backend(Pg))]
pub struct Category {
    /// Id.
    pub id: i64,
    /// Its name. No two categories have the same, whatever its case.
    pub name: String,
    /// The key of the list of categories: the name in lower case, as the database sees it.
    #[diesel(select_expression = lower(table::name))]
    pub name_key: String,
}

/// A page of all categories, by name without regard to case, and how many there are in all.
///
/// # Errors
/// Those of the database.
pub async fn categories(mut conn: &AsyncPgConnection, spot: &Spot<String>) -> Result<(i64, Rows<Category>), db::Error> {
    let count = match spot.count {
        Some(count) => count,
        None => table::table.count().get_result(&mut conn).await?,
    };
    // Names are unique without regard to case, so the key alone is a total order.
    let key = lower(table::name);
    let limit = i64::try_from(spot.size + 1).unwrap_or(i64::MAX);
    let query = Category::query().limit(limit).into_boxed();
    let query = match &spot.seek {
        Seek::Skip(rows) => query.order_by(key.asc()).offset(*rows),
        Seek::After(name) => query.filter(key.gt(name)).order_by(key.asc()),
        Seek::Before(name) => query.filter(key.lt(name)).order_by(key.desc()),
    };
    Ok((count, Rows::new(query.load(&mut conn).await?, spot.size, &spot.seek)))
}

/// In which order categories are browsed. Each has an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CategoryOrder {
    /// By name, without regard to case.
    Name,
    /// By id.
    Id,
}

/// A page of the categories whose name contains `part`, in any case; all of them for an empty one. A place is a name and
/// an id, of which the order takes one. Nothing is counted.
///
/// # Errors
/// Those of the database.
pub async fn browse_categories(
    mut conn: &AsyncPgConnection,
    part: &str,
    order: CategoryOrder,
    descending: bool,
    seek: &Seek<(String, i64)>,
    size: usize,
) -> Result<Rows<Category>, db::Error> {
    let key = lower(table::name);
    let upward = descending == seek.is_backward();
    let limit = i64::try_from(size + 1).unwrap_or(i64::MAX);
    let mut query = Category::query().limit(limit).into_boxed();
    if !part.is_empty() {
        query = query.filter(strpos(lower(table::name), lower(part)).gt(0));
    }
    if let Seek::After((name, id)) | Seek::Before((name, id)) = seek {
        query = match (order, upward) {
            (CategoryOrder::Name, true) => query.filter(key.gt(lower(name))),
            (CategoryOrder::Name, false) => query.filter(key.lt(lower(name))),
            (CategoryOrder::Id, true) => query.filter(table::id.gt(*id)),
            (CategoryOrder::Id, false) => query.filter(table::id.lt(*id)),
        };
    }
    let query = match (order, upward) {
        (CategoryOrder::Name, true) => query.order_by(key.asc()),
        (CategoryOrder::Name, false) => query.order_by(key.desc()),
        (CategoryOrder::Id, true) => query.order_by(table::id.asc()),
        (CategoryOrder::Id, false) => query.order_by(table::id.desc()),
    };
    Ok(Rows::new(query.load(&mut conn).await?, size, seek))
}

/// The category with this id.
///
/// # Errors
/// [`Error::NoSuchCategory`], and those of the database.
pub async fn get_category(mut conn: &AsyncPgConnection, id: i64) -> Result<Category, Error> {
    let found = Category::query().filter(table::id.eq(id)).first(&mut conn).await.optional()?;
    found.ok_or(Error::NoSuchCategory(id))
}

/// The id of the category of this name, in any case.
///
/// # Errors
/// Those of the database.
pub async fn category_called(mut conn: &AsyncPgConnection, name: &str) -> Result<Option<i64>, db::Error> {
    let by_name = table::table.filter(lower(table::name).eq(lower(name))).select(table::id);
    Ok(by_name.first(&mut conn).await.optional()?)
}

/// The id of the category of this name, in any case, or else the one with this id.
///
/// # Errors
/// Those of the database.
pub async fn find_category(mut conn: &AsyncPgConnection, name_or_id: &str) -> Result<Option<i64>, db::Error> {
    if let Some(id) = category_called(conn, name_or_id).await? {
        return Ok(Some(id));
    }
    let Ok(id) = name_or_id.parse::<i64>() else { return Ok(None) };
    Ok(table::table.find(id).select(table::id).first(&mut conn).await.optional()?)
}
