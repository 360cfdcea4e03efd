//! Reads what an index lacks.

use std::collections::HashSet;
use std::sync::Arc;

use db::Tx;

use super::position::Position;
use super::source::{self, Change};
use super::{Current, FollowError};
use crate::index::Entry;

/// What has changed, read at one moment.
pub(super) struct Changes {
    pub(super) position: Position,
    pub(super) generation: i64,
    pub(super) touched: Vec<i64>,
    pub(super) entries: Vec<Entry>,
    pub(super) categories: Option<Vec<(i64, String)>>,
    /// Whether everything is said to have changed.
    pub(super) is_everything: bool,
}

impl Changes {
    pub(super) fn is_empty(&self) -> bool {
        self.touched.is_empty() && self.categories.is_none() && !self.is_everything
    }
}

/// The changes that `seen` lacks; none where an index has to be built anew: for there being more than `most`, or another
/// database.
///
/// With an `identity` it is in doubt whether this is still the database of that name, and whether it has crashed.
pub(super) async fn read_changes(
    tx: &mut Tx,
    seen: Arc<Current>,
    identity: Option<String>,
    most: usize,
) -> Result<Option<Changes>, FollowError> {
    let position = source::freeze(tx).await?;
    let mut changes = source::changes(tx, &seen.position, i64::try_from(most).unwrap_or(i64::MAX)).await?;
    let is = |changes: &[Change], kind: &str| changes.iter().filter(|change| change.kind == kind).count();
    let new_titles = is(&changes, "title") + is(&changes, "everything");
    let mut generation = seen.generation + i64::try_from(new_titles).unwrap_or(i64::MAX);
    if let Some(identity) = identity {
        if source::identity(tx).await? != identity {
            return Ok(None);
        }
        changes.extend(source::changes_in_doubt(tx, &seen.position).await?);
        generation = source::generation(tx).await?;
    }
    if changes.len() >= most {
        return Ok(None);
    }
    let touched: HashSet<i64> = changes.iter().filter_map(|change| change.product_id).collect();
    let touched: Vec<i64> = touched.into_iter().collect();
    let entries = match touched.as_slice() {
        [] => Vec::new(),
        touched => source::products(tx, touched).await?,
    };
    let categories = match is(&changes, "category") {
        0 => None,
        _ => Some(source::all_categories(tx).await?),
    };
    let is_everything = is(&changes, "everything") > 0;
    Ok(Some(Changes { position, generation, touched, entries, categories, is_everything }))
}
