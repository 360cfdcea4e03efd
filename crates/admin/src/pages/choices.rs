//! What can be chosen from, in filters and forms.

use db::Seek;

use crate::desk::Desk;
use crate::list::Choice;
use crate::trouble::Trouble;

/// As many as a person may be asked to choose from.
const MOST: usize = 1_000;

/// The stores, by name.
///
/// # Errors
/// Those of the database.
pub(crate) async fn stores(desk: &Desk) -> Result<Vec<Choice>, Trouble> {
    let found = stores::browse(&*desk.connection().await?, "", &Seek::Skip(0), MOST).await?;
    Ok(found.rows.into_iter().map(|store| Choice::new(store.id.to_string(), store.name)).collect())
}

/// The categories, by name.
///
/// # Errors
/// Those of the database.
pub(crate) async fn categories(desk: &Desk) -> Result<Vec<Choice>, Trouble> {
    let found = products::browse_categories(&*desk.connection().await?, "", &Seek::Skip(0), MOST).await?;
    Ok(found.rows.into_iter().map(|category| Choice::new(category.id.to_string(), category.name)).collect())
}

/// These words.
pub(crate) fn words(words: impl IntoIterator<Item = &'static str>) -> Vec<Choice> {
    words.into_iter().map(|word| Choice::new(word, word)).collect()
}
