//! Titles with the parts that matched marked by `<em>`, for HTML: everything else is escaped.

use std::ops::Range;

use crate::closeness::Closeness;
use crate::fold::{self, Located};
use crate::ranking::{Field, Term, Text};
use crate::snapshot::Snapshot;

/// `title`, which is or was the title of the product with this id, with every part marked that its match rests on.
pub(crate) fn title(id: i64, title: &str, text: &Text, snapshot: &Snapshot) -> String {
    let product = snapshot.products.binary_search_by_key(&id, |product| product.id).map(|at| &snapshot.products[at]);
    let marked = match (text, product) {
        (Text::Words(words), Ok(product)) => {
            let in_title = |term: &&Term| term.best(product).is_some_and(|hit| hit.field == Field::Title);
            let located = fold::located_words(title);
            let titled = words.terms().iter().filter(in_title);
            titled.flat_map(|term| term_parts(term, &located, snapshot)).collect()
        }
        (Text::Signs(signs), _) => {
            let places = signs.iter().flat_map(|sign| title.match_indices(sign.as_str()));
            places.map(|(start, part)| start..start + part.len()).collect()
        }
        _ => Vec::new(),
    };
    write(title, marked)
}

/// The parts of the title's words that the term matches best.
fn term_parts(term: &Term, words: &[Located], snapshot: &Snapshot) -> Vec<Range<usize>> {
    let closeness = |located: &Located| term.closeness(snapshot.word_id(&located.word)?);
    let Some(best) = words.iter().filter_map(closeness).min() else { return Vec::new() };
    let matched = words.iter().filter(|located| closeness(located) == Some(best));
    matched.filter_map(|located| part(term, located, best)).collect()
}

/// The part of a word that the term matches, in bytes of the title.
fn part(term: &Term, located: &Located, closeness: Closeness) -> Option<Range<usize>> {
    let typed = term.typed.text();
    let skipped = match closeness {
        Closeness::Inside => located.word[..located.word.find(typed)?].chars().count(),
        _ => 0,
    };
    let length = match closeness {
        Closeness::Prefix | Closeness::Inside => typed.chars().count(),
        Closeness::Exact | Closeness::OneError | Closeness::TwoErrors => located.origin.len(),
    };
    let origin = located.origin.get(skipped..skipped + length)?;
    Some(origin.first()?.start..origin.last()?.end)
}

/// Joins ranges that touch or overlap and writes the text with them marked.
fn write(title: &str, mut marked: Vec<Range<usize>>) -> String {
    marked.sort_by_key(|range| (range.start, range.end));
    let mut joined: Vec<Range<usize>> = Vec::new();
    for range in marked {
        match joined.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    let mut html = String::with_capacity(title.len() + 16);
    let mut written = 0;
    for range in joined {
        escape(&title[written..range.start], &mut html);
        html.push_str("<em>");
        escape(&title[range.clone()], &mut html);
        html.push_str("</em>");
        written = range.end;
    }
    escape(&title[written..], &mut html);
    html
}

fn escape(text: &str, html: &mut String) {
    for char in text.chars() {
        match char {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            other => html.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{snapshot, titled};

    fn marked(title: &str, query: &str) -> String {
        let snapshot = titled(&[title]);
        super::title(1, title, &Text::read(Some(query), &snapshot), &snapshot)
    }

    #[test]
    fn what_matched_is_marked_and_everything_else_escaped() {
        for (title, query, wanted) in [
            ("Whole Milk", "milk", "Whole <em>Milk</em>"),
            ("Milkshake", "milk", "<em>Milk</em>shake"),
            ("Buttermilk", "milk", "Butter<em>milk</em>"),
            ("Milk & Mild <Cheese>", "mlik", "<em>Milk</em> &amp; Mild &lt;Cheese&gt;"),
            ("Milk & Milk", "milk", "<em>Milk</em> &amp; <em>Milk</em>"),
            ("Kellogg's \"K\"", "kelloggs", "<em>Kellogg&#39;s</em> &quot;K&quot;"),
            ("Cre\u{300}me", "creme", "<em>Cre\u{300}me</em>"),
            ("Straße", "stras", "<em>Straß</em>e"),
            ("Chocolate", "choc late", "<em>Choc</em>o<em>late</em>"),
            ("100% Juice", "%", "100<em>%</em> Juice"),
            ("a<b", "<", "a<em>&lt;</em>b"),
            ("Tea", "", "Tea"),
        ] {
            assert_eq!(marked(title, query), wanted, "{title}: {query}");
        }
    }

    #[test]
    fn a_title_is_not_marked_where_the_match_lies_elsewhere() {
        let snapshot = snapshot(&[("Mild Cheddar", "milk", "", 100)]);
        let text = Text::read(Some("milk"), &snapshot);
        assert_eq!(title(1, "Mild Cheddar", &text, &snapshot), "Mild Cheddar");
    }

    #[test]
    fn a_title_that_changed_meanwhile_is_shown_as_it_is() {
        let snapshot = titled(&["Milk"]);
        let text = Text::read(Some("milk"), &snapshot);
        assert_eq!(title(1, "Oats & Milk", &text, &snapshot), "Oats &amp; <em>Milk</em>");
        assert_eq!(title(2, "New", &text, &snapshot), "New");
    }
}
