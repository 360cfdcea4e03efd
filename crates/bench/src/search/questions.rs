//! What is asked over HTTP, and how fast the answer has to be.

use std::cell::Cell;

use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use super::fill::STORES;
use super::words::Words;
use crate::http::{self, Reply};
use crate::load::{self, Judge, Source};
use crate::tally::Verdict;

/// Different suggestions that are asked for again and again.
const REPEATED: usize = 200;

/// A kind of request.
pub(crate) struct Question {
    /// What it is, for people.
    pub(crate) name: &'static str,
    /// Milliseconds that half and 99 of 100 of the answers have to stay below; none for what is only compared with.
    pub(crate) limits: Option<(f64, f64)>,
    kind: Kind,
    pub(crate) judge: Judge,
    /// Whether products are changed all the while.
    pub(crate) is_changing: bool,
}

enum Kind {
    /// `/api/search/products/` with `q` drawn from words of one kind, and more parameters.
    Search(fn(&Words) -> &[String], fn(&mut SmallRng) -> String),
    /// The same without `q`.
    Browse(&'static str),
    /// `/api/search/suggest/` with a query that was asked before.
    SuggestAgain,
    /// The same with one that was not.
    SuggestAnew,
    /// What a request costs that asks for nothing.
    Constant,
}

/// A search: fast.
const SEARCH: Option<(f64, f64)> = Some((2.0, 10.0));

/// Whatever has to look at very many products.
const BROWSE: Option<(f64, f64)> = Some((5.0, 20.0));

/// Names that are looked for again in the judgement.
pub(crate) const CONSTANT: &str = "constant answer (/healthz/)";
pub(crate) const SUGGEST: &str = "suggest, hit";

/// Every question.
pub(crate) fn all() -> Vec<Question> {
    let question = |name, limits, kind, judge| Question { name, limits, kind, judge, is_changing: false };
    let search = |name, words, more| question(name, SEARCH, Kind::Search(words, more), finds);
    let browse = |name, target| question(name, BROWSE, Kind::Browse(target), finds);
    let changing = |question: Question| Question { is_changing: true, ..question };
    let broad: fn(&Words) -> &[String] = |words| &words.broad;
    vec![
        question(CONSTANT, None, Kind::Constant, answers),
        question(SUGGEST, SEARCH, Kind::SuggestAgain, was_cached),
        question("suggest, miss", SEARCH, Kind::SuggestAnew, was_not_cached),
        search("one broad word", broad, |_| String::new()),
        search("two words", |words| &words.pairs, |_| String::new()),
        search("prefix", |words| &words.prefixes, |_| String::new()),
        search("typing error", |words| &words.typos, |_| String::new()),
        search("broad, in stock at a store", broad, |rng| {
            format!("&in_stock=true&store_id={}", rng.random_range(1..=STORES))
        }),
        search("broad, quantities of a store", broad, |rng| format!("&store_id={}", rng.random_range(1..=STORES))),
        search("broad, in stock", broad, |_| "&in_stock=true".into()),
        search("broad, price range", broad, |rng| {
            let low = rng.random_range(1..40);
            format!("&min_price={low}&max_price={}", low + rng.random_range(1..20))
        }),
        search("broad, in a category", |words| &words.in_category, |_| String::new()),
        search("broad, highlight", broad, |_| "&highlight=true".into()),
        // The word behind it is none, and nothing is near it.
        Question { judge: finds_nothing, ..search("nothing found", broad, |rng| format!("+{}", no_word(rng))) },
        search("broad, sort=relevance", broad, |_| "&sort=relevance".into()),
        search("broad, sort=price", broad, |_| "&sort=price".into()),
        search("broad, sort=-price", broad, |_| "&sort=-price".into()),
        search("broad, sort=newest", broad, |_| "&sort=newest".into()),
        Question { limits: BROWSE, ..search("broad, facets", broad, |_| "&facets=true".into()) },
        Question { limits: BROWSE, ..search("two words, facets", |words| &words.pairs, |_| "&facets=true".into()) },
        browse("everything, facets", "?facets=true"),
        browse("everything, sort=newest", "?sort=newest"),
        browse("everything, sort=price", "?sort=price"),
        browse("everything, sort=-price", "?sort=-price"),
        changing(search("one broad word, while products change", broad, |_| String::new())),
        changing(search("two words, while products change", |words| &words.pairs, |_| String::new())),
        changing(search("broad, sort=price, while products change", broad, |_| "&sort=price".into())),
    ]
}

/// Eight letters that stand in no word like this.
fn no_word(rng: &mut SmallRng) -> String {
    (0..8).map(|_| *b"qxjzvk".choose(rng).unwrap_or(&b'q') as char).collect()
}

impl Question {
    /// What one connection asks. `fresh` counts the suggestions that were asked for once.
    pub(crate) fn source<'s>(&'s self, words: &'s Words, fresh: &'s Cell<usize>, stream: u64) -> Source<'s> {
        let mut rng = SmallRng::seed_from_u64(stream);
        Box::new(move |request| {
            let target = match &self.kind {
                Kind::Search(kind, more) => {
                    let query = kind(words).choose(&mut rng).map(String::as_str).unwrap_or_default();
                    format!("/api/search/products/?q={query}{}", more(&mut rng))
                }
                Kind::Browse(parameters) => format!("/api/search/products/{parameters}"),
                Kind::SuggestAgain => {
                    suggest(&words.beginnings[..REPEATED.min(words.beginnings.len())], rng.random_range(0..REPEATED))
                }
                Kind::SuggestAnew => suggest(&words.beginnings, fresh.replace(fresh.get() + 1) + REPEATED),
                Kind::Constant => "/healthz/".into(),
            };
            http::get(request, &target);
        })
    }
}

fn suggest(from: &[String], number: usize) -> String {
    format!("/api/search/suggest/?q={}", from[number % from.len()])
}

fn answers(reply: &Reply) -> Verdict {
    if reply.status == 200 { Verdict::Good } else { load::bad(reply) }
}

/// Right, and something was found.
fn finds(reply: &Reply) -> Verdict {
    let is_empty = reply.body.windows(13).take(200).any(|part| part == b"\"results\":[],")
        || reply.body.starts_with(b"{\"count\":0,");
    if is_empty && reply.status == 200 { Verdict::Odd } else { answers(reply) }
}

/// Right, and nothing was found, which is what was asked for.
fn finds_nothing(reply: &Reply) -> Verdict {
    match finds(reply) {
        Verdict::Odd => Verdict::Good,
        Verdict::Good => Verdict::Odd,
        bad @ Verdict::Bad(_) => bad,
    }
}

/// Right, and from the cache.
fn was_cached(reply: &Reply) -> Verdict {
    if !reply.is_hit && reply.status == 200 { Verdict::Odd } else { answers(reply) }
}

/// Right, and not from the cache.
fn was_not_cached(reply: &Reply) -> Verdict {
    if reply.is_hit && reply.status == 200 { Verdict::Odd } else { answers(reply) }
}
