//! The categories, all in memory: there are few, and renaming one touches no document.

use std::collections::BTreeMap;

use crate::closeness::{Closeness, Typed};
use crate::index::tokens::{self, Kind};
use crate::index::words::{WordId, Words};

/// The categories at one moment.
pub(crate) struct Categories {
    /// By id.
    pub(crate) all: Vec<Category>,
    words: Words,
    /// For each word the categories that have it, as places in `all`.
    having: Vec<Vec<u32>>,
}

/// A category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Category {
    pub(crate) id: i64,
    pub(crate) name: String,
    /// The name without case, by which clients filter.
    pub(crate) lower_name: String,
}

impl Categories {
    /// From ids and names.
    pub(crate) fn new(rows: impl IntoIterator<Item = (i64, String)>) -> Self {
        let category = |(id, name): (i64, String)| Category { id, lower_name: name.to_lowercase(), name };
        let mut all: Vec<Category> = rows.into_iter().map(category).collect();
        all.sort_unstable_by_key(|category| category.id);
        let mut words: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        for (place, category) in (0..).zip(&all) {
            for word in tokens::terms(&category.name, Kind::All) {
                words.entry(word).or_default().push(place);
            }
        }
        Self { words: Words::new(words.keys()), having: words.into_values().collect(), all }
    }

    /// The ids of categories whose name has a matching word, and how it matches best.
    pub(crate) fn matching(&self, typed: &Typed) -> Vec<(i64, Closeness)> {
        self.ids(self.words.matching(typed))
    }

    /// The ids of categories whose name has these signs.
    pub(crate) fn holding(&self, signs: &str) -> Vec<i64> {
        let words = self.words.all_holding(signs).into_iter().map(|word| (word, Closeness::Exact));
        self.ids(words.collect()).into_iter().map(|(id, _)| id).collect()
    }

    /// Where these ids stand in `all`.
    pub(crate) fn places(&self, ids: &[i64]) -> Vec<Option<usize>> {
        ids.iter().map(|id| self.all.binary_search_by_key(id, |category| category.id).ok()).collect()
    }

    fn ids(&self, mut words: Vec<(WordId, Closeness)>) -> Vec<(i64, Closeness)> {
        words.sort_unstable_by_key(|(_, closeness)| *closeness);
        let mut found: Vec<(i64, Closeness)> = Vec::new();
        for (word, closeness) in words {
            for place in &self.having[word as usize] {
                let id = self.all[*place as usize].id;
                if !found.iter().any(|(known, _)| *known == id) {
                    found.push((id, closeness));
                }
            }
        }
        found
    }
}
