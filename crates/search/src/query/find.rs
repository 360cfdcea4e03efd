//! Finding a page.

use std::sync::{Mutex, PoisonError};

use crate::Error;
use crate::facets::Facets;
use crate::find::{DEEPEST, Query, Sort};
use crate::index::{Living, View};
use crate::query::advice::advise;
use crate::query::collect::{Collected, Counts, id_of};
use crate::query::gather::Scratch;
use crate::query::sieve::Sieve;
use crate::query::sources::Sources;
use crate::query::text::Text;
use crate::query::top::Top;

/// What was found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// Ids of the page's products, in order.
    pub(crate) ids: Vec<i64>,
    /// Results on all pages.
    pub(crate) count: usize,
    pub(crate) has_next: bool,
    pub(crate) facets: Option<Facets>,
    /// Where nothing matches: what to relax.
    pub(crate) advice: Option<Vec<String>>,
}

/// Room for matches that is kept from query to query: for as many as can do with a processor.
static SCRATCHES: Mutex<Vec<Scratch>> = Mutex::new(Vec::new());
const SCRATCHES_KEPT: usize = 8;

/// Lends room for matches.
pub(crate) fn with_scratch<T>(work: impl FnOnce(&mut Scratch) -> T) -> T {
    let kept = SCRATCHES.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let mut scratch = kept.unwrap_or_default();
    let done = work(&mut scratch);
    let mut kept = SCRATCHES.lock().unwrap_or_else(PoisonError::into_inner);
    if kept.len() < SCRATCHES_KEPT {
        kept.push(scratch);
    }
    done
}

/// Answers `query`. `store` is whose stock counts as in stock; without one any store's does.
///
/// # Errors
/// [`Error::NoSuchPage`] past the last page, [`Error::TooDeep`] past [`DEEPEST`].
pub(crate) fn find(view: &View, text: &Text, query: &Query, store: Option<i64>) -> Result<Found, Error> {
    let sort = order(query.sort, text);
    let size = query.page_size.max(1);
    let start = usize::try_from(query.page).unwrap_or(0).saturating_sub(1).saturating_mul(size);
    // The page that holds the deepest result ends with it.
    let end = start.saturating_add(size).min(DEEPEST);
    let room = if start < DEEPEST { end } else { 0 };
    let sieve = Sieve::new(&query.filters, store, &view.categories);
    let facets = query.facets.then(|| Counts::new(view.categories.all.len()));
    let mut collected = Collected { count: 0, top: Top::new(room), facets };
    for living in &view.segments {
        let segment = &*living.segment;
        let places = view.categories.places(&segment.category_ids);
        with_scratch(|scratch| {
            scratch.begin(living, &sieve, query.facets);
            match Sources::alone(text, segment, &view.categories) {
                Some(sources) => scratch.portions(&sources, sort == Sort::Relevance, |scratch, cost, is_shown| {
                    collected.count(living, scratch, text, &sieve, &places);
                    if is_shown {
                        collected.show(segment, scratch, text, sort);
                    }
                    collected.may_take_dearer_than(cost)
                }),
                None => {
                    let words = scratch.gather(segment, text, &view.categories);
                    collected.count(living, scratch, text, &sieve, &places);
                    if sort == Sort::Relevance {
                        scratch.weigh(&words, room, segment.len());
                    }
                    collected.show(segment, scratch, text, sort);
                }
            }
        });
    }

    let count = collected.count;
    let total_pages = count.div_ceil(size).max(1);
    if !usize::try_from(query.page).is_ok_and(|page| (1..=total_pages).contains(&page)) {
        return Err(Error::NoSuchPage);
    }
    if start >= DEEPEST {
        return Err(Error::TooDeep);
    }
    let places = collected.top.into_sorted();
    let ids = places.iter().skip(start).map(|(_, second)| id_of(sort, *second)).collect();
    let advice = (count == 0).then(|| advise(view, text, &query.filters, store));
    Ok(Found {
        ids,
        count,
        has_next: end < count.min(DEEPEST),
        facets: collected.facets.map(|counts| Facets::new(&counts.categories, &counts.prices, &view.categories)),
        advice,
    })
}

fn order(sort: Option<Sort>, text: &Text) -> Sort {
    match (sort, text) {
        (None | Some(Sort::Relevance), Text::Anything) => Sort::Newest,
        (None, _) => Sort::Relevance,
        (Some(sort), _) => sort,
    }
}

/// How many products match `text` and pass.
pub(crate) fn count(view: &View, text: &Text, sieve: &Sieve) -> usize {
    let count_one = |living: &Living| {
        with_scratch(|scratch| {
            scratch.begin(living, sieve, false);
            scratch.gather(&living.segment, text, &view.categories);
            scratch.count_them();
            scratch.count
        })
    };
    view.segments.iter().map(count_one).sum()
}
