//! Reading stores; [`edit`] changes them.

mod edit;

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use db::{CachedDsl, Rows, Seek, Tx};
use diesel::dsl::sql;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use web::Spot;

use crate::Error;
use crate::schema::{lower, stores, strpos};

pub use edit::{NewStore, StoreChange, change, create, delete};

/// Who sells.
#[derive(Debug, Clone, PartialEq, Eq, HasQuery)]
#[diesel(check_for_backend(Pg))]
pub struct Store {
    /// Id.
    pub id: i64,
    /// Name. Several stores may have the same.
    pub name: String,
    /// Where it is, possibly empty.
    pub location: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// With the id, the key of the list of stores: the name in lower case, as the database sees it.
    #[diesel(select_expression = lower(stores::name))]
    pub name_key: String,
}

/// Place of a store in the list: its name in lower case, and its id.
pub type Place = (String, i64);

/// Whether there is such a store. Takes a shared connection, so that it can be pipelined with other reads.
///
/// # Errors
/// Those of the database.
pub async fn exists(mut conn: &AsyncPgConnection, store_id: i64) -> Result<bool, db::Error> {
    let found = stores::table.find(store_id).select(stores::id).first::<i64>(&mut conn).await.optional()?;
    Ok(found.is_some())
}

/// Whether there is such a store, and will be until the transaction ends: nobody deletes it meanwhile.
///
/// # Errors
/// Those of the database.
pub async fn keep(tx: &Tx, store_id: i64) -> Result<bool, db::Error> {
    let mut conn: &AsyncPgConnection = tx;
    let kept = stores::table.find(store_id).select(stores::id).for_key_share();
    Ok(kept.first::<i64>(&mut conn).await.optional()?.is_some())
}

/// Which of these stores exist. Takes one round trip whatever their number, and a shared connection, so that it can be
/// pipelined with other reads.
///
/// # Errors
/// Those of the database.
pub async fn existing(mut conn: &AsyncPgConnection, ids: &[i64]) -> Result<HashSet<i64>, db::Error> {
    let found = stores::table.filter(stores::id.eq_any(ids)).select(stores::id).load(&mut conn).await?;
    Ok(found.into_iter().collect())
}

/// The store with this id.
///
/// # Errors
/// [`Error::NoSuchStore`], and those of the database.
pub async fn get(mut conn: &AsyncPgConnection, id: i64) -> Result<Store, Error> {
    let found = Store::query().filter(stores::id.eq(id)).first(&mut conn).await.optional();
    found.map_err(db::Error::from)?.ok_or(Error::NoSuchStore(id))
}

/// A page of all stores, by name without regard to case, then by id; and how many there are in all.
///
/// # Errors
/// Those of the database.
pub async fn list(mut conn: &AsyncPgConnection, spot: &Spot<Place>) -> Result<(i64, Rows<Store>), db::Error> {
    let count = match spot.count {
        Some(count) => count,
        None => stores::table.count().get_result(&mut conn).await?,
    };
    let limit = i64::try_from(spot.size + 1).unwrap_or(i64::MAX);
    let query = Store::query().limit(limit).into_boxed();
    let (ascending, descending) =
        ((lower(stores::name).asc(), stores::id.asc()), (lower(stores::name).desc(), stores::id.desc()));
    let query = match &spot.seek {
        Seek::Skip(rows) => query.order_by(ascending).offset(*rows),
        Seek::After(place) => query.filter(compare(">", place)).order_by(ascending),
        Seek::Before(place) => query.filter(compare("<", place)).order_by(descending),
    };
    Ok((count, Rows::new(query.cached().load(&mut conn).await?, spot.size, &spot.seek)))
}

/// In which order stores are browsed. Each has an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// As [`list`] has them: by name, without regard to case, then by id.
    Name,
    /// By id.
    Id,
}

/// A page of the stores whose name or location contains `part`, in any case; all of them for an empty one. Nothing is
/// counted.
///
/// # Errors
/// Those of the database.
pub async fn browse(
    mut conn: &AsyncPgConnection,
    part: &str,
    order: Order,
    descending: bool,
    seek: &Seek<Place>,
    size: usize,
) -> Result<Rows<Store>, db::Error> {
    let upward = descending == seek.is_backward();
    let limit = i64::try_from(size + 1).unwrap_or(i64::MAX);
    let mut query = Store::query().limit(limit).into_boxed();
    if !part.is_empty() {
        let in_name = strpos(lower(stores::name), lower(part)).gt(0);
        query = query.filter(in_name.or(strpos(lower(stores::location), lower(part)).gt(0)));
    }
    if let Seek::After(place) | Seek::Before(place) = seek {
        query = match (order, upward) {
            (Order::Name, true) => query.filter(compare(">", place)),
            (Order::Name, false) => query.filter(compare("<", place)),
            (Order::Id, true) => query.filter(stores::id.gt(place.1)),
            (Order::Id, false) => query.filter(stores::id.lt(place.1)),
        };
    }
    let query = match (order, upward) {
        (Order::Name, true) => query.order_by((lower(stores::name).asc(), stores::id.asc())),
        (Order::Name, false) => query.order_by((lower(stores::name).desc(), stores::id.desc())),
        (Order::Id, true) => query.order_by(stores::id.asc()),
        (Order::Id, false) => query.order_by(stores::id.desc()),
    };
    Ok(Rows::new(query.load(&mut conn).await?, size, seek))
}

/// The stores of these names, in any case: each name as it was given, with the ids of those that are called so.
///
/// # Errors
/// Those of the database.
pub async fn called(mut conn: &AsyncPgConnection, names: &[&str]) -> Result<HashMap<String, Vec<i64>>, db::Error> {
    #[derive(QueryableByName)]
    struct Called {
        #[diesel(sql_type = Text)]
        given: String,
        #[diesel(sql_type = BigInt)]
        id: i64,
    }
    let found: Vec<Called> = diesel::sql_query(
        "SELECT given, stores.id FROM unnest($1) AS given JOIN stores ON lower(stores.name) = lower(given) \
         ORDER BY stores.id",
    )
    .bind::<Array<Text>, _>(names)
    .load(&mut conn)
    .await?;
    let mut called: HashMap<String, Vec<i64>> = HashMap::new();
    for Called { given, id } in found {
        let ids = called.entry(given).or_default();
        // Somebody may have given a name twice.
        if ids.last() != Some(&id) {
            ids.push(id);
        }
    }
    Ok(called)
}

/// The key of the list compared with this place, as a row. The text is one of two, so the statement can be cached.
fn compare(operator: &str, (name, id): &Place) -> Box<dyn BoxableExpression<stores::table, Pg, SqlType = Bool>> {
    let comparison = sql::<Bool>("(lower(stores.name), stores.id) ")
        .sql(operator)
        .sql(" (")
        .bind::<Text, _>(name.clone())
        .sql(", ")
        .bind::<BigInt, _>(*id)
        .sql(")");
    Box::new(comparison)
}
