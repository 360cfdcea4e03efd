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
    let search = |name, words, more| Question { name, limits: SEARCH, kind: Kind::Search(words, more), judge: finds };
    let browse = |name, target| Question { name, limits: BROWSE, kind: Kind::Browse(target), judge: finds };
    let broad: fn(&Words) -> &[String] = |words| &words.broad;
    vec![
        Question { name: CONSTANT, limits: None, kind: Kind::Constant, judge: answers },
        Question { name: SUGGEST, limits: SEARCH, kind: Kind::SuggestAgain, judge: was_cached },
        Question { name: "suggest, miss", limits: SEARCH, kind: Kind::SuggestAnew, judge: was_not_cached },
        search("one broad word", broad, |_| String::new()),
        search("two words", |words| &words.pairs, |_| String::new()),
        search("prefix", |words| &words.prefixes, |_| String::new()),
        search("typing error", |words| &words.typos, |_| String::new()),
        search("broad, in stock at a store", broad, |rng| {
            format!("&in_stock=true&store_id={}", rng.random_range(1..=STORES))
        }),
        search("broad, in stock", broad, |_| "&in_stock=true".into()),
        search("broad, price range", broad, |rng| {
            let low = rng.random_range(1..40);
            format!("&min_price={low}&max_price={}", low + rng.random_range(1..20))
        }),
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
    ]
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

/// Right, and from the cache.
fn was_cached(reply: &Reply) -> Verdict {
    if !reply.is_hit && reply.status == 200 { Verdict::Odd } else { answers(reply) }
}

/// Right, and not from the cache.
fn was_not_cached(reply: &Reply) -> Verdict {
    if reply.is_hit && reply.status == 200 { Verdict::Odd } else { answers(reply) }
}
