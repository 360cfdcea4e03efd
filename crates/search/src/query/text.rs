//! What a query asks of a product's text.

use crate::closeness::Typed;
use crate::fold;

/// Words of a query that count.
pub(crate) const WORDS: usize = 16;

/// A query, read.
#[derive(Debug, Clone)]
pub(crate) enum Text {
    /// Nothing: every product matches.
    Anything,
    /// These words.
    Words {
        /// Those that count.
        typed: Vec<Typed>,
        /// As they were typed.
        query: String,
        /// All of them, folded.
        whole: Vec<String>,
    },
    /// These signs, literally.
    Signs(Vec<String>),
}

impl Text {
    /// Reads a query. Never fails, whatever is in it.
    pub(crate) fn read(query: Option<&str>) -> Self {
        let Some(query) = query.map(str::trim).filter(|query| !query.is_empty()) else { return Self::Anything };
        let whole = fold::words(query);
        if whole.is_empty() {
            return Self::Signs(query.split_whitespace().take(WORDS).map(str::to_owned).collect());
        }
        let open = if whole.len() <= WORDS { whole.len() - 1 } else { usize::MAX };
        let words = whole.iter().take(WORDS).enumerate();
        let typed = words.map(|(place, word)| Typed::new(word, place == open)).collect();
        Self::Words { typed, query: query.to_owned(), whole }
    }

    /// The words that count.
    pub(crate) fn words(&self) -> &[Typed] {
        match self {
            Self::Words { typed, .. } => typed,
            Self::Anything | Self::Signs(_) => &[],
        }
    }
}
