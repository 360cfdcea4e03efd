use web::{Code, Coded, Fault};

/// Why the catalogue could not be read or changed. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No product has this id.
    #[error("There is no product {0}.")]
    NoSuchProduct(i64),
    /// No category has this id.
    #[error("There is no category {0}.")]
    NoSuchCategory(i64),
    /// A product was to be filed under a category that does not exist.
    #[error("There is no category {0}.")]
    UnknownCategory(i64),
    /// Another product has this key.
    #[error("Another product has the sku {0}.")]
    SkuTaken(String),
    /// Another category has this name.
    #[error("Another category is called {0}.")]
    NameTaken(String),
    /// The product is no longer as the client saw it.
    #[error("Product {0} is no longer as If-Match says. Read it again and decide anew.")]
    Stale(i64),
    /// The category is no longer as somebody saw it.
    #[error("Category {0} was changed meanwhile. Read it again and decide anew.")]
    StaleCategory(i64),
    /// Orders keep their products.
    #[error("Orders refer to product {0}, so it cannot be deleted. Set its stock to 0 to stop selling it.")]
    Ordered(i64),
    /// Products keep their category.
    #[error("Products are filed under category {0}, so it cannot be deleted. File them elsewhere first.")]
    NotEmpty(i64),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] db::Error),
}

impl Error {
    /// What a constraint that refused a write means here.
    pub(crate) fn refused(error: impl Into<db::Error>, meaning: impl Fn(&str) -> Option<Self>) -> Self {
        let error = error.into();
        error.constraint().and_then(meaning).unwrap_or(Self::Database(error))
    }
}

impl From<diesel::result::Error> for Error {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(error.into())
    }
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::NoSuchProduct(_) | Self::NoSuchCategory(_) => Code::NotFound,
            Self::UnknownCategory(_) => Code::Invalid,
            Self::SkuTaken(_) | Self::NameTaken(_) | Self::Ordered(_) | Self::NotEmpty(_) => Code::Conflict,
            Self::Stale(_) | Self::StaleCategory(_) => Code::PreconditionFailed,
            Self::Database(error) => error.code(),
        }
    }

    fn faults(&self) -> Vec<Fault> {
        match self {
            Self::UnknownCategory(_) => vec![Fault::at("/category_id", "unknown_category", self.to_string())],
            Self::SkuTaken(_) => vec![Fault::at("/sku", "taken", self.to_string())],
            Self::NameTaken(_) => vec![Fault::at("/name", "taken", self.to_string())],
            _ => Vec::new(),
        }
    }
}
