//! Rows of an inventory in an order that comes from elsewhere, such as a search.

use std::collections::HashSet;

use db::{CachedDsl, Rows, Seek};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::{Stocked, page};
use crate::schema::inventory;

/// A row, and its place among the products that were given.
#[derive(Debug, Clone, PartialEq, QueryableByName)]
pub struct Placed {
    /// Its place, from 1.
    #[diesel(sql_type = BigInt)]
    pub place: i64,
    /// The row.
    #[diesel(embed)]
    pub stocked: Stocked,
}

/// Of a store that carries no more than this, all rows are read before any product is looked up: some milliseconds.
const FEW: i64 = 4_000;

/// Products that one page looks up in any other store, so that none takes long.
const STRETCH: usize = 1_000;

/// A page of those of these products that the store carries and has at most `most` units of, in the order given. Where
/// so many products were looked up in vain that the page would take long, it ends early, and the place where the look
/// ended comes with it, as it does with a page that is empty. A page costs the same at any depth. A place is one among the
/// products as they are given: whoever gives others for the next page may see a row twice, or not at all.
///
/// # Errors
/// Those of the database.
pub async fn among(
    mut conn: &AsyncPgConnection,
    store_id: i64,
    product_ids: &[i64],
    most: Option<i64>,
    seek: &Seek<i64>,
    size: usize,
) -> Result<(Rows<Placed>, Option<i64>), db::Error> {
    let number = |at: usize| i64::try_from(at + 1).unwrap_or(i64::MAX);
    let given = product_ids.iter().enumerate().map(|(at, id)| (number(at), *id));
    let mut asked: Vec<(i64, i64)> = match seek {
        Seek::Skip(_) => given.collect(),
        Seek::After(from) => given.filter(|(place, _)| place > from).collect(),
        Seek::Before(from) => given.rev().filter(|(place, _)| place < from).collect(),
    };
    let stretch = STRETCH.max(size + 1);
    let mut ends_early = false;
    if let Some(carried) = few(conn, store_id).await? {
        asked.retain(|(_, id)| carried.contains(id));
    } else if asked.len() > stretch {
        asked.truncate(stretch);
        ends_early = true;
    }
    let end = asked.last().map(|(place, _)| *place);
    let (places, ids): (Vec<i64>, Vec<i64>) = asked.into_iter().unzip();
    let most = most.map_or(i32::MAX, |most| i32::try_from(most).unwrap_or(i32::MAX));
    // One by one and no further than needed, whatever the planner believes: hence OFFSET 0, and the order of unnest.
    let fetched = diesel::sql_query(format!(
        "WITH page AS MATERIALIZED ( \
             SELECT product_id, quantity, place, turn FROM unnest($2, $3) WITH ORDINALITY AS asked (id, place, turn) \
             CROSS JOIN LATERAL ( \
                 SELECT product_id, quantity FROM inventory \
                 WHERE {} AND quantity <= $4 OFFSET 0) AS held \
             ORDER BY turn LIMIT $5) \
         SELECT page.place, {}, page.quantity, products.title_key \
         FROM page JOIN products ON products.id = page.product_id \
         JOIN categories ON categories.id = products.category_id ORDER BY page.turn",
        page::row_of("asked.id"),
        page::SHOWN
    ))
    .bind::<BigInt, _>(store_id)
    .bind::<Array<BigInt>, _>(ids)
    .bind::<Array<BigInt>, _>(places)
    .bind::<Integer, _>(most)
    .bind::<BigInt, _>(i64::try_from(size.saturating_add(1)).unwrap_or(i64::MAX));
    let mut rows = Rows::new(fetched.cached().load(&mut conn).await?, size, seek);
    let reached = end.filter(|_| !rows.more && (ends_early || rows.rows.is_empty()));
    rows.more |= ends_early;
    Ok((rows, reached))
}

/// The products that the store carries, if these are few.
async fn few(mut conn: &AsyncPgConnection, store_id: i64) -> Result<Option<HashSet<i64>>, db::Error> {
    let carried = inventory::table.filter(inventory::store_id.eq(store_id)).select(inventory::product_id);
    let beyond: Option<i64> = carried.offset(FEW).first(&mut conn).await.optional()?;
    match beyond {
        Some(_) => Ok(None),
        None => Ok(Some(carried.load(&mut conn).await?.into_iter().collect())),
    }
}
