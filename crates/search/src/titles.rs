//! Suggestions: which titles go with the beginning of a query.
//!
//! In this order, and alphabetically within each step:
//!
//! 1. titles that begin with the query;
//! 2. titles with a word at which the query begins;
//! 3. titles that contain it;
//! 4. only while there is room, titles that match all its words, typing errors forgiven (the fewest first).
//!
//! Case, accents and white space do not matter, and signs may be left out: "haagen dazs" finds "Häagen-Dazs®".

use crate::closeness::{Closeness, Typed};
use crate::fold;
use crate::snapshot::{Product, Snapshot, WordId};

/// Suggestions at most.
pub(crate) const MOST: usize = 10;

/// The least that titles are suggested for, in characters; also what must be left without the signs, to be compared.
pub(crate) const SHORTEST: usize = 3;

/// A title as it is compared.
pub(crate) struct Title {
    title: String,
    /// Folded, with its signs.
    plain: String,
    /// Its words alone, as text and as numbers.
    words: String,
    word_ids: Vec<WordId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Begins,
    WordBegins,
    Contains,
    Errs(u32),
}

impl Title {
    /// Every title once, alphabetically; of titles that differ in case alone, one.
    pub(crate) fn distinct(products: &[Product]) -> Vec<Self> {
        let mut titles: Vec<(String, Self)> = products
            .iter()
            .map(|product| {
                let plain = fold::plain(&product.title);
                let words = fold::words(&product.title).join(" ");
                let (title, word_ids) = (product.title.clone(), product.title_words.clone());
                (title.to_lowercase(), Self { title, plain, words, word_ids })
            })
            .collect();
        titles.sort_by(|(lower, title), (other_lower, other)| {
            (&title.plain, lower, &title.title).cmp(&(&other.plain, other_lower, &other.title))
        });
        titles.dedup_by(|(lower, _), (other_lower, _)| lower == other_lower);
        titles.into_iter().map(|(_, title)| title).collect()
    }
}

/// At most [`MOST`] titles for what has been typed of a query.
pub(crate) fn suggest(snapshot: &Snapshot, query: &str) -> Vec<String> {
    let literally = Literally { plain: fold::plain(query), words: fold::words(query).join(" ") };
    let titles = snapshot.titles.iter();
    let mut found: Vec<(Step, &Title)> =
        titles.clone().filter_map(|title| Some((literally.step(title)?, title))).collect();
    if found.len() < MOST {
        let forgiving = Forgiving::new(snapshot, query);
        let others = titles.filter(|title| literally.step(title).is_none());
        found.extend(others.filter_map(|title| Some((forgiving.step(title)?, title))));
    }
    // Stable, so within a step the titles stay in their order.
    found.sort_by_key(|(step, _)| *step);
    found.into_iter().take(MOST).map(|(_, title)| title.title.clone()).collect()
}

/// The query as typed.
struct Literally {
    plain: String,
    words: String,
}

impl Literally {
    fn step(&self, title: &Title) -> Option<Step> {
        let as_typed = step(&self.plain, &title.plain);
        let has_words = self.words.chars().count() >= SHORTEST;
        let without_signs = has_words.then(|| step(&self.words, &title.words)).flatten();
        as_typed.into_iter().chain(without_signs).min()
    }
}

/// For each word of the query and each of the dictionary, the errors between them, if they match.
struct Forgiving(Vec<Vec<Option<u32>>>);

impl Forgiving {
    fn new(snapshot: &Snapshot, query: &str) -> Self {
        let words = fold::words(query);
        let errors = |(place, word): (usize, &String)| {
            let typed = Typed::new(word, place + 1 == words.len());
            let errors = |word: &String| match typed.closeness(word)? {
                Closeness::Exact | Closeness::Prefix => Some(0),
                Closeness::OneError => Some(1),
                Closeness::TwoErrors => Some(2),
                Closeness::Inside => None,
            };
            snapshot.words.iter().map(errors).collect()
        };
        Self(words.iter().enumerate().map(errors).collect())
    }

    /// Whether the title has every word.
    fn step(&self, title: &Title) -> Option<Step> {
        let least = |errors: &Vec<Option<u32>>| title.word_ids.iter().filter_map(|word| errors[*word as usize]).min();
        let sum = self.0.iter().map(least).sum::<Option<u32>>();
        sum.filter(|_| !self.0.is_empty()).map(Step::Errs)
    }
}

/// How `text` holds `part`, both folded the same way.
fn step(part: &str, text: &str) -> Option<Step> {
    if part.is_empty() {
        return None;
    }
    let mut from = text.find(part)?;
    if from == 0 {
        return Some(Step::Begins);
    }
    loop {
        if !text[..from].ends_with(char::is_alphanumeric) {
            return Some(Step::WordBegins);
        }
        // Places may overlap, so the search goes on one character later.
        let next = from + text[from..].chars().next().map_or(1, char::len_utf8);
        match text[next..].find(part) {
            Some(place) => from = next + place,
            None => return Some(Step::Contains),
        }
    }
}
