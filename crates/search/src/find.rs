//! What can be asked.

use crate::filters::Filters;

/// Results that can be paged through. Sorting more of them for one page serves nobody.
pub const DEEPEST: usize = 10_000;

/// In which order results come. Each is total.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// The cheapest first, then by id.
    Price,
    /// The dearest first, then by id.
    PriceDescending,
    /// The newest first, then the higher id.
    Newest,
    /// The best match first; without a query, as [`Sort::Newest`].
    Relevance,
}

/// What to find.
#[derive(Debug, Clone)]
pub struct Query {
    /// Words, or signs.
    pub text: Option<String>,
    /// What narrows the result.
    pub filters: Filters,
    /// Default: relevance with a text, newest without.
    pub sort: Option<Sort>,
    /// The page, from 1.
    pub page: i64,
    /// Results on a page, at least 1.
    pub page_size: usize,
    /// Whether to count by category and price.
    pub facets: bool,
}
