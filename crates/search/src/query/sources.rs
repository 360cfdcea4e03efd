//! Where the documents are that match one word.

use crate::closeness::{Closeness, Typed};
use crate::index::{Categories, Postings, Segment};
use crate::query::cost::{Cost, Field};
use crate::query::text::Text;

/// Lists of documents, those of the least cost first.
pub(crate) struct Sources<'s> {
    pub(crate) lists: Vec<(Cost, Postings<'s>)>,
    /// Documents in all lists, counted as often as they occur.
    pub(crate) documents: u64,
}

impl<'s> Sources<'s> {
    /// Of a typed word.
    pub(crate) fn of_word(typed: &Typed, segment: &'s Segment, categories: &Categories) -> Self {
        let mut lists = Vec::new();
        for (text, field) in [(&segment.title, Field::Title), (&segment.description, Field::Description)] {
            let words = text.matching(typed);
            lists.extend(words.iter().map(|(word, closeness)| (Cost::new(*closeness, field), text.postings(*word))));
        }
        for (category, closeness) in categories.matching(typed) {
            lists.extend(segment.category(category).map(|list| (Cost::new(closeness, Field::Category), list)));
        }
        Self::sorted(lists)
    }

    /// Of all of a text, if that is one word or one run of signs.
    pub(crate) fn alone(text: &Text, segment: &'s Segment, categories: &Categories) -> Option<Self> {
        match text {
            Text::Words { typed, .. } if typed.len() == 1 => Some(Self::of_word(&typed[0], segment, categories)),
            Text::Signs(signs) if signs.len() == 1 => Some(Self::of_signs(&signs[0], segment, categories)),
            Text::Anything | Text::Words { .. } | Text::Signs(_) => None,
        }
    }

    /// Of signs, literally.
    pub(crate) fn of_signs(signs: &str, segment: &'s Segment, categories: &Categories) -> Self {
        let mut lists = Vec::new();
        for (text, field) in [(&segment.title, Field::Title), (&segment.description, Field::Description)] {
            let words = text.words.all_holding(signs).into_iter();
            lists.extend(words.map(|word| (Cost::new(Closeness::Exact, field), text.postings(word))));
        }
        for category in categories.holding(signs) {
            let list = segment.category(category);
            lists.extend(list.map(|list| (Cost::new(Closeness::Exact, Field::Category), list)));
        }
        Self::sorted(lists)
    }

    fn sorted(mut lists: Vec<(Cost, Postings<'s>)>) -> Self {
        lists.sort_unstable_by_key(|(cost, _)| *cost);
        let documents = lists.iter().map(|(_, list)| u64::from(list.len())).sum();
        Self { lists, documents }
    }
}
