//! Titles with the parts that matched marked by `<em>`, for HTML: everything else is escaped.

use std::ops::Range;

use crate::closeness::{Closeness, Typed};
use crate::fold::{self, Located};
use crate::queries::Shown;
use crate::query::Text;
use crate::query::cost::{Cost, Field};

/// The title, with every part marked that its match rests on.
pub(crate) fn title(shown: &Shown, text: &Text) -> String {
    let title = shown.title.as_str();
    let marked = match text {
        Text::Words { typed, .. } => {
            let located = fold::located_words(title);
            let elsewhere =
                Elsewhere { category: fold::words(&shown.category), description: fold::words(&shown.description) };
            typed.iter().flat_map(|typed| parts(typed, &located, &elsewhere)).collect()
        }
        Text::Signs(signs) => {
            let places = signs.iter().flat_map(|sign| title.match_indices(sign.as_str()));
            places.map(|(start, part)| start..start + part.len()).collect()
        }
        Text::Anything => Vec::new(),
    };
    write(title, marked)
}

/// The words that a product has besides its title's.
struct Elsewhere {
    category: Vec<String>,
    description: Vec<String>,
}

impl Elsewhere {
    /// The least cost of a match.
    fn best(&self, typed: &Typed) -> Option<Cost> {
        let best = |words: &[String], field| {
            let closeness = words.iter().filter_map(|word| typed.closeness(word)).min()?;
            Some(Cost::new(closeness, field))
        };
        let (category, description) =
            (best(&self.category, Field::Category), best(&self.description, Field::Description));
        category.into_iter().chain(description).min()
    }
}

/// The parts of the title's words that are matched best, if no other field has a better match.
fn parts(typed: &Typed, words: &[Located], elsewhere: &Elsewhere) -> Vec<Range<usize>> {
    let closeness = |located: &Located| typed.closeness(&located.word);
    let Some(best) = words.iter().filter_map(closeness).min() else { return Vec::new() };
    if elsewhere.best(typed).is_some_and(|other| other < Cost::new(best, Field::Title)) {
        return Vec::new();
    }
    let matched = words.iter().filter(|located| closeness(located) == Some(best));
    matched.filter_map(|located| part(typed, located, best)).collect()
}

/// The part of a word that is matched, in bytes of the title.
fn part(typed: &Typed, located: &Located, closeness: Closeness) -> Option<Range<usize>> {
    let typed = typed.text();
    let skipped = match closeness {
        Closeness::Inside => located.word[..located.word.find(typed)?].chars().count(),
        _ => 0,
    };
    let length = match closeness {
        Closeness::Prefix | Closeness::Inside => typed.chars().count(),
        Closeness::Exact | Closeness::Form | Closeness::OneError | Closeness::TwoErrors => located.origin.len(),
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

    fn shown(title: &str, category: &str) -> Shown {
        Shown {
            id: 1,
            title: title.into(),
            description: String::new(),
            price: rust_decimal::Decimal::ONE,
            category: category.into(),
            created_at: chrono::DateTime::UNIX_EPOCH,
            quantity: None,
        }
    }

    fn marked(title: &str, query: &str) -> String {
        super::title(&shown(title, "other"), &Text::read(Some(query)))
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
        assert_eq!(title(&shown("Mild Cheddar", "milk"), &Text::read(Some("milk"))), "Mild Cheddar");
    }
}
