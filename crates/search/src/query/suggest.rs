//! Suggestions: which titles go with the beginning of a query.
//!
//! In this order, and alphabetically within each step:
//!
//! 1. titles that begin with the query, and before them, where it has signs, those that begin with these as well;
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
    BeginsWithItsSigns,
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
    let of_segment = |living| match has_words {
        true => Ok(literal::steps(living, &words)),
        false => signs::steps(living, &plain, &words),
    };
    let steps = view.segments.iter().map(of_segment).collect::<Result<Vec<_>, _>>()?;
    let mut found = Vec::new();
    if has_words && plain != words.join(" ") {
        for living in &view.segments {
            let places = signs::beginning_with(living, &plain)?;
            take(living, places.into_iter().map(|place| (Step::BeginsWithItsSigns, place)), MOST, &mut found)?;
        }
    }
    for step in [Step::Begins, Step::WordBegins, Step::Contains] {
        for (living, steps) in view.segments.iter().zip(&steps) {
            take(living, steps.in_order(step).into_iter().map(|place| (step, place)), MOST, &mut found)?;
        }
        found = distinct(found);
        // Reading titles takes longest, and no later step goes before these.
        if found.len() == MOST {
            break;
        }
    }
    if found.len() < MOST && has_words {
        let known: HashSet<String> = found.iter().map(|suggested| suggested.title.to_lowercase()).collect();
        for living in &view.segments {
            // Those that the literal steps have found may be among them.
            take(living, forgiving::steps(living, &words).into_iter(), 2 * MOST, &mut found)?;
        }
        found.retain(|suggested| !is_errs(suggested.step) || !known.contains(&suggested.title.to_lowercase()));
        found = distinct(found);
    }
    Ok(found.into_iter().map(|suggested| suggested.title).collect())
}

fn is_errs(step: Step) -> bool {
    matches!(step, Step::Errs { .. })
}

/// Adds the first titles, until there are `most` that are distinct.
fn take(
    living: &Living,
    titles: impl Iterator<Item = (Step, u32)>,
    most: usize,
    found: &mut Vec<Suggested>,
) -> Result<(), TantivyError> {
    let mut known = HashSet::new();
    for (step, place) in titles {
        let (plain, title) = living.segment.titles.at(place)?;
        if known.insert(title.to_lowercase()) {
            found.push(Suggested { step, plain, title });
        }
        if known.len() >= most {
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

/// Titles of a segment by their best step, as places in alphabetical order; none where there is no title yet.
#[derive(Default)]
struct Steps {
    begins: Vec<u64>,
    word_begins: Vec<u64>,
    contains: Vec<u64>,
}

impl Steps {
    fn add(&mut self, living: &Living, doc: u32, step: Step) {
        if living.is_alive(doc) {
            let titles = &living.segment.titles;
            let bits = match step {
                Step::BeginsWithItsSigns | Step::Begins => &mut self.begins,
                Step::WordBegins => &mut self.word_begins,
                Step::Contains | Step::Errs { .. } => &mut self.contains,
            };
            if bits.is_empty() {
                *bits = vec![0; titles.distinct().div_ceil(64)];
            }
            gather::set(bits, titles.places[doc as usize]);
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
        let has = |bits: &[u64]| !bits.is_empty() && gather::is_set(bits, place);
        step > Step::Begins && has(&self.begins) || step > Step::WordBegins && has(&self.word_begins)
    }

    /// Whether there are enough titles, even where two of them differ in case alone.
    fn suffice(&self) -> bool {
        let count = |bits: &[u64]| bits.iter().map(|word| word.count_ones() as usize).sum::<usize>();
        count(&self.begins) + count(&self.word_begins) >= ENOUGH
    }

    /// The first places of a step. All documents with one title have the same step.
    fn in_order(&self, step: Step) -> Vec<u32> {
        let (bits, better): (_, &[&[u64]]) = match step {
            Step::BeginsWithItsSigns | Step::Begins => (&self.begins, &[]),
            Step::WordBegins => (&self.word_begins, &[&self.begins]),
            Step::Contains | Step::Errs { .. } => (&self.contains, &[&self.begins, &self.word_begins]),
        };
        let mut places = Vec::new();
        for (at, word) in bits.iter().enumerate().filter(|(_, word)| **word != 0) {
            let known = better.iter().filter_map(|better| better.get(at));
            let mut word = known.fold(*word, |word, known| word & !known);
            while word != 0 {
                places.push(u32::try_from(at * 64).unwrap_or(u32::MAX) + word.trailing_zeros());
                word &= word - 1;
            }
            if places.len() >= ENOUGH {
                break;
            }
        }
        places
    }
}

/// A bit for each document whose title has any of these words.
fn documents(living: &Living, words: impl IntoIterator<Item = WordId>) -> Vec<u64> {
    let segment = &*living.segment;
    let mut documents = vec![0; segment.len().div_ceil(64)];
    words.into_iter().for_each(|word| segment.title.postings(word).add_to(&mut documents));
    documents
}
