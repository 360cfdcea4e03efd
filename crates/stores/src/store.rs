//! Reading stores.

use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::schema::stores;

/// Whether there is such a store. Takes a shared connection, so that it can be pipelined with other reads.
///
/// # Errors
/// Those of the database.
pub async fn exists(mut conn: &AsyncPgConnection, store_id: i64) -> Result<bool, db::Error> {
    let found = stores::table.find(store_id).select(stores::id).first::<i64>(&mut conn).await.optional()?;
    Ok(found.is_some())
}
