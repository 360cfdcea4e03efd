//! Titles that have every word of the query in any order, typing errors forgiven.

use std::collections::BTreeSet;

use super::{ENOUGH, Step};
use crate::closeness::{Closeness, Typed};
use crate::index::{Living, WordId};
use crate::query::gather;

/// Stands for a word that does not match.
const NONE: u8 = u8::MAX;

/// The first titles, as places.
pub(super) fn steps(living: &Living, words: &[String]) -> BTreeSet<(Step, u32)> {
    let segment = &*living.segment;
    let text = &segment.title;
    let mut matched: Option<Vec<u64>> = None;
    let mut documents = vec![0; segment.len().div_ceil(64)];
    // For each word of the query and each of the dictionary, the errors between them.
    let mut tables = Vec::new();
    for (place, word) in words.iter().enumerate() {
        let typed = Typed::new(word, place + 1 == words.len());
        let mut table = vec![NONE; text.words.len()];
        documents.fill(0);
        for (id, errors) in text.meant_by(&typed).iter().copied().filter_map(errors) {
            table[id as usize] = errors;
            text.postings(id).add_to(&mut documents);
        }
        match &mut matched {
            Some(matched) => gather::keep_both(matched, &documents),
            None => matched = Some(documents.clone()),
        }
        if matched.iter().flatten().all(|bits| *bits == 0) {
            return BTreeSet::new();
        }
        tables.push(table);
    }
    let mut first = BTreeSet::new();
    gather::each(matched.unwrap_or_default(), |doc| {
        if living.is_alive(doc)
            && let Some(step) = step(&tables, segment.titles.words(doc))
        {
            let title = (step, segment.titles.places[doc as usize]);
            if first.len() < ENOUGH || first.last().is_some_and(|last| title < *last) {
                first.insert(title);
                if first.len() > ENOUGH {
                    first.pop_last();
                }
            }
        }
    });
    first
}

fn errors((id, closeness): (WordId, Closeness)) -> Option<(WordId, u8)> {
    let errors = match closeness {
        Closeness::Exact | Closeness::Form | Closeness::Prefix => 0,
        Closeness::OneError => 1,
        Closeness::TwoErrors => 2,
        Closeness::Inside => return None,
    };
    Some((id, errors))
}

fn step(tables: &[Vec<u8>], title: &[WordId]) -> Option<Step> {
    let best = |table: &Vec<u8>| {
        let words = title.iter().enumerate().map(|(place, word)| (table[*word as usize], place));
        words.filter(|(errors, _)| *errors != NONE).min()
    };
    let (_, first_word) = best(tables.first()?)?;
    let errors = tables.iter().map(|table| Some(u32::from(best(table)?.0))).sum::<Option<u32>>()?;
    Some(Step::Errs { errors, first_word })
}
