//! Titles that hold the query's words one after the other: the first as the end of a word, the last as the beginning
//! of one, the others whole.

use super::{ENOUGH, Step, Steps, documents};
use crate::index::{Living, WordId};
use crate::query::gather::{self, keep_both};

pub(super) fn steps(living: &Living, words: &[String]) -> Steps {
    let mut steps = Steps::default();
    match words {
        [] => {}
        [word] => one_word(living, word, &mut steps),
        [first, middle @ .., last] => several_words(living, first, middle, last, &mut steps),
    }
    steps
}

fn one_word(living: &Living, word: &str, steps: &mut Steps) {
    let segment = &*living.segment;
    let text = &segment.title;
    let beginning = text.words.beginning_with(word);
    // Each step costs a walk through its documents, and most queries need the first alone.
    let first = segment.titles.first_beginning_with(&beginning, ENOUGH, |doc| living.is_alive(doc));
    first.for_each(|doc| steps.add(living, doc, Step::Begins));
    if steps.suffice() {
        return;
    }
    steps.add_all(living, &documents(living, beginning.clone()), Step::WordBegins);
    if steps.suffice() {
        return;
    }
    let holding = text.words.all_holding(word).into_iter().filter(|id| !beginning.contains(id));
    steps.add_all(living, &documents(living, holding), Step::Contains);
}

fn several_words(living: &Living, first: &str, middle: &[String], last: &str, steps: &mut Steps) {
    let segment = &*living.segment;
    let text = &segment.title;
    let Some(middle) = middle.iter().map(|word| text.words.find(word)).collect::<Option<Vec<WordId>>>() else {
        return;
    };
    let whole = text.words.find(first);
    let endings = text.words.ending_with(first);
    let mut candidates = documents(living, endings.iter().copied());
    let mut room = vec![0; candidates.len()];
    middle.iter().for_each(|id| text.postings(*id).keep_in(&mut candidates, &mut room));
    let beginning = text.words.beginning_with(last);
    // Where the query may stand in a title, and how.
    let step_at = |title: &[WordId], place: usize| {
        let rest = title.get(place + 1..place + 1 + middle.len() + 1)?;
        let (last, others) = rest.split_last()?;
        if !beginning.contains(last) || endings.binary_search(&title[place]).is_err() || others != middle {
            return None;
        }
        Some(match (Some(title[place]) == whole, place) {
            (true, 0) => Step::Begins,
            (true, _) => Step::WordBegins,
            (false, _) => Step::Contains,
        })
    };
    let count: usize = candidates.iter().map(|bits| bits.count_ones() as usize).sum();
    let with_last: usize = beginning.clone().map(|id| text.postings(id).len() as usize).sum();
    // Looking at a title costs about as much as taking a document from a list.
    if with_last < count {
        keep_both(&mut candidates, &documents(living, beginning.clone()));
    }
    gather::each(candidates.iter().copied(), |doc| {
        let title = segment.titles.words(doc);
        if let Some(step) = (0..title.len()).filter_map(|place| step_at(title, place)).min() {
            steps.add(living, doc, step);
        }
    });
}
