//! Why a search has no answer.

use crate::find::DEEPEST;

/// Why a search has no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store asked about does not exist.
    #[error("There is no store {0}.")]
    UnknownStore(i64),
    /// The page lies past the last one.
    #[error("There is no such page.")]
    NoSuchPage,
    /// The page lies past the results that can be paged through.
    #[error("Only the first {DEEPEST} results can be paged through. Narrow the search instead.")]
    TooDeep,
    /// Too little was typed to suggest anything.
    #[error("Must have at least 3 characters.")]
    TooShort,
    /// The database failed.
    #[error(transparent)]
    Database(#[from] db::Error),
    /// The index is still being opened or built.
    #[error("the search index is not ready yet")]
    Starting,
    /// The index cannot be read.
    #[error("the index: {0}")]
    Index(#[from] tantivy::TantivyError),
}

impl From<diesel::result::Error> for Error {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(error.into())
    }
}
