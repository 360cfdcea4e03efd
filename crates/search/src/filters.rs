//! What narrows a result besides its text. Each filter can be left out alone, for facets and for advice.

use rust_decimal::Decimal;

/// What a client asked for.
#[derive(Debug, Clone, Default)]
pub struct Filters {
    /// Names (in any case) or ids of categories, any of which will do; none for all.
    pub categories: Vec<String>,
    /// The least price, inclusive.
    pub min_price: Option<Decimal>,
    /// The highest price, inclusive.
    pub max_price: Option<Decimal>,
    /// Only what is in stock: at the store asked about, or without one anywhere.
    pub in_stock: bool,
}

/// One of the filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Filter {
    Category,
    MinPrice,
    MaxPrice,
    InStock,
}

impl Filter {
    pub(crate) const ALL: [Self; 4] = [Self::Category, Self::MinPrice, Self::MaxPrice, Self::InStock];

    /// The query parameter.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Category => "category",
            Self::MinPrice => "min_price",
            Self::MaxPrice => "max_price",
            Self::InStock => "in_stock",
        }
    }
}
