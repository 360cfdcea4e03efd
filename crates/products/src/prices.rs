//! Prices of many products at once, and whether they are there.

use std::collections::{HashMap, HashSet};

use db::Tx;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use rust_decimal::Decimal;

use crate::schema::products;

/// Price of one unit by product id, with two decimals.
pub type Prices = HashMap<i64, Decimal>;

/// The prices of these products; one that does not exist is left out. Takes one round trip whatever their number,
/// and a shared connection, so that it can be pipelined with other reads.
///
/// # Errors
/// Those of the database.
pub async fn prices(mut conn: &AsyncPgConnection, ids: &[i64]) -> Result<Prices, db::Error> {
    let rows: Vec<(i64, Decimal)> = products::table
        .filter(products::id.eq_any(ids))
        .select((products::id, products::price))
        .load(&mut conn)
        .await?;
    Ok(rows.into_iter().collect())
}

/// Which of these products exist, and will until the transaction ends: nobody deletes them meanwhile.
///
/// # Errors
/// Those of the database.
pub async fn keep(tx: &Tx, ids: &[i64]) -> Result<HashSet<i64>, db::Error> {
    let mut conn: &AsyncPgConnection = tx;
    let kept = products::table.filter(products::id.eq_any(ids)).select(products::id).order_by(products::id);
    let kept: Vec<i64> = kept.for_key_share().load(&mut conn).await?;
    Ok(kept.into_iter().collect())
}
