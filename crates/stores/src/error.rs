use web::{Code, Coded};

/// Why a store could not be read or changed. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No store has this id.
    #[error("There is no store {0}.")]
    NoSuchStore(i64),
    /// The store is no longer as somebody saw it.
    #[error("Store {0} was changed meanwhile. Read it again and decide anew.")]
    Stale(i64),
    /// Orders keep their store.
    #[error("Orders refer to store {0}, so it cannot be deleted.")]
    HasOrders(i64),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] db::Error),
}

impl From<diesel::result::Error> for Error {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(error.into())
    }
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::NoSuchStore(_) => Code::NotFound,
            Self::HasOrders(_) => Code::Conflict,
            Self::Stale(_) => Code::PreconditionFailed,
            Self::Database(error) => error.code(),
        }
    }
}
