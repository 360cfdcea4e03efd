//! The catalogue in memory, prepared for being searched. Never changed, only replaced.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::titles::Title;
use crate::fold;
use crate::index::Entry;

/// Number of a word in [`Snapshot::words`].
pub(crate) type WordId = u32;

/// Everything that is searched, as it was at one moment.
pub(crate) struct Snapshot {
    /// By id.
    pub(crate) products: Vec<Product>,
    /// By id.
    pub(crate) categories: Vec<Category>,
    /// Every distinct word of titles, categories and descriptions, folded.
    pub(crate) words: Vec<String>,
    word_ids: HashMap<String, WordId>,
    /// The distinct titles, alphabetically.
    pub(crate) titles: Vec<Title>,
}

pub(crate) struct Product {
    pub(crate) id: i64,
    pub(crate) title: String,
    pub(crate) description: String,
    /// Place in [`Snapshot::categories`].
    pub(crate) category: usize,
    pub(crate) price: Decimal,
    pub(crate) created_at: DateTime<Utc>,
    /// The title's words in their order.
    pub(crate) title_words: Vec<WordId>,
    /// The description's distinct words.
    pub(crate) description_words: Vec<WordId>,
    /// Characters of the title.
    pub(crate) title_length: usize,
}

pub(crate) struct Category {
    pub(crate) id: i64,
    pub(crate) name: String,
    /// The name without case, by which clients filter.
    pub(crate) lower_name: String,
    pub(crate) words: Vec<WordId>,
}

impl Snapshot {
    /// Prepares the rows, which must be sorted by id.
    pub(crate) fn new(categories: &[(i64, String)], products: &[Entry]) -> Self {
        let mut words = Dictionary::default();
        let categories: Vec<Category> = categories
            .iter()
            .map(|(id, name)| Category {
                id: *id,
                lower_name: name.to_lowercase(),
                words: words.number(name),
                name: name.clone(),
            })
            .collect();
        let products: Vec<Product> = products
            .iter()
            .filter_map(|row| {
                let category = categories.binary_search_by_key(&row.category, |category| category.id).ok()?;
                let mut description_words = words.number(&row.description);
                description_words.sort_unstable();
                description_words.dedup();
                Some(Product {
                    id: row.id,
                    category,
                    price: Decimal::new(row.price, 2),
                    created_at: DateTime::from_timestamp_micros(row.created).unwrap_or_default(),
                    title_words: words.number(&row.title),
                    description_words,
                    title_length: row.title.chars().count(),
                    title: row.title.clone(),
                    description: row.description.clone(),
                })
            })
            .collect();
        let titles = Title::distinct(&products);
        Self { products, categories, words: words.words, word_ids: words.ids, titles }
    }

    /// The number of a folded word, if it occurs anywhere.
    pub(crate) fn word_id(&self, word: &str) -> Option<WordId> {
        self.word_ids.get(word).copied()
    }

    pub(crate) fn category_of(&self, product: &Product) -> &Category {
        &self.categories[product.category]
    }
}

/// Numbers words in the order in which they are met.
#[derive(Default)]
struct Dictionary {
    words: Vec<String>,
    ids: HashMap<String, WordId>,
}

impl Dictionary {
    fn number(&mut self, text: &str) -> Vec<WordId> {
        let number = |word: String| {
            *self.ids.entry(word).or_insert_with_key(|word| {
                self.words.push(word.clone());
                WordId::try_from(self.words.len() - 1).unwrap_or(WordId::MAX)
            })
        };
        fold::words(text).into_iter().map(number).collect()
    }
}
