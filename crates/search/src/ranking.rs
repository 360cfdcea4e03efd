//! What matches a query, and which of two matches goes first.
//!
//! **What matches.** Every word of the query must be found in the product: in its title, its category's name or its
//! description, each word wherever it likes. [`Typed::closeness`] says when a word is found; the query's last word is
//! open. The first 16 words count. A query without any word (signs alone) finds what contains its signs literally.
//!
//! **Which goes first.** Of the ways in which a product matches a word the best counts: not as a mere part of a word,
//! with the fewest typing errors, in the title before the category before the description, as the whole word before
//! its beginning. Between products decides, in this order:
//!
//! 1. the title is the query, letter by letter before word by word;
//! 2. fewer words found only as a part of another word;
//! 3. fewer typing errors, all words together;
//! 4. words found in titles before categories before descriptions;
//! 5. fewer words of which only the beginning was typed;
//! 6. the shorter title;
//! 7. the lower id.

use crate::closeness::{Closeness, Typed};
use crate::fold;
use crate::snapshot::{Product, Snapshot, WordId};

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
    title_length: usize,
    id: i64,
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
    /// The query's words in full, where all of them are in the dictionary.
    whole: Option<Vec<WordId>>,
}

pub(crate) struct Term {
    pub(crate) typed: Typed,
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
        let open = if words.len() <= WORDS { words.len() - 1 } else { usize::MAX };
        let terms = words.iter().take(WORDS).enumerate();
        let terms = terms.map(|(place, word)| Term::new(Typed::new(word, place == open), snapshot)).collect();
        let whole = words.iter().map(|word| snapshot.word_id(word)).collect();
        Self::Words(Words { terms, query: query.to_owned(), whole })
    }

    /// The product's place, if it matches.
    pub(crate) fn rank(&self, product: &Product, snapshot: &Snapshot) -> Option<Rank> {
        match self {
            Self::Anything => Some(Rank::new(product, [])),
            Self::Words(words) => words.rank(product),
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
    pub(crate) fn terms(&self) -> &[Term] {
        &self.terms
    }

    fn rank(&self, product: &Product) -> Option<Rank> {
        // Most products fail one of the words, so all are asked before anything is put together.
        let mut hits = [None; WORDS];
        for (term, hit) in self.terms.iter().zip(&mut hits) {
            *hit = Some(term.best(product)?);
        }
        let mut rank = Rank::new(product, hits.into_iter().flatten());
        if self.whole.as_ref() == Some(&product.title_words) {
            rank.title = if self.query == product.title { TitleIs::TheQuery } else { TitleIs::ItsWords };
        }
        Some(rank)
    }
}

impl Term {
    fn new(typed: Typed, snapshot: &Snapshot) -> Self {
        let words: Vec<Option<Closeness>> = snapshot.words.iter().map(|word| typed.closeness(word)).collect();
        let in_category = |category: &crate::snapshot::Category| closest(&words, &category.words, Field::Category);
        let categories = snapshot.categories.iter().map(in_category).collect();
        Self { typed, words, categories }
    }

    /// The best hit in the product, if any.
    pub(crate) fn best(&self, product: &Product) -> Option<Hit> {
        let title = closest(&self.words, &product.title_words, Field::Title);
        if title == Some(Hit::new(Closeness::Exact, Field::Title)) {
            return title;
        }
        let category = self.categories[product.category];
        let description = closest(&self.words, &product.description_words, Field::Description);
        [title, category, description].into_iter().flatten().min()
    }

    /// How it matches a word of the dictionary.
    pub(crate) fn closeness(&self, word: WordId) -> Option<Closeness> {
        self.words[word as usize]
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
            title_length: product.title_length,
            id: product.id,
        };
        for hit in hits {
            rank.inside += u8::from(hit.is_inside);
            rank.errors += hit.errors;
            rank.fields += hit.field as u8;
            rank.prefixes += u8::from(hit.is_prefix);
        }
        rank
    }
}

#[cfg(test)]
mod tests {
    use crate::fixture::{found, query, snapshot, titled};

    #[test]
    fn title_goes_before_category_before_description() {
        let snapshot = snapshot(&[
            ("Oat Drink", "other", "Instead of milk.", 100),
            ("Oat Drink", "milk", "", 100),
            ("A Very Long Title of Some Milk", "other", "", 100),
        ]);
        let titles = found(&snapshot, &query("milk"));
        assert_eq!(titles, ["A Very Long Title of Some Milk", "Oat Drink", "Oat Drink"]);
        let text = super::Text::read(Some("milk"), &snapshot);
        let found = crate::find::find(&snapshot, &text, &query("milk"), None).unwrap();
        assert_eq!(found.ids, [3, 2, 1]);
    }

    #[test]
    fn exact_goes_before_prefix_before_error_before_inside() {
        let snapshot = titled(&["Buttermilk", "Mild Cheese", "Milkshake Drink", "Some Milk, Whole"]);
        assert_eq!(
            found(&snapshot, &query("milk")),
            ["Some Milk, Whole", "Milkshake Drink", "Mild Cheese", "Buttermilk"]
        );
    }

    #[test]
    fn a_description_that_has_the_word_goes_before_a_title_that_has_it_misspelt_or_inside() {
        let products =
            [("Buttermilk", "other", "", 100), ("Mild", "other", "", 100), ("Oats", "other", "Like with milk.", 100)];
        assert_eq!(found(&snapshot(&products), &query("milk")), ["Oats", "Mild", "Buttermilk"]);
    }

    #[test]
    fn one_error_goes_before_two() {
        let snapshot = titled(&["Chacolade Bar", "Chocolade"]);
        assert_eq!(found(&snapshot, &query("chocolate bar")), ["Chacolade Bar"]);
        assert_eq!(found(&snapshot, &query("chocolate")), ["Chocolade", "Chacolade Bar"]);
    }

    #[test]
    fn short_titles_go_first_among_equals_and_then_ids() {
        let snapshot = titled(&["Milk for Cats", "Goat Milk", "Oats Milk", "Goat Milk"]);
        assert_eq!(found(&snapshot, &query("milk")), ["Goat Milk", "Oats Milk", "Goat Milk", "Milk for Cats"]);
    }

    #[test]
    fn a_title_that_is_the_query_goes_first() {
        let titles = ["Cream Cheese", "Cheese Cream", "Cheese", "Cheeses"];
        let snapshot = titled(&titles);
        for title in titles {
            assert_eq!(found(&snapshot, &query(title))[0], title);
            assert_eq!(found(&snapshot, &query(&title.to_uppercase()))[0], title);
        }
    }

    #[test]
    fn of_titles_with_the_same_words_the_one_that_was_typed_goes_first() {
        let titles =
            ["Honey Lemon Drops", "Honey/Lemon Drops", "Honey  Lemon Drops", "honey lemon drops", "Honey, Lemon Drops"];
        let snapshot = titled(&titles);
        for title in titles {
            assert_eq!(found(&snapshot, &query(title))[0], title);
        }
    }

    #[test]
    fn every_word_must_match_in_whichever_field() {
        let snapshot = snapshot(&[
            ("Chocolate Drink", "milk", "From Belgium.", 100),
            ("Chocolate Drink", "other", "From Belgium.", 100),
        ]);
        assert_eq!(found(&snapshot, &query("chocolate milk belgium")).len(), 1);
        assert_eq!(found(&snapshot, &query("belgium drink choco")).len(), 2);
        assert_eq!(found(&snapshot, &query("chocolate milk france")).len(), 0);
    }

    #[test]
    fn only_the_last_word_may_be_a_beginning() {
        let snapshot = titled(&["Chips of Corn"]);
        assert_eq!(found(&snapshot, &query("corn ch")).len(), 1);
        assert_eq!(found(&snapshot, &query("ch corn")).len(), 0);
        assert_eq!(found(&snapshot, &query("chi corn")).len(), 1, "as a part, from three letters");
    }

    #[test]
    fn the_first_sixteen_words_count() {
        let snapshot = titled(&["a b c d e f g h i j k l m n o p"]);
        assert_eq!(found(&snapshot, &query("a b c d e f g h i j k l m n o p q r s")).len(), 1);
        assert_eq!(found(&snapshot, &query("a b c d e f g h i j k l m n o q p")).len(), 0);
    }

    #[test]
    fn signs_alone_find_what_contains_them() {
        let snapshot = snapshot(&[
            ("100% Juice", "other", "", 100),
            ("Mac & Cheese", "other", "It's \"good\".", 100),
            ("Oreo®", "a_b", "", 100),
        ]);
        for (signs, wanted) in [
            ("%", &["100% Juice"][..]),
            ("&", &["Mac & Cheese"]),
            ("'", &["Mac & Cheese"]),
            ("\"", &["Mac & Cheese"]),
            ("& %", &[]),
            ("_", &["Oreo®"]),
            ("®", &["Oreo®"]),
            ("%%", &[]),
            ("\\", &[]),
            ("🥛", &[]),
            ("\u{301}", &[]),
            ("\u{200b}", &[]),
        ] {
            assert_eq!(found(&snapshot, &query(signs)), wanted, "{signs}");
        }
        assert_eq!(found(&snapshot, &query("100%")), ["100% Juice"]);
        assert_eq!(found(&snapshot, &query(" \t ")).len(), 3, "nothing at all asks for everything");
    }
}
