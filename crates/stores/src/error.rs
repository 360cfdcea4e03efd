use web::{Code, Coded};

/// Why a store could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No store has this id.
    #[error("There is no store {0}.")]
    NoSuchStore(i64),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] db::Error),
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::NoSuchStore(_) => Code::NotFound,
            Self::Database(error) => error.code(),
        }
    }
}
