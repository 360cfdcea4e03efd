//! What to relax when nothing matches.

use super::filters::Sieve;
use super::ranking::{Term, Text};
use super::snapshot::{Product, Snapshot};

/// Sentences that say what would give how many results: leaving out one filter or one word, else all filters, else
/// some of the words. Never empty.
pub(crate) fn advise(snapshot: &Snapshot, text: &Text, sieve: &Sieve<'_>) -> Vec<String> {
    let filters = sieve.asked();
    let terms = match text {
        Text::Words(words) => words.terms(),
        Text::Anything | Text::Signs(_) => &[],
    };
    let matches = |product: &&Product| text.rank(product, snapshot).is_some();
    let matching: Vec<&Product> = snapshot.products.iter().filter(matches).collect();
    let mut advice = Vec::new();
    for filter in &filters {
        let passing = matching.iter().filter(|product| sieve.passes_without(product, &[*filter])).count();
        push(&mut advice, passing, || format!("Without {}", filter.name()));
    }
    if terms.len() > 1 {
        for (term, count) in terms.iter().zip(without_one(snapshot, terms, sieve)) {
            push(&mut advice, count, || format!("Without the word \"{}\"", term.typed.text()));
        }
    }
    if advice.is_empty() && filters.len() > 1 {
        push(&mut advice, matching.len(), || "Without any filter".to_owned());
    }
    if advice.is_empty() && terms.len() > 1 {
        let any = |product: &&Product| terms.iter().any(|term| term.best(product).is_some());
        let some = snapshot.products.iter().filter(|product| sieve.passes_without(product, &[])).filter(any).count();
        push(&mut advice, some, || "With only some of the words".to_owned());
    }
    if advice.is_empty() {
        advice.push("Nothing in the catalogue is like this. Try other words.".to_owned());
    }
    advice
}

/// For each term, how many products pass the filters and match all the others.
fn without_one(snapshot: &Snapshot, terms: &[Term], sieve: &Sieve<'_>) -> Vec<usize> {
    let mut counts = vec![0; terms.len()];
    for product in snapshot.products.iter().filter(|product| sieve.passes_without(product, &[])) {
        let mut missing = terms.iter().enumerate().filter(|(_, term)| term.best(product).is_none());
        if let (Some((place, _)), None) = (missing.next(), missing.next()) {
            counts[place] += 1;
        }
    }
    counts
}

fn push(advice: &mut Vec<String>, count: usize, what: impl FnOnce() -> String) {
    match count {
        0 => {}
        1 => advice.push(format!("{} there would be 1 result.", what())),
        _ => advice.push(format!("{} there would be {count} results.", what())),
    }
}
