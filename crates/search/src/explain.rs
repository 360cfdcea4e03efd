//! Why a product ranks where it does, in words.

use std::fmt;

use crate::closeness::{Closeness, Typed};
use crate::fold;
use crate::queries::Shown;
use crate::query::Text;
use crate::query::cost::{Cost, Field};

/// Why a product ranks where it does.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// The product.
    pub product: Shown,
    /// How far its title is the query; none where it is not.
    pub title_is: Option<&'static str>,
    /// Whether its title holds the words of the query, if there are several, side by side, and where.
    pub side_by_side: Option<&'static str>,
    /// For each word that counts, how it was found best.
    pub words: Vec<Word>,
    /// Characters of the title: the shorter goes first among equals.
    pub title_length: usize,
}

/// How a word was found.
#[derive(Debug, Clone)]
pub struct Word {
    /// As it was typed, folded.
    pub typed: String,
    /// The word that it was found as; none where the product was found by another text than it has now.
    pub found: Option<Found>,
}

/// A word of a product that matches.
#[derive(Debug, Clone)]
pub struct Found {
    /// The word, folded.
    pub word: String,
    closeness: Closeness,
    field: Field,
}

impl Explanation {
    pub(crate) fn new(product: Shown, text: &Text) -> Self {
        let words =
            text.words().iter().map(|typed| Word { typed: typed.text().to_owned(), found: best(typed, &product) });
        let title_is = match text {
            Text::Words { query, .. } if *query == product.title => Some("the title is the query, letter by letter"),
            Text::Words { whole, .. } if *whole == fold::words(&product.title) => {
                Some("the title is the query, word by word")
            }
            _ => None,
        };
        let side_by_side = match text {
            Text::Words { whole, .. } if title_is.is_none() => side_by_side(whole, &fold::words(&product.title)),
            _ => None,
        };
        Self { words: words.collect(), title_is, side_by_side, title_length: product.title.chars().count(), product }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let closeness = match self.closeness {
            Closeness::Exact => "as it is",
            Closeness::Form => "as another form",
            Closeness::Prefix => "as a beginning",
            Closeness::OneError => "with one typing error",
            Closeness::TwoErrors => "with two typing errors",
            Closeness::Inside => "as a part",
        };
        let field = match self.field {
            Field::Title => "title",
            Field::Category => "category",
            Field::Description => "description",
        };
        write!(formatter, "{closeness}, in the {field}'s word \"{}\"", self.word)
    }
}

/// The last word of the query may go on.
fn side_by_side(whole: &[String], title: &[String]) -> Option<&'static str> {
    let (last, others) = whole.split_last().filter(|(_, others)| !others.is_empty())?;
    let holds = |words: &[String]| words[..others.len()] == *others && words[others.len()].starts_with(last.as_str());
    match title.windows(whole.len()).position(holds)? {
        0 => Some("the title begins with the words side by side"),
        _ => Some("the title holds the words side by side"),
    }
}

fn best(typed: &Typed, product: &Shown) -> Option<Found> {
    let fields = [
        (Field::Title, &product.title),
        (Field::Category, &product.category),
        (Field::Description, &product.description),
    ];
    let found = fields.into_iter().flat_map(|(field, text)| {
        let words = fold::words(text).into_iter();
        words.filter_map(move |word| Some(Found { closeness: typed.closeness(&word)?, word, field }))
    });
    found.min_by_key(|found| Cost::new(found.closeness, found.field))
}
