//! Finding in the snapshot: filter, count, sort, cut out the page.

use std::collections::HashSet;

use super::advice::advise;
use super::facets;
use super::filters::Sieve;
use super::ranking::{Rank, Text};
use super::snapshot::{Product, Snapshot};
use crate::Error;
use crate::find::{DEEPEST, Query, Sort};
use crate::query::Found;

type Match<'s> = (Rank, &'s Product);

/// Answers `query`. `in_stock` are the ids of products in stock, where the filters ask for that.
///
/// # Errors
/// [`Error::NoSuchPage`] past the last page, [`Error::TooDeep`] past [`DEEPEST`].
pub(crate) fn find(
    snapshot: &Snapshot,
    text: &Text,
    query: &Query,
    in_stock: Option<&HashSet<i64>>,
) -> Result<Found, Error> {
    let sieve = Sieve::new(&query.filters, snapshot, in_stock);
    let matching: Vec<Match<'_>> =
        snapshot.products.iter().filter_map(|product| Some((text.rank(product, snapshot)?, product))).collect();
    let facets = query.facets.then(|| facets::count(matching.iter().map(|(_, product)| *product), &sieve, snapshot));
    let mut found: Vec<Match<'_>> =
        matching.into_iter().filter(|(_, product)| sieve.passes_without(product, &[])).collect();

    let (count, size) = (found.len(), query.page_size.max(1));
    let total_pages = count.div_ceil(size).max(1);
    let page = usize::try_from(query.page).ok().filter(|page| (1..=total_pages).contains(page));
    let start = (page.ok_or(Error::NoSuchPage)? - 1) * size;
    if start >= DEEPEST {
        return Err(Error::TooDeep);
    }
    let end = (start + size).min(count).min(DEEPEST);
    sort(&mut found, order(query.sort, text), end);
    Ok(Found {
        ids: found[start..end].iter().map(|(_, product)| product.id).collect(),
        count,
        has_next: end < count && end < DEEPEST,
        facets,
        advice: (count == 0).then(|| advise(snapshot, text, &sieve)),
    })
}

fn order(sort: Option<Sort>, text: &Text) -> Sort {
    match (sort, text) {
        (None | Some(Sort::Relevance), Text::Anything) => Sort::Newest,
        (None, _) => Sort::Relevance,
        (Some(sort), _) => sort,
    }
}

/// Brings the first `end` into order; the others may lie anyhow behind them.
fn sort(found: &mut [Match<'_>], sort: Sort, end: usize) {
    match sort {
        Sort::Relevance => first_by(found, end, |(rank, _)| *rank),
        Sort::Price => first_by(found, end, |(_, product)| (product.price, product.id)),
        Sort::PriceDescending => first_by(found, end, |(_, product)| (std::cmp::Reverse(product.price), product.id)),
        Sort::Newest => first_by(found, end, |(_, product)| std::cmp::Reverse((product.created_at, product.id))),
    }
}

fn first_by<T, K: Ord>(all: &mut [T], end: usize, key: impl Fn(&T) -> K) {
    if end < all.len() {
        all.select_nth_unstable_by_key(end, &key);
    }
    all[..end].sort_unstable_by_key(key);
}
