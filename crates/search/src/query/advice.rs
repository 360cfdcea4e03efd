//! What to relax when nothing matches.

use tantivy::TantivyError;

use crate::filters::{Filter, Filters};
use crate::index::View;
use crate::query::find::{count, count_without};
use crate::query::sieve::Sieve;
use crate::query::text::Text;

/// Sentences that say what would give how many results: leaving out one filter or one word, else all filters, else
/// some of the words. Never empty.
pub(crate) fn advise(
    view: &View,
    text: &Text,
    filters: &Filters,
    store: Option<i64>,
) -> Result<Vec<String>, TantivyError> {
    let sieve = Sieve::new(filters, store, &view.categories);
    let (asked, words) = (sieve.asked(), text.words());
    let mut advice = Vec::new();
    for filter in asked {
        let passing = count_without(view, text, filters, store, &[*filter])?;
        push(&mut advice, passing, || format!("Without {}", filter.name()));
    }
    if words.len() > 1 {
        for (place, word) in words.iter().enumerate() {
            let mut others = words.to_vec();
            others.remove(place);
            let others = Text::Words { typed: others, query: String::new(), whole: Vec::new() };
            push(&mut advice, count(view, &others, &sieve, false)?, || format!("Without the word \"{}\"", word.text()));
        }
    }
    if advice.is_empty() && asked.len() > 1 {
        let matching = count_without(view, text, filters, store, &Filter::ALL)?;
        push(&mut advice, matching, || "Without any filter".to_owned());
    }
    if advice.is_empty() && words.len() > 1 {
        push(&mut advice, count(view, text, &sieve, true)?, || "With only some of the words".to_owned());
    }
    if advice.is_empty() {
        advice.push("Nothing in the catalogue is like this. Try other words.".to_owned());
    }
    Ok(advice)
}

fn push(advice: &mut Vec<String>, count: usize, what: impl FnOnce() -> String) {
    match count {
        0 => {}
        1 => advice.push(format!("{} there would be 1 result.", what())),
        _ => advice.push(format!("{} there would be {count} results.", what())),
    }
}
