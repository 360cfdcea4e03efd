//! Making, renaming and deleting categories. Each is in the audit log by the transaction that does it.

use accounts::Actor;
use accounts::audit::{self, Action, Object};
use chrono::{DateTime, Utc};
use db::Tx;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::{Value, json};

use super::Category;
use crate::Error;
use crate::schema::categories as table;

/// Makes a category. A name has 1 to 200 characters.
///
/// # Errors
/// [`Error::NameTaken`], and those of the database.
pub async fn create_category(tx: &Tx, actor: &Actor, name: &str, now: DateTime<Utc>) -> Result<Category, Error> {
    let mut conn: &AsyncPgConnection = tx;
    let row = (table::name.eq(name), table::created_at.eq(now));
    let insert = diesel::insert_into(table::table).values(row).returning(table::id);
    let id = insert.get_result(&mut conn).await.map_err(|error| Error::refused(error, taken(name)))?;
    audit::record(tx, actor, Action::Create, Object::new("category", id), None, Some(facts(name))).await?;
    super::get_category(tx, id).await
}

/// Renames a category whose name is still one that `is_expected` wants, looked at under the row's lock. Its own name in
/// another case is another name.
///
/// # Errors
/// [`Error::NoSuchCategory`], [`Error::StaleCategory`], [`Error::NameTaken`], and those of the database.
pub async fn rename_category(
    tx: &Tx,
    actor: &Actor,
    id: i64,
    name: &str,
    is_expected: impl FnOnce(&str) -> bool,
) -> Result<Category, Error> {
    let mut conn: &AsyncPgConnection = tx;
    // Products can be filed under it meanwhile.
    let lock = table::table.find(id).select(table::name).for_no_key_update();
    let before: String = lock.first(&mut conn).await.optional()?.ok_or(Error::NoSuchCategory(id))?;
    if !is_expected(&before) {
        return Err(Error::StaleCategory(id));
    }
    if before != name {
        let update = diesel::update(table::table.find(id)).set(table::name.eq(name)).execute(&mut conn).await;
        update.map_err(|error| Error::refused(error, taken(name)))?;
        let (old, new) = (Some(facts(&before)), Some(facts(name)));
        audit::record(tx, actor, Action::Change, Object::new("category", id), old, new).await?;
    }
    super::get_category(tx, id).await
}

/// Deletes a category under which no product is filed.
///
/// # Errors
/// [`Error::NoSuchCategory`], [`Error::NotEmpty`], and those of the database.
pub async fn delete_category(tx: &Tx, actor: &Actor, id: i64) -> Result<(), Error> {
    let mut conn: &AsyncPgConnection = tx;
    let lock = table::table.find(id).select(table::name).for_update();
    let before: String = lock.first(&mut conn).await.optional()?.ok_or(Error::NoSuchCategory(id))?;
    let filled = |constraint: &str| (constraint == "products_category_id_fkey").then_some(Error::NotEmpty(id));
    let delete = diesel::delete(table::table.find(id)).execute(&mut conn).await;
    delete.map_err(|error| Error::refused(error, filled))?;
    Ok(audit::record(tx, actor, Action::Delete, Object::new("category", id), Some(facts(&before)), None).await?)
}

fn taken(name: &str) -> impl Fn(&str) -> Option<Error> {
    move |constraint| (constraint == "categories_name_key").then(|| Error::NameTaken(name.to_owned()))
}

/// As the audit log shows a category.
fn facts(name: &str) -> Value {
    json!({ "name": name })
}
