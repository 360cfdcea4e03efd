//! What to relax when nothing matches.

use crate::closeness::Typed;
use crate::filters::{Filter, Filters};
use crate::index::View;
use crate::query::find::{count, with_scratch};
use crate::query::sieve::Sieve;
use crate::query::sources::Sources;
use crate::query::text::Text;

/// Sentences that say what would give how many results: leaving out one filter or one word, else all filters, else
/// some of the words. Never empty.
pub(crate) fn advise(view: &View, text: &Text, filters: &Filters, store: Option<i64>) -> Vec<String> {
    let sieve = Sieve::new(filters, store, &view.categories);
    let (asked, words) = (sieve.asked(), text.words());
    let mut advice = Vec::new();
    for filter in asked {
        let without = Sieve::without(filters, store, &view.categories, &[*filter]);
        let passing = count(view, text, &without);
        push(&mut advice, passing, || format!("Without {}", filter.name()));
    }
    let (others, any) = if words.len() > 1 { count_others(view, words, &sieve) } else { Default::default() };
    for (word, count) in words.iter().zip(others) {
        push(&mut advice, count, || format!("Without the word \"{}\"", word.text()));
    }
    if advice.is_empty() && asked.len() > 1 {
        let matching = count(view, text, &Sieve::without(filters, store, &view.categories, &Filter::ALL));
        push(&mut advice, matching, || "Without any filter".to_owned());
    }
    if advice.is_empty() {
        push(&mut advice, any, || "With only some of the words".to_owned());
    }
    if advice.is_empty() {
        advice.push("Nothing in the catalogue is like this. Try other words.".to_owned());
    }
    advice
}

fn push(advice: &mut Vec<String>, count: usize, what: impl FnOnce() -> String) {
    match count {
        0 => {}
        1 => advice.push(format!("{} there would be 1 result.", what())),
        _ => advice.push(format!("{} there would be {count} results.", what())),
    }
}

/// How many products pass and have all words but one, for each of these; and how many pass and have any of them.
fn count_others(view: &View, words: &[Typed], sieve: &Sieve) -> (Vec<usize>, usize) {
    let (mut others, mut any) = (vec![0; words.len()], 0);
    for living in &view.segments {
        with_scratch(|scratch| {
            scratch.begin(living, sieve, false);
            let having = words.iter().map(|typed| {
                let sources = Sources::of_word(typed, &living.segment, &view.categories);
                scratch.add_all(sources.lists.iter().map(|(_, list)| list));
                scratch.matched.clone()
            });
            let having: Vec<_> = having.collect();
            for (left_out, count) in others.iter_mut().enumerate() {
                let kept = having.iter().enumerate().filter(|(place, _)| *place != left_out);
                *count += scratch.count_allowed(kept.map(|(_, having)| having), |all, having| all & having);
            }
            any += scratch.count_allowed(&having, |any, having| any | having);
        });
    }
    (others, any)
}
