//! Titles of many products at once.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::schema::products;

/// Title by product id.
pub type Titles = HashMap<i64, String>;

/// The titles of these products; one that does not exist is left out. Takes one round trip whatever their number.
///
/// # Errors
/// Those of the database.
pub async fn titles(mut conn: &AsyncPgConnection, ids: &[i64]) -> Result<Titles, db::Error> {
    let rows: Vec<(i64, String)> = products::table
        .filter(products::id.eq_any(ids))
        .select((products::id, products::title))
        .load(&mut conn)
        .await?;
    Ok(rows.into_iter().collect())
}
