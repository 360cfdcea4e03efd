//! Making, changing and deleting stores. Each is in the audit log by the transaction that does it.

use std::time::Duration;

use accounts::Actor;
use accounts::audit::{self, Action, Object};
use chrono::{DateTime, Utc};
use db::Tx;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::{Value, json};

use super::Store;
use crate::Error;
use crate::schema::stores;

/// A store to be made.
#[derive(Debug, Clone)]
pub struct NewStore {
    /// 1 to 200 characters. Several stores may have the same.
    pub name: String,
    /// At most 500 characters.
    pub location: String,
}

/// What to change of a store; `None` leaves it. Bounds as in [`NewStore`].
#[derive(Debug, Clone, Default)]
pub struct StoreChange {
    /// Its name.
    pub name: Option<String>,
    /// Where it is.
    pub location: Option<String>,
}

/// Makes a store.
///
/// # Errors
/// Those of the database.
pub async fn create(tx: &Tx, actor: &Actor, new: &NewStore, now: DateTime<Utc>) -> Result<Store, Error> {
    let mut conn: &AsyncPgConnection = tx;
    let row = (stores::name.eq(&new.name), stores::location.eq(&new.location), stores::created_at.eq(now));
    let insert = diesel::insert_into(stores::table).values(row).returning(stores::id);
    let store = super::get(tx, insert.get_result(&mut conn).await?).await?;
    audit::record(tx, actor, Action::Create, object(&store), None, Some(facts(&store))).await?;
    Ok(store)
}

/// Changes a store that is still as `is_expected` wants it: looked at under the row's lock, so that of two who saw the
/// same store only one changes it. A change that changes nothing writes nothing.
///
/// # Errors
/// [`Error::NoSuchStore`], [`Error::Stale`], and those of the database.
pub async fn change(
    tx: &Tx,
    actor: &Actor,
    id: i64,
    change: StoreChange,
    is_expected: impl FnOnce(&Store) -> bool,
) -> Result<Store, Error> {
    let mut conn: &AsyncPgConnection = tx;
    // Orders go on meanwhile.
    let lock = stores::table.find(id).select(stores::id).for_no_key_update();
    let held: Option<i64> = lock.first(&mut conn).await.optional()?;
    let before = super::get(tx, held.ok_or(Error::NoSuchStore(id))?).await?;
    if !is_expected(&before) {
        return Err(Error::Stale(id));
    }
    let name = change.name.unwrap_or_else(|| before.name.clone());
    let location = change.location.unwrap_or_else(|| before.location.clone());
    if (&name, &location) == (&before.name, &before.location) {
        return Ok(before);
    }
    let columns = (stores::name.eq(name), stores::location.eq(location));
    diesel::update(stores::table.find(id)).set(columns).execute(&mut conn).await?;
    let after = super::get(tx, id).await?;
    let (old, new) = (Some(facts(&before)), Some(facts(&after)));
    audit::record(tx, actor, Action::Change, object(&after), old, new).await?;
    Ok(after)
}

/// Deletes a store without orders, with what it has in stock. That may be much, so it may take longer than requests
/// usually do.
///
/// # Errors
/// [`Error::NoSuchStore`], [`Error::HasOrders`], and those of the database.
pub async fn delete(tx: &Tx, actor: &Actor, id: i64) -> Result<(), Error> {
    let mut conn: &AsyncPgConnection = tx;
    let lock = stores::table.find(id).select(stores::id).for_update();
    let held: Option<i64> = lock.first(&mut conn).await.optional()?;
    let before = super::get(tx, held.ok_or(Error::NoSuchStore(id))?).await?;
    tx.limit_statements(Duration::from_secs(30)).await?;
    let delete = diesel::delete(stores::table.find(id)).execute(&mut conn).await;
    delete.map_err(|error| match db::Error::from(error) {
        // Whichever of the orders' tables refuses first; what is in stock goes by itself.
        error if error.constraint().is_some_and(|name| name.ends_with("_store_id_fkey")) => Error::HasOrders(id),
        error => error.into(),
    })?;
    Ok(audit::record(tx, actor, Action::Delete, object(&before), Some(facts(&before)), None).await?)
}

fn object(store: &Store) -> Object {
    Object::new("store", store.id)
}

/// As the audit log shows a store.
fn facts(store: &Store) -> Value {
    json!({ "name": store.name, "location": store.location })
}
