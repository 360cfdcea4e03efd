//! What can be chosen from, in filters and forms.
//!
//! Where there are many stores or categories, some are offered and any can be typed: as `Tea #7`, which is how those
//! that are offered read, as `7`, or by a name that only one has.

use db::{Connection, Seek};
use products::{CategoryOrder, Product};

use crate::desk::Desk;
use crate::list::{Asked, Choice, Choices};
use crate::trouble::Trouble;

/// As many as a person may be asked to choose from.
const MOST: usize = 500;

/// The stores, by name.
///
/// # Errors
/// Those of the database.
pub(crate) async fn stores(desk: &Desk, given: &str) -> Result<Choices, Trouble> {
    let conn = desk.connection().await?;
    let found = stores::browse(&conn, "", stores::Order::Name, false, &Seek::Skip(0), MOST).await?;
    let all = found.rows.into_iter().map(|store| (store.id, store.name)).collect();
    let name = match number(given) {
        Some(id) if found.more => stores::get(&conn, id).await.ok().map(|store| store.name),
        _ => None,
    };
    Ok(offered(all, found.more, given, name))
}

/// The categories, by name.
///
/// # Errors
/// Those of the database.
pub(crate) async fn categories(desk: &Desk, given: &str) -> Result<Choices, Trouble> {
    let conn = desk.connection().await?;
    let found = products::browse_categories(&conn, "", CategoryOrder::Name, false, &Seek::Skip(0), MOST).await?;
    let all = found.rows.into_iter().map(|category| (category.id, category.name)).collect();
    let name = match number(given) {
        Some(id) if found.more => products::get_category(&conn, id).await.ok().map(|category| category.name),
        _ => None,
    };
    Ok(offered(all, found.more, given, name))
}

fn offered(all: Vec<(i64, String)>, is_open: bool, given: &str, name: Option<String>) -> Choices {
    if !is_open {
        let all = all.into_iter().map(|(id, name)| Choice::new(id.to_string(), name)).collect();
        return Choices::of(all, given);
    }
    let in_full = |id: i64, name: &str| format!("{name} #{id}");
    let all = all.iter().map(|(id, name)| Choice::new(in_full(*id, name), name)).collect();
    let value = match (number(given), name) {
        (Some(id), Some(name)) => in_full(id, &name),
        _ => given.to_owned(),
    };
    Choices { all, is_open, value }
}

/// Whether a product is of the category that a list is narrowed to, if it is.
pub(crate) fn is_of_category(asked: &Asked, product: &Product) -> bool {
    asked.given("category").is_none_or(|category| number(category) == Some(product.category_id))
}

/// These words.
pub(crate) fn words(words: impl IntoIterator<Item = &'static str>) -> Vec<Choice> {
    words.into_iter().map(|word| Choice::new(word, word)).collect()
}

/// The id of a store that was chosen or typed; `None` where no store is called so, or several are.
///
/// # Errors
/// Those of the database.
pub(crate) async fn store_id(conn: &Connection, given: &str) -> Result<Option<i64>, Trouble> {
    if let Some(id) = number(given) {
        return Ok(Some(id));
    }
    let called = stores::called(conn, &[given]).await?;
    Ok(match called.get(given).map(Vec::as_slice) {
        Some([id]) => Some(*id),
        _ => None,
    })
}

/// The id of a category that was chosen or typed; `None` where none is called so.
///
/// # Errors
/// Those of the database.
pub(crate) async fn category_id(conn: &Connection, given: &str) -> Result<Option<i64>, Trouble> {
    match number(given) {
        Some(id) => Ok(Some(id)),
        None => Ok(products::category_called(conn, given).await?),
    }
}

/// What is asked of a list, with ids in the place of names that were typed.
///
/// # Errors
/// Those of the database.
pub(crate) async fn settle(desk: &Desk, mut asked: Asked) -> Result<Asked, Trouble> {
    for filter in ["store", "category"] {
        let Some(given) = asked.given(filter).filter(|given| given.parse::<i64>().is_err()) else { continue };
        let conn = desk.connection().await?;
        let id = if filter == "store" { store_id(&conn, given).await? } else { category_id(&conn, given).await? };
        if let Some(id) = id {
            asked.fields = asked.fields.with(filter, id.to_string());
        }
    }
    Ok(asked)
}

fn number(given: &str) -> Option<i64> {
    given.rsplit_once('#').map_or(given, |(_, number)| number).trim().parse().ok()
}
