//! Reading categories; [`edit`] changes them.

mod edit;

use db::{Rows, Seek};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use web::Spot;

use crate::Error;
use crate::schema::{categories as table, lower};

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

/// The category with this id.
///
/// # Errors
/// [`Error::NoSuchCategory`], and those of the database.
pub async fn get_category(mut conn: &AsyncPgConnection, id: i64) -> Result<Category, Error> {
    let found = Category::query().filter(table::id.eq(id)).first(&mut conn).await.optional()?;
    found.ok_or(Error::NoSuchCategory(id))
}

/// The id of the category of this name, in any case, or else the one with this id.
///
/// # Errors
/// Those of the database.
pub async fn find_category(mut conn: &AsyncPgConnection, name_or_id: &str) -> Result<Option<i64>, db::Error> {
    let by_name = table::table.filter(lower(table::name).eq(lower(name_or_id))).select(table::id);
    if let Some(id) = by_name.first(&mut conn).await.optional()? {
        return Ok(Some(id));
    }
    let Ok(id) = name_or_id.parse::<i64>() else { return Ok(None) };
    Ok(table::table.find(id).select(table::id).first(&mut conn).await.optional()?)
}
