//! What matches a query, and which of two matches goes first.
//!
//! **What matches.** Every word of the query must be found in the product: in its title, its category's name or its
//! description, each word wherever it likes. [`Typed::closeness`] says when a word is found; the query's last word is
//! open. The first 16 words count. A query without any word (signs alone) finds what contains its signs literally.
//!
//! **Which goes first.** Of the ways in which a product matches a word the best counts: not as a mere part of a word,
//! with the fewest typing errors, in the title before the category before the description, as the whole word before
//! another form of it before its beginning. Between products decides, in this order:
//!
//! 1. the title is the query, letter by letter before word by word;
//! 2. fewer words found only as a part of another word;
//! 3. fewer typing errors, all words together;
//! 4. words found in titles before categories before descriptions;
//! 5. fewer words of which only the beginning was typed;
//! 6. fewer words found in another form;
//! 7. of titles that hold all of several words side by side in the order of the query, those that begin with them,
//!    then the others; then all other titles;
//! 8. the shorter title;
//! 9. the lower id.

use super::closeness::{Closeness, Typed};
use super::snapshot::{Product, Snapshot, WordId};
use crate::fold;

/// Words of a query that count.
pub(crate) const WORDS: usize = 16;

/// Where a word was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Field {
    Title,
    Category,
    Description,
}

/// The way in which a word was found in a product. The lesser is the better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Hit {
    is_inside: bool,
    errors: u8,
    pub(crate) field: Field,
    is_prefix: bool,
    is_form: bool,
}

impl Hit {
    fn new(closeness: Closeness, field: Field) -> Self {
        Self {
            is_inside: closeness == Closeness::Inside,
            errors: match closeness {
                Closeness::OneError => 1,
                Closeness::TwoErrors => 2,
                _ => 0,
            },
            field,
            is_prefix: closeness == Closeness::Prefix,
            is_form: closeness == Closeness::Form,
        }
    }
}

/// A product's place by relevance: the lesser goes first. Total, as ids differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    title: TitleIs,
    inside: u8,
    errors: u8,
    fields: u8,
    prefixes: u8,
    forms: u8,
    side_by_side: SideBySide,
    title_length: usize,
    id: i64,
}

/// Where the title holds the words of the query side by side in their order, the last perhaps going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum SideBySide {
    AtTheBeginning,
    Later,
    Nowhere,
}

/// How far the title is the query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum TitleIs {
    TheQuery,
    ItsWords,
    SomethingElse,
}

/// What a query asks of a product's text, prepared for one snapshot.
pub(crate) enum Text {
    /// Nothing: every product matches.
    Anything,
    /// These words.
    Words(Words),
    /// These signs, literally.
    Signs(Vec<String>),
}

/// The words of a query, and what in the dictionary each of them matches.
pub(crate) struct Words {
    terms: Vec<Term>,
    /// The query as it was typed.
    query: String,
    /// All its words.
    all: Vec<String>,
    /// The query's words in full, where all of them are in the dictionary.
    whole: Option<Vec<WordId>>,
}

struct Term {
    /// For each word of the dictionary, how it is matched.
    words: Vec<Option<Closeness>>,
    /// For each category, the best hit in its name.
    categories: Vec<Option<Hit>>,
}

impl Text {
    /// Reads a query. Never fails, whatever is in it.
    pub(crate) fn read(query: Option<&str>, snapshot: &Snapshot) -> Self {
        let Some(query) = query.map(str::trim).filter(|query| !query.is_empty()) else { return Self::Anything };
        let words = fold::words(query);
        if words.is_empty() {
            return Self::Signs(query.split_whitespace().take(WORDS).map(str::to_owned).collect());
        }
        Self::of_words(query, words, snapshot)
    }

    fn of_words(query: &str, words: Vec<String>, snapshot: &Snapshot) -> Self {
        let open = if words.len() <= WORDS { words.len() - 1 } else { usize::MAX };
        let terms = words.iter().take(WORDS).enumerate();
        let terms = terms.map(|(place, word)| Term::new(Typed::new(word, place == open), snapshot)).collect();
        let whole = words.iter().map(|word| snapshot.word_id(word)).collect();
        Self::Words(Words { terms, query: query.to_owned(), all: words, whole })
    }

    /// Its words or runs of signs that count.
    pub(crate) fn parts(&self) -> Vec<String> {
        match self {
            Self::Anything => Vec::new(),
            Self::Words(words) => words.all.iter().take(WORDS).cloned().collect(),
            Self::Signs(signs) => signs.clone(),
        }
    }

    /// The query of one of them.
    pub(crate) fn alone(&self, part: &str, snapshot: &Snapshot) -> Self {
        match self {
            Self::Words(_) => Self::of_words(part, vec![part.to_owned()], snapshot),
            Self::Anything | Self::Signs(_) => Self::Signs(vec![part.to_owned()]),
        }
    }

    /// The product's place, if it matches.
    pub(crate) fn rank(&self, product: &Product, snapshot: &Snapshot) -> Option<Rank> {
        match self {
            Self::Anything => Some(Rank::new(product, [])),
            Self::Words(words) => words.rank(product, snapshot),
            Self::Signs(signs) => {
                let found: Option<Vec<Hit>> = signs.iter().map(|sign| sign_hit(sign, product, snapshot)).collect();
                Some(Rank::new(product, found?))
            }
        }
    }
}

/// Signs have neither case nor accents, so the original texts are asked.
fn sign_hit(sign: &str, product: &Product, snapshot: &Snapshot) -> Option<Hit> {
    let fields = [
        (Field::Title, product.title.as_str()),
        (Field::Category, snapshot.category_of(product).name.as_str()),
        (Field::Description, product.description.as_str()),
    ];
    let (field, _) = fields.into_iter().find(|(_, text)| text.contains(sign))?;
    Some(Hit::new(Closeness::Exact, field))
}

impl Words {
    /// For each word that counts: the word, and the query without it.
    pub(crate) fn without_one<'s>(&'s self, snapshot: &'s Snapshot) -> impl Iterator<Item = (&'s str, Text)> {
        let places = (0..self.terms.len()).filter(|_| self.all.len() > 1);
        places.map(|place| {
            let others = self.all.iter().enumerate().filter(|(other, _)| *other != place);
            let others = others.map(|(_, word)| word.clone()).collect();
            (self.all[place].as_str(), Text::of_words(&self.query, others, snapshot))
        })
    }

    fn rank(&self, product: &Product, snapshot: &Snapshot) -> Option<Rank> {
        // Most products fail one of the words, so all are asked before anything is put together.
        let mut hits = [None; WORDS];
        for (term, hit) in self.terms.iter().zip(&mut hits) {
            *hit = Some(term.best(product)?);
        }
        let mut rank = Rank::new(product, hits.into_iter().flatten());
        if self.whole.as_ref() == Some(&product.title_words) {
            rank.title = if self.query == product.title { TitleIs::TheQuery } else { TitleIs::ItsWords };
            rank.side_by_side = SideBySide::AtTheBeginning;
        } else if self.all.len() > 1 {
            rank.side_by_side = self.side_by_side(product, snapshot);
        }
        Some(rank)
    }

    fn side_by_side(&self, product: &Product, snapshot: &Snapshot) -> SideBySide {
        let title: Vec<&String> = product.title_words.iter().map(|word| &snapshot.words[*word as usize]).collect();
        let last = self.all.len() - 1;
        let holds = |words: &[&String]| {
            words[..last].iter().zip(&self.all).all(|(word, typed)| *word == typed)
                && words[last].starts_with(&self.all[last])
        };
        match title.windows(last + 1).position(holds) {
            Some(0) => SideBySide::AtTheBeginning,
            Some(_) => SideBySide::Later,
            None => SideBySide::Nowhere,
        }
    }
}

impl Term {
    fn new(typed: Typed, snapshot: &Snapshot) -> Self {
        let words: Vec<Option<Closeness>> = snapshot.words.iter().map(|word| typed.closeness(word)).collect();
        let in_category = |category: &super::snapshot::Category| closest(&words, &category.words, Field::Category);
        let categories = snapshot.categories.iter().map(in_category).collect();
        Self { words, categories }
    }

    /// The best hit in the product, if any.
    fn best(&self, product: &Product) -> Option<Hit> {
        let title = closest(&self.words, &product.title_words, Field::Title);
        if title == Some(Hit::new(Closeness::Exact, Field::Title)) {
            return title;
        }
        let category = self.categories[product.category];
        let description = closest(&self.words, &product.description_words, Field::Description);
        [title, category, description].into_iter().flatten().min()
    }
}

fn closest(matched: &[Option<Closeness>], words: &[WordId], field: Field) -> Option<Hit> {
    let best = words.iter().filter_map(|word| matched[*word as usize]).min()?;
    Some(Hit::new(best, field))
}

impl Rank {
    fn new(product: &Product, hits: impl IntoIterator<Item = Hit>) -> Self {
        let mut rank = Self {
            title: TitleIs::SomethingElse,
            inside: 0,
            errors: 0,
            fields: 0,
            prefixes: 0,
            forms: 0,
            side_by_side: SideBySide::Nowhere,
            title_length: product.title_length,
            id: product.id,
        };
        for hit in hits {
            rank.inside += u8::from(hit.is_inside);
            rank.errors += hit.errors;
            rank.fields += hit.field as u8;
            rank.prefixes += u8::from(hit.is_prefix);
            rank.forms += u8::from(hit.is_form);
        }
        rank
    }
}
