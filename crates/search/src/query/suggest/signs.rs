//! Titles that hold a query sign by sign.

use tantivy::TantivyError;

use super::{ENOUGH, Step, Steps, documents};
use crate::fold;
use crate::index::{Living, WordId, is_signs};
use crate::query::gather;

/// The first places of titles that begin with `plain`, folded with its signs: they stand together.
pub(super) fn beginning_with(living: &Living, plain: &str) -> Result<Vec<u32>, TantivyError> {
    let titles = &living.segment.titles;
    let (mut from, mut to) = (0, titles.alphabetical.len());
    while from < to {
        let middle = from.midpoint(to);
        match titles.at(titles.places[titles.alphabetical[middle] as usize])?.0.as_str() < plain {
            true => from = middle + 1,
            false => to = middle,
        }
    }
    let mut places = Vec::new();
    for doc in &titles.alphabetical[from..] {
        let place = titles.places[*doc as usize];
        if !living.is_alive(*doc) || places.last() == Some(&place) {
            continue;
        }
        if places.len() == ENOUGH || !titles.at(place)?.0.starts_with(plain) {
            break;
        }
        places.push(place);
    }
    Ok(places)
}

/// For a query of next to no letters. `plain` is the query folded with its signs, `words` its words: at most one, as
/// there are fewer than three letters.
pub(super) fn steps(living: &Living, plain: &str, words: &[String]) -> Result<Steps, TantivyError> {
    let mut steps = Steps::default();
    let segment = &*living.segment;
    let text = &segment.title;
    let runs = plain.split(|char: char| char.is_whitespace() || fold::is_letter(char));
    let longest = runs.max_by_key(|run| run.len()).unwrap_or_default();
    let holding = |id: &WordId| {
        let word = text.words.word(*id);
        is_signs(word) && fold::plain(word).contains(longest)
    };
    let all = 0..u32::try_from(text.words.len()).unwrap_or(u32::MAX);
    let mut candidates = documents(living, all.filter(holding));
    for word in words {
        let with_word = documents(living, text.words.all_holding(word));
        candidates.iter_mut().zip(with_word).for_each(|(candidates, with_word)| *candidates &= with_word);
    }
    // Titles that many products have are read once.
    let mut titles: Vec<(u32, u32)> = Vec::new();
    gather::each(candidates, |doc| titles.push((segment.titles.places[doc as usize], doc)));
    titles.sort_unstable();
    let (mut known, mut step) = (None, None);
    for (place, doc) in titles {
        if known != Some(place) {
            step = step_of(plain, &segment.titles.at(place)?.0);
            known = Some(place);
        }
        if let Some(step) = step {
            steps.add(living, doc, step);
        }
    }
    Ok(steps)
}

/// How `text` holds `part`, both folded with their signs.
fn step_of(part: &str, text: &str) -> Option<Step> {
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
