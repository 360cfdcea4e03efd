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
//! Case, accents, white space and signs do not matter: words alone are compared ("haagen dazs" finds "Häagen-Dazs®").
//! Only a query with fewer than three letters and digits is compared sign by sign ("c++"). Of titles that differ in
//! case alone one is suggested.

use std::collections::HashSet;

use tantivy::TantivyError;

use crate::fold;
use crate::index::{Living, View, WordId};
use crate::query::gather;

mod forgiving;
mod literal;
mod signs;

/// Suggestions at most.
pub(crate) const MOST: usize = 10;

/// The least that titles are suggested for, in characters; also what must be left without the signs, to be compared.
pub(crate) const SHORTEST: usize = 3;

/// Titles of a segment that are looked at: among them there may be some that differ in case alone.
const ENOUGH: usize = 4 * MOST;

/// How a title goes with the query, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Begins,
    WordBegins,
    Contains,
    Errs { errors: u32, first_word: usize },
}

/// A title to suggest. In the order of suggesting.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Suggested {
    step: Step,
    plain: String,
    title: String,
}

/// At most [`MOST`] titles for what has been typed of a query.
pub(crate) fn suggest(view: &View, query: &str) -> Result<Vec<String>, TantivyError> {
    let (plain, words) = (fold::plain(query), fold::words(query));
    if plain.chars().count() < SHORTEST {
        return Ok(Vec::new());
    }
    let has_words = words.join(" ").chars().count() >= SHORTEST;
    let mut found = Vec::new();
    for living in &view.segments {
        let steps = match has_words {
            true => literal::steps(living, &words)?,
            false => signs::steps(living, &plain, &words)?,
        };
        for (step, titles) in [Step::Begins, Step::WordBegins, Step::Contains].into_iter().zip(steps.in_order()) {
            take(living, titles.into_iter().map(|place| (step, place)), &mut found)?;
        }
    }
    let mut found = distinct(found);
    if found.len() < MOST && has_words {
        let known: HashSet<String> = found.iter().map(|suggested| suggested.title.to_lowercase()).collect();
        for living in &view.segments {
            take(living, forgiving::steps(living, &words)?.into_iter(), &mut found)?;
        }
        found.retain(|suggested| !is_errs(suggested.step) || !known.contains(&suggested.title.to_lowercase()));
        found = distinct(found);
    }
    Ok(found.into_iter().map(|suggested| suggested.title).collect())
}

fn is_errs(step: Step) -> bool {
    matches!(step, Step::Errs { .. })
}

/// Adds the first titles, until there are enough that are distinct.
fn take(
    living: &Living,
    titles: impl Iterator<Item = (Step, u32)>,
    found: &mut Vec<Suggested>,
) -> Result<(), TantivyError> {
    let mut known = HashSet::new();
    for (step, place) in titles {
        let (plain, title) = living.segment.titles.at(place)?;
        if known.insert(title.to_lowercase()) {
            found.push(Suggested { step, plain, title });
        }
        // Those that the literal steps have found may be among them.
        if known.len() >= 2 * MOST {
            break;
        }
    }
    Ok(())
}

/// The first [`MOST`] in order, each once.
fn distinct(mut found: Vec<Suggested>) -> Vec<Suggested> {
    found.sort_unstable();
    let mut known = HashSet::new();
    found.retain(|suggested| known.insert(suggested.title.to_lowercase()));
    found.truncate(MOST);
    found
}

/// Titles of a segment by their best step, as places in alphabetical order.
struct Steps {
    begins: Vec<u64>,
    word_begins: Vec<u64>,
    contains: Vec<u64>,
}

impl Steps {
    fn new(living: &Living) -> Self {
        let none = vec![0; living.segment.titles.distinct().div_ceil(64)];
        Self { begins: none.clone(), word_begins: none.clone(), contains: none }
    }

    fn add(&mut self, living: &Living, doc: u32, step: Step) {
        if living.is_alive(doc) {
            let place = living.segment.titles.places[doc as usize];
            match step {
                Step::Begins => gather::set(&mut self.begins, place),
                Step::WordBegins => gather::set(&mut self.word_begins, place),
                Step::Contains | Step::Errs { .. } => gather::set(&mut self.contains, place),
            }
        }
    }

    /// Adds the documents that have a bit: all, or as many as are enough.
    fn add_all(&mut self, living: &Living, documents: &[u64], step: Step) {
        let count: usize = documents.iter().map(|bits| bits.count_ones() as usize).sum();
        // Of very many, the first in order are soon met.
        if ENOUGH * living.segment.len() >= count * count {
            return gather::each(documents.iter().copied(), |doc| self.add(living, doc, step));
        }
        let titles = &living.segment.titles;
        let (mut last, mut new) = (None, 0);
        for doc in titles.alphabetical.iter().filter(|doc| gather::is_set(documents, **doc) && living.is_alive(**doc)) {
            let place = titles.places[*doc as usize];
            if last != Some(place) && !self.has_better(place, step) {
                if new == ENOUGH {
                    break;
                }
                new += 1;
            }
            last = Some(place);
            self.add(living, *doc, step);
        }
    }

    /// Whether a title is known by a better step.
    fn has_better(&self, place: u32, step: Step) -> bool {
        step > Step::Begins && gather::is_set(&self.begins, place)
            || step > Step::WordBegins && gather::is_set(&self.word_begins, place)
    }

    /// Whether there are enough titles, even where two of them differ in case alone.
    fn suffice(&self) -> bool {
        let count = |bits: &[u64]| bits.iter().map(|word| word.count_ones() as usize).sum::<usize>();
        count(&self.begins) + count(&self.word_begins) >= ENOUGH
    }

    /// The first places of each step. All documents with one title have the same step.
    fn in_order(&self) -> [Vec<u32>; 3] {
        let first = |bits: &[u64], less: &[&[u64]]| {
            let mut places = Vec::new();
            for (at, word) in bits.iter().enumerate() {
                let mut word = less.iter().fold(*word, |word, less| word & !less[at]);
                while word != 0 && places.len() < ENOUGH {
                    places.push(u32::try_from(at * 64).unwrap_or(u32::MAX) + word.trailing_zeros());
                    word &= word - 1;
                }
                if places.len() >= ENOUGH {
                    break;
                }
            }
            places
        };
        [
            first(&self.begins, &[]),
            first(&self.word_begins, &[&self.begins]),
            first(&self.contains, &[&self.begins, &self.word_begins]),
        ]
    }
}

/// A bit for each document whose title has any of these words.
fn documents(living: &Living, words: impl IntoIterator<Item = WordId>) -> Result<Vec<u64>, TantivyError> {
    let segment = &*living.segment;
    let mut documents = vec![0; segment.len().div_ceil(64)];
    for word in words {
        segment.title.postings(word).add_to(&mut documents)?;
    }
    Ok(documents)
}
