//! Suggestions: which titles go with the beginning of a query.
//!
//! In this order, and alphabetically within each step:
//!
//! 1. titles that begin with the query;
//! 2. titles with a word at which the query begins;
//! 3. titles that contain it;
//! 4. only while there is room, titles that have all its words or other forms of them, typing errors forgiven: those
//!    with the fewest errors first, then those that have the query's first word earliest.
//!
//! Case, accents, white space and signs do not matter ("haagen dazs" finds "Häagen-Dazs®"); only a query with fewer
//! than three letters and digits is compared sign by sign.

use std::collections::HashSet;

use super::closeness::{Closeness, Typed};
use super::snapshot::{Product, Snapshot, WordId};
use crate::fold;

/// Suggestions at most.
pub(crate) const MOST: usize = 10;

/// The least that titles are suggested for, in characters; also what must be left without the signs, to be compared.
pub(crate) const SHORTEST: usize = 3;

/// A title as it is compared.
pub(crate) struct Title {
    title: String,
    /// Folded, with its signs.
    plain: String,
    /// Its words alone, where that is something else.
    words: Option<String>,
    /// The numbers of its words, in their order.
    word_ids: Vec<WordId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    BeginsWithItsSigns,
    Begins,
    WordBegins,
    Contains,
    Errs { errors: u32, first_word: usize },
}

impl Title {
    /// Every title once, alphabetically; of titles that differ in case alone, one.
    pub(crate) fn distinct(products: &[Product]) -> Vec<Self> {
        let mut titles: Vec<(String, Self)> = products
            .iter()
            .map(|product| {
                let plain = fold::plain(&product.title);
                let words = Some(fold::words(&product.title).join(" ")).filter(|words| *words != plain);
                let (title, word_ids) = (product.title.clone(), product.title_words.clone());
                (title.to_lowercase(), Self { title, plain, words, word_ids })
            })
            .collect();
        titles.sort_by(|(_, title), (_, other)| (&title.plain, &title.title).cmp(&(&other.plain, &other.title)));
        let mut known = HashSet::new();
        titles.retain(|(lower, _)| known.insert(lower.clone()));
        titles.into_iter().map(|(_, title)| title).collect()
    }
}

/// At most [`MOST`] titles for what has been typed of a query.
pub(crate) fn suggest(snapshot: &Snapshot, query: &str) -> Vec<String> {
    let literally = Literally { plain: fold::plain(query), words: fold::words(query).join(" ") };
    if literally.plain.chars().count() < SHORTEST {
        return Vec::new();
    }
    let (mut found, mut others) = (Vec::new(), Vec::new());
    for title in &snapshot.titles {
        match literally.step(title) {
            Some(step) => found.push((step, title)),
            None => others.push(title),
        }
    }
    if found.len() < MOST && literally.has_words() {
        let forgiving = Forgiving::new(snapshot, query);
        found.extend(others.into_iter().filter_map(|title| Some((forgiving.step(title)?, title))));
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
    /// Whether enough is left without the signs.
    fn has_words(&self) -> bool {
        self.words.chars().count() >= SHORTEST
    }

    fn step(&self, title: &Title) -> Option<Step> {
        if !self.has_words() {
            return step(&self.plain, &title.plain);
        }
        if self.plain != self.words && title.plain.starts_with(&self.plain) {
            return Some(Step::BeginsWithItsSigns);
        }
        step(&self.words, title.words.as_ref().unwrap_or(&title.plain))
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
                Closeness::Exact | Closeness::Form | Closeness::Prefix => Some(0),
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
        let best = |errors: &Vec<Option<u32>>| {
            let places = title.word_ids.iter().enumerate();
            places.filter_map(|(place, word)| Some((errors[*word as usize]?, place))).min()
        };
        let best: Option<Vec<(u32, usize)>> = self.0.iter().map(best).collect();
        let best = best?;
        let (_, first_word) = *best.first()?;
        Some(Step::Errs { errors: best.iter().map(|(errors, _)| errors).sum(), first_word })
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
