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
        Self::of_words(query.to_owned(), whole)
    }

    fn of_words(query: String, whole: Vec<String>) -> Self {
        let open = if whole.len() <= WORDS { whole.len() - 1 } else { usize::MAX };
        let words = whole.iter().take(WORDS).enumerate();
        let typed = words.map(|(place, word)| Typed::new(word, place == open)).collect();
        Self::Words { typed, query, whole }
    }

    /// The words or the runs of signs that count.
    pub(crate) fn parts(&self) -> &[String] {
        match self {
            Self::Anything => &[],
            Self::Words { whole, .. } => &whole[..whole.len().min(WORDS)],
            Self::Signs(signs) => signs,
        }
    }

    /// One of its parts, as a query by itself.
    pub(crate) fn alone(&self, place: usize) -> Self {
        let part = self.parts()[place].clone();
        match self {
            Self::Words { .. } => Self::of_words(part.clone(), vec![part]),
            Self::Anything | Self::Signs(_) => Self::Signs(vec![part]),
        }
    }

    /// The query of several words without one of them: what is the last word then may go on, and one that was past those
    /// that count may be among them.
    pub(crate) fn without(&self, place: usize) -> Self {
        let Self::Words { whole, .. } = self else { return self.clone() };
        let mut whole = whole.clone();
        whole.remove(place);
        Self::of_words(whole.join(" "), whole)
    }

    /// The words that count.
    pub(crate) fn words(&self) -> &[Typed] {
        match self {
            Self::Words { typed, .. } => typed,
            Self::Anything | Self::Signs(_) => &[],
        }
    }
}
