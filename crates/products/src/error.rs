use web::{Code, Coded};

/// Why the catalogue could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No product has this id.
    #[error("There is no product {0}.")]
    NoSuchProduct(i64),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] db::Error),
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::NoSuchProduct(_) => Code::NotFound,
            Self::Database(error) => error.code(),
        }
    }
}
