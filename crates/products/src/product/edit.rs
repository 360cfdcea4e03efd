//! Making, changing and deleting products. Each is in the audit log by the transaction that does it.

use std::time::Duration;

use accounts::Actor;
use accounts::audit::{self, Action, Object};
use chrono::{DateTime, Utc};
use db::Tx;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::Product;
use crate::Error;
use crate::schema::products;

/// A product to be made.
#[derive(Debug, Clone)]
pub struct NewProduct {
    /// The merchant's own key: 1 to 100 characters that no other product has.
    pub sku: Option<String>,
    /// 1 to 500 characters.
    pub title: String,
    /// At most 20,000 characters.
    pub description: String,
    /// Of one unit, with two decimals, not negative.
    pub price: Decimal,
    /// Id of its category.
    pub category_id: i64,
}

/// What to change of a product; `None` leaves it. Bounds as in [`NewProduct`].
#[derive(Debug, Clone, Default)]
pub struct ProductChange {
    /// The merchant's own key; `Some(None)` takes it away.
    pub sku: Option<Option<String>>,
    /// Its title.
    pub title: Option<String>,
    /// Its description.
    pub description: Option<String>,
    /// Its price.
    pub price: Option<Decimal>,
    /// Id of its category.
    pub category_id: Option<i64>,
}

/// Makes a product.
///
/// # Errors
/// [`Error::SkuTaken`], [`Error::UnknownCategory`], and those of the database.
pub async fn create(tx: &Tx, actor: &Actor, new: &NewProduct, now: DateTime<Utc>) -> Result<Product, Error> {
    let mut conn: &AsyncPgConnection = tx;
    let row = (
        products::sku.eq(&new.sku),
        products::title.eq(&new.title),
        products::description.eq(&new.description),
        products::price.eq(new.price),
        products::category_id.eq(new.category_id),
        products::created_at.eq(now),
        products::updated_at.eq(now),
    );
    let insert = diesel::insert_into(products::table).values(row).returning(products::id);
    let id = insert.get_result(&mut conn).await.map_err(|error| refused(error, new.sku.as_deref(), new.category_id))?;
    let product = super::get(tx, id).await?;
    audit::record(tx, actor, Action::Create, Object::new("product", id), None, Some(facts(&product))).await?;
    Ok(product)
}

/// Changes a product that is still as `is_expected` wants it: looked at under the row's lock, so that of two who saw
/// the same product only one changes it. A change that changes nothing writes nothing.
///
/// # Errors
/// [`Error::NoSuchProduct`], [`Error::Stale`], [`Error::SkuTaken`], [`Error::UnknownCategory`], and those of the
/// database.
pub async fn change(
    tx: &Tx,
    actor: &Actor,
    id: i64,
    change: ProductChange,
    is_expected: impl FnOnce(&Product) -> bool,
    now: DateTime<Utc>,
) -> Result<Product, Error> {
    let before = hold(tx, id, Until::Changed, is_expected).await?;
    let after = Product {
        sku: change.sku.unwrap_or_else(|| before.sku.clone()),
        title: change.title.unwrap_or_else(|| before.title.clone()),
        description: change.description.unwrap_or_else(|| before.description.clone()),
        price: change.price.unwrap_or(before.price),
        category_id: change.category_id.unwrap_or(before.category_id),
        ..before.clone()
    };
    if after == before {
        return Ok(before);
    }
    let mut conn: &AsyncPgConnection = tx;
    let columns = (
        products::sku.eq(&after.sku),
        products::title.eq(&after.title),
        products::description.eq(&after.description),
        products::price.eq(after.price),
        products::category_id.eq(after.category_id),
        products::updated_at.eq(now),
    );
    let update = diesel::update(products::table.find(id)).set(columns);
    update.execute(&mut conn).await.map_err(|error| refused(error, after.sku.as_deref(), after.category_id))?;
    let after = super::get(tx, id).await?;
    let (old, new) = (Some(facts(&before)), Some(facts(&after)));
    audit::record(tx, actor, Action::Change, Object::new("product", id), old, new).await?;
    Ok(after)
}

/// Deletes a product that no order names, with what stores have of it.
///
/// An index of lines by product would cost every order, for this alone. So there is one that says only where no line
/// of the product can be, which costs orders nothing. What it cannot rule out is read: a hundredth of all lines, and
/// those since the last vacuum.
///
/// # Errors
/// [`Error::NoSuchProduct`], [`Error::Stale`], [`Error::Ordered`], and those of the database.
pub async fn delete(tx: &Tx, actor: &Actor, id: i64, is_expected: impl FnOnce(&Product) -> bool) -> Result<(), Error> {
    let before = hold(tx, id, Until::Gone, is_expected).await?;
    let mut conn: &AsyncPgConnection = tx;
    tx.limit_statements(Duration::from_secs(30)).await?;
    let delete = diesel::delete(products::table.find(id)).execute(&mut conn).await;
    let ordered = |constraint: &str| (constraint == "order_items_product_id_fkey").then_some(Error::Ordered(id));
    delete.map_err(|error| Error::refused(error, ordered))?;
    Ok(audit::record(tx, actor, Action::Delete, Object::new("product", id), Some(facts(&before)), None).await?)
}

/// What a product is locked for.
#[derive(Clone, Copy)]
enum Until {
    /// To be changed: orders for it go on meanwhile.
    Changed,
    /// To be deleted.
    Gone,
}

/// Locks a product until the transaction ends, and reads it.
async fn hold(tx: &Tx, id: i64, until: Until, is_expected: impl FnOnce(&Product) -> bool) -> Result<Product, Error> {
    let mut conn: &AsyncPgConnection = tx;
    let row = products::table.find(id).select(products::id);
    let held: Option<i64> = match until {
        Until::Changed => row.for_no_key_update().first(&mut conn).await.optional()?,
        Until::Gone => row.for_update().first(&mut conn).await.optional()?,
    };
    held.ok_or(Error::NoSuchProduct(id))?;
    let product = super::get(tx, id).await?;
    if is_expected(&product) { Ok(product) } else { Err(Error::Stale(id)) }
}

fn refused(error: diesel::result::Error, sku: Option<&str>, category_id: i64) -> Error {
    Error::refused(error, |constraint| match constraint {
        "products_sku_key" => Some(Error::SkuTaken(sku.unwrap_or_default().to_owned())),
        "products_category_id_fkey" => Some(Error::UnknownCategory(category_id)),
        _ => None,
    })
}

/// As the audit log shows a product.
fn facts(product: &Product) -> Value {
    json!({
        "sku": product.sku,
        "title": product.title,
        "description": product.description,
        "price": format!("{:.2}", product.price),
        "category_id": product.category_id,
    })
}
