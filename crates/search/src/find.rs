//! Finding in the snapshot: filter, count, sort, cut out the page.

use std::collections::HashSet;

use crate::Error;
use crate::advice::advise;
use crate::facets::{self, Facets};
use crate::filters::{Filters, Sieve};
use crate::ranking::{Rank, Text};
use crate::snapshot::{Product, Snapshot};

/// Results that can be paged through. Sorting more of them for one page serves nobody.
pub(crate) const DEEPEST: usize = 10_000;

/// In which order results come. Each is total.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// The cheapest first, then by id.
    Price,
    /// The dearest first, then by id.
    PriceDescending,
    /// The newest first, then the higher id.
    Newest,
    /// The best match first; without a query, as [`Sort::Newest`].
    Relevance,
}

/// What to find.
#[derive(Debug, Clone)]
pub struct Query {
    /// Words, or signs.
    pub text: Option<String>,
    /// What narrows the result.
    pub filters: Filters,
    /// Default: relevance with a text, newest without.
    pub sort: Option<Sort>,
    /// The page, from 1.
    pub page: i64,
    /// Results on a page, at least 1.
    pub page_size: usize,
    /// Whether to count by category and price.
    pub facets: bool,
}

/// What was found.
pub(crate) struct Found {
    /// Ids of the page's products, in order.
    pub(crate) ids: Vec<i64>,
    /// Results on all pages.
    pub(crate) count: usize,
    /// At least 1.
    pub(crate) total_pages: usize,
    pub(crate) has_next: bool,
    pub(crate) facets: Option<Facets>,
    /// Where nothing matches: what to relax.
    pub(crate) advice: Option<Vec<String>>,
}

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
    let end = (start + size).min(count);
    sort(&mut found, order(query.sort, text), end);
    Ok(Found {
        ids: found[start..end].iter().map(|(_, product)| product.id).collect(),
        count,
        total_pages,
        has_next: end < count && start + size < DEEPEST,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{found, query, snapshot, titled};

    fn ids(query: &Query, snapshot: &Snapshot) -> Result<Vec<i64>, Error> {
        find(snapshot, &Text::read(query.text.as_deref(), snapshot), query, None).map(|found| found.ids)
    }

    #[test]
    fn every_order_is_total() {
        let snapshot = snapshot(&[("b", "x", "", 200), ("c", "x", "", 100), ("a", "x", "", 200)]);
        for (sort, wanted) in [
            (Some(Sort::Price), [2, 1, 3]),
            (Some(Sort::PriceDescending), [1, 3, 2]),
            (Some(Sort::Newest), [3, 2, 1]),
            (Some(Sort::Relevance), [3, 2, 1]),
            (None, [3, 2, 1]),
        ] {
            assert_eq!(ids(&Query { sort, ..query("") }, &snapshot).unwrap(), wanted, "{sort:?}");
        }
        assert_eq!(ids(&Query { sort: Some(Sort::Newest), ..query("x") }, &snapshot).unwrap(), [3, 2, 1]);
    }

    #[test]
    fn pages_follow_each_other_and_end() {
        let titles: Vec<String> = (0..25).map(|number| format!("Tea {number:02}")).collect();
        let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
        let snapshot = titled(&titles);
        let page = |page| find(&snapshot, &Text::Anything, &Query { page, page_size: 10, ..query("") }, None);
        let all: Vec<i64> = (1..=3).flat_map(|number| page(number).unwrap().ids).collect();
        assert_eq!(all, (1..=25).rev().collect::<Vec<i64>>());
        let last = page(3).unwrap();
        assert_eq!((last.count, last.total_pages, last.has_next), (25, 3, false));
        assert!(page(2).unwrap().has_next);
        for past in [4, 1001, i64::MAX, 0, -1, i64::MIN] {
            assert!(matches!(page(past), Err(Error::NoSuchPage)), "{past}");
        }
    }

    #[test]
    fn nothing_has_one_empty_page() {
        let snapshot = titled(&[]);
        let first = find(&snapshot, &Text::Anything, &query(""), None).unwrap();
        assert_eq!((first.count, first.total_pages, first.has_next), (0, 1, false));
        assert_eq!(first.advice.unwrap(), ["Nothing in the catalogue is like this. Try other words."]);
    }

    #[test]
    fn only_ten_thousand_can_be_paged_through() {
        let snapshot = titled(&vec!["Tea"; DEEPEST + 100]);
        let page = |page, page_size| find(&snapshot, &Text::Anything, &Query { page, page_size, ..query("") }, None);
        let deepest = page(100, 100).unwrap();
        assert_eq!((deepest.ids.len(), deepest.count, deepest.has_next), (100, DEEPEST + 100, false));
        assert!(matches!(page(101, 100), Err(Error::TooDeep)));
        assert!(matches!(page(102, 100), Err(Error::NoSuchPage)));
    }

    #[test]
    fn filters_combine() {
        let snapshot = snapshot(&[
            ("Milk", "Dairy", "", 199),
            ("Cheese", "Dairy", "", 500),
            ("Bread", "Bakery", "", 250),
            ("Rolls", "2", "", 100),
        ]);
        let titles = |categories: &[&str], min, max| {
            let filters = Filters {
                categories: categories.iter().map(|name| (*name).to_owned()).collect(),
                min_price: Option::<i64>::map(min, |cents| rust_decimal::Decimal::new(cents, 2)),
                max_price: Option::<i64>::map(max, |cents| rust_decimal::Decimal::new(cents, 2)),
                in_stock: false,
            };
            found(&snapshot, &Query { filters, sort: Some(Sort::Price), ..query("") })
        };
        assert_eq!(titles(&["dAIRY "], None, None), ["Milk", "Cheese"]);
        assert_eq!(titles(&["dairy", "bakery", "unknown"], None, None), ["Milk", "Bread", "Cheese"]);
        assert_eq!(titles(&["2"], None, None), ["Rolls", "Bread"], "its name, or its id");
        assert_eq!(titles(&["unknown"], None, None), [""; 0]);
        assert_eq!(titles(&[], Some(199), Some(250)), ["Milk", "Bread"], "ends are included");
        assert_eq!(titles(&[], Some(300), Some(200)), [""; 0]);
        assert_eq!(titles(&["dairy"], None, Some(200)), ["Milk"]);
    }

    #[test]
    fn facets_are_counted_without_their_own_filter() {
        let snapshot = snapshot(&[
            ("Milk", "Dairy", "", 199),
            ("Milk Rolls", "Bakery", "", 250),
            ("Milk Bread", "Bakery", "", 499),
            ("Cream", "Dairy", "", 15_000),
        ]);
        let filters = Filters {
            categories: vec!["bakery".into()],
            max_price: Some(rust_decimal::Decimal::from(3)),
            ..Filters::default()
        };
        let asked = Query { filters, facets: true, ..query("milk") };
        let text = Text::read(asked.text.as_deref(), &snapshot);
        let found = find(&snapshot, &text, &asked, None).unwrap();
        assert_eq!(found.count, 1);
        let facets = found.facets.unwrap();
        let categories: Vec<(&str, i64)> =
            facets.categories.iter().map(|category| (category.name.as_str(), category.count)).collect();
        assert_eq!(categories, [("Bakery", 1), ("Dairy", 1)]);
        let prices: Vec<(String, i64)> =
            facets.prices.iter().map(|range| (format!("{}-{}", range.min, range.max.unwrap()), range.count)).collect();
        assert_eq!(prices, [("2-4.99".to_owned(), 2)]);
    }

    #[test]
    fn advice_says_what_would_help_and_how_much() {
        let snapshot = snapshot(&[
            ("Green Tea", "Drinks", "", 300),
            ("Black Tea", "Drinks", "", 400),
            ("Black Bread", "Bakery", "", 500),
        ]);
        let advice = |text: &str, filters: Filters| {
            let asked = Query { filters, ..query(text) };
            find(&snapshot, &Text::read(Some(text), &snapshot), &asked, None).unwrap().advice.unwrap()
        };
        let max = |price: i64| Some(rust_decimal::Decimal::from(price));
        assert_eq!(
            advice("tea", Filters { max_price: max(1), ..Filters::default() }),
            ["Without max_price there would be 2 results."]
        );
        assert_eq!(
            advice("green black", Filters::default()),
            [
                "Without the word \"green\" there would be 2 results.",
                "Without the word \"black\" there would be 1 result.",
            ]
        );
        assert_eq!(
            advice("tea", Filters { max_price: max(1), categories: vec!["bakery".into()], ..Filters::default() }),
            ["Without any filter there would be 2 results."]
        );
        assert_eq!(
            advice("green xyzzy plugh", Filters::default()),
            ["With only some of the words there would be 1 result."]
        );
        assert_eq!(advice("xyzzy", Filters::default()), ["Nothing in the catalogue is like this. Try other words."]);
    }
}
