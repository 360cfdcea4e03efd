//! What to relax when nothing matches.

use crate::filters::{Filter, Filters};
use crate::index::View;
use crate::query::find::count;
use crate::query::sieve::Sieve;
use crate::query::text::Text;

/// Sentences that say what would give how many results: leaving out one filter or one word, else all filters, else
/// all words but one, else all filters as well. Never empty, and each counts what the query finds that it speaks of.
pub(crate) fn advise(view: &View, text: &Text, filters: &Filters, store: Option<i64>) -> Vec<String> {
    let without = |left_out: &[Filter]| Sieve::without(filters, store, &view.categories, left_out);
    let (sieve, unfiltered) = (without(&[]), without(&Filter::ALL));
    let (asked, parts) = (sieve.asked(), text.parts());
    let alone = |sieve: &Sieve, how: &str| {
        let mut advice = Advice::default();
        for (place, part) in parts.iter().enumerate().filter(|_| parts.len() > 1) {
            advice.add(count(view, &text.alone(place), sieve), || format!("With \"{part}\" alone{how}"));
        }
        advice
    };
    let mut advice = Advice::default();
    for filter in asked {
        advice.add(count(view, text, &without(&[*filter])), || format!("Without {}", filter.name()));
    }
    for (place, word) in text.words().iter().enumerate().filter(|_| text.words().len() > 1) {
        let left = text.without(place);
        advice.add(count(view, &left, &sieve), || format!("Without the word \"{}\"", word.text()));
    }
    if advice.is_empty() && asked.len() > 1 {
        advice.add(count(view, text, &unfiltered), || "Without any filter".to_owned());
    }
    if advice.is_empty() {
        advice = alone(&sieve, "");
    }
    if advice.is_empty() && !asked.is_empty() {
        advice = alone(&unfiltered, " and without any filter");
    }
    if advice.is_empty() {
        return vec!["Nothing in the catalogue is like this. Try other words.".to_owned()];
    }
    advice.0
}

#[derive(Default)]
struct Advice(Vec<String>);

impl Advice {
    /// Once, if it would find anything.
    fn add(&mut self, count: usize, what: impl FnOnce() -> String) {
        let results = match count {
            0 => return,
            1 => "1 result".to_owned(),
            _ => format!("{count} results"),
        };
        let sentence = format!("{} there would be {results}.", what());
        if !self.0.contains(&sentence) {
            self.0.push(sentence);
        }
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
