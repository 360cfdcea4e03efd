//! What to relax when nothing matches.

use super::filters::Sieve;
use super::ranking::Text;
use super::snapshot::Snapshot;
use crate::filters::Filter;

/// Sentences that say what would give how many results: leaving out one filter or one word, else all filters, else
/// all words but one, else all filters as well. Never empty.
pub(crate) fn advise(snapshot: &Snapshot, text: &Text, sieve: &Sieve<'_>) -> Vec<String> {
    let (filters, parts) = (sieve.asked(), text.parts());
    let count = |text: &Text, left_out: &[Filter]| {
        let passing = snapshot.products.iter().filter(|product| sieve.passes_without(product, left_out));
        passing.filter(|product| text.rank(product, snapshot).is_some()).count()
    };
    let mut advice = Vec::new();
    for filter in &filters {
        push(&mut advice, count(text, &[*filter]), format!("Without {}", filter.name()));
    }
    if let Text::Words(words) = text {
        for (word, left) in words.without_one(snapshot) {
            push(&mut advice, count(&left, &[]), format!("Without the word \"{word}\""));
        }
    }
    if advice.is_empty() && filters.len() > 1 {
        push(&mut advice, count(text, &filters), "Without any filter".to_owned());
    }
    for (left_out, how) in [(&[][..], ""), (&filters, " and without any filter")] {
        if advice.is_empty() && parts.len() > 1 && (how.is_empty() || !filters.is_empty()) {
            for part in &parts {
                let alone = text.alone(part, snapshot);
                push(&mut advice, count(&alone, left_out), format!("With \"{part}\" alone{how}"));
            }
        }
    }
    if advice.is_empty() {
        advice.push("Nothing in the catalogue is like this. Try other words.".to_owned());
    }
    advice
}

fn push(advice: &mut Vec<String>, count: usize, what: String) {
    let sentence = match count {
        0 => return,
        1 => format!("{what} there would be 1 result."),
        _ => format!("{what} there would be {count} results."),
    };
    if !advice.contains(&sentence) {
        advice.push(sentence);
    }
}
