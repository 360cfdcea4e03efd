//! Pages, orders, filters, facets and advice.

use super::fixture::{Catalogue, found, query, snapshot, titled};
use crate::find::DEEPEST;
use crate::{Error, Filters, Query, Sort};

fn ids(query: &Query, snapshot: &Catalogue) -> Result<Vec<i64>, Error> {
    snapshot.find(query).map(|found| found.ids)
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
    let page = |page| snapshot.find(&Query { page, page_size: 10, ..query("") });
    let all: Vec<i64> = (1..=3).flat_map(|number| page(number).unwrap().ids).collect();
    assert_eq!(all, (1..=25).rev().collect::<Vec<i64>>());
    let last = page(3).unwrap();
    assert_eq!((last.count, last.has_next), (25, false));
    assert!(page(2).unwrap().has_next);
    for past in [4, 1001, i64::MAX, 0, -1, i64::MIN] {
        assert!(matches!(page(past), Err(Error::NoSuchPage)), "{past}");
    }
}

#[test]
fn nothing_has_one_empty_page() {
    let snapshot = titled(&[]);
    let first = snapshot.find(&query("")).unwrap();
    assert_eq!((first.count, first.has_next), (0, false));
    assert_eq!(first.advice.unwrap(), ["Nothing in the catalogue is like this. Try other words."]);
}

#[test]
fn only_ten_thousand_can_be_paged_through() {
    let snapshot = titled(&vec!["Tea"; DEEPEST + 100]);
    let page = |page, page_size| snapshot.find(&Query { page, page_size, ..query("") });
    let deepest = page(100, 100).unwrap();
    assert_eq!((deepest.ids.len(), deepest.count, deepest.has_next), (100, DEEPEST + 100, false));
    assert!(matches!(page(101, 100), Err(Error::TooDeep)));
    assert!(matches!(page(102, 100), Err(Error::NoSuchPage)));
    let straddling = page(102, 99).unwrap();
    assert_eq!((straddling.ids.len(), straddling.has_next), (1, false), "it ends with the ten-thousandth");
    assert!(page(101, 99).unwrap().has_next);
    assert!(matches!(page(103, 99), Err(Error::TooDeep)));
    assert_eq!(page(1, usize::MAX).unwrap().ids.len(), DEEPEST);
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
    let found = snapshot.find(&asked).unwrap();
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
        snapshot.find(&asked).unwrap().advice.unwrap()
    };
    let max = |price: i64| Some(rust_decimal::Decimal::from(price));
    assert_eq!(
        advice("tea", Filters { max_price: max(1), ..Filters::default() }),
        ["Without max_price there would be 2 results."]
    );
    assert_eq!(
        advice("green black", Filters::default()),
        ["Without the word \"green\" there would be 2 results.", "Without the word \"black\" there would be 1 result.",]
    );
    assert_eq!(
        advice("tea", Filters { max_price: max(1), categories: vec!["bakery".into()], ..Filters::default() }),
        ["Without any filter there would be 2 results."]
    );
    assert_eq!(advice("green xyzzy plugh", Filters::default()), ["With \"green\" alone there would be 1 result."]);
    let bakery = || Filters { categories: vec!["bakery".into()], ..Filters::default() };
    assert_eq!(
        advice("green xyzzy", bakery()),
        ["With \"green\" alone and without any filter there would be 1 result."]
    );
    assert_eq!(advice("xyzzy", bakery()), ["Nothing in the catalogue is like this. Try other words."]);
    assert_eq!(advice("xyzzy", Filters::default()), ["Nothing in the catalogue is like this. Try other words."]);
}

/// Each sentence names as many as the query finds that it speaks of.
#[test]
fn advice_counts_what_would_be_found() {
    let snapshot = snapshot(&[
        ("Dark Chocolate", "Sweets", "", 300),
        ("Choc Ice", "Sweets", "", 400),
        ("Chai", "Drinks", "100% && pure", 500),
    ]);
    let advice = |text: &str| snapshot.find(&query(text)).unwrap().advice.unwrap();
    // Of what is left, the last word is a beginning.
    assert_eq!(advice("ch zzqqxx"), ["Without the word \"zzqqxx\" there would be 3 results."]);
    assert_eq!(advice("zzqqxx ch"), ["Without the word \"zzqqxx\" there would be 3 results."]);
    assert_eq!(advice("ch zzqqxx xyzzy"), ["With \"ch\" alone there would be 3 results."]);
    assert_eq!(
        advice("chai choc choc xyzzy"),
        ["With \"chai\" alone there would be 1 result.", "With \"choc\" alone there would be 2 results."]
    );
    assert_eq!(
        advice("~~ && %"),
        ["With \"&&\" alone there would be 1 result.", "With \"%\" alone there would be 1 result."]
    );
    // A word that counts only once another is left out.
    let many = format!("xyzzy {}", "chai ".repeat(16));
    assert_eq!(advice(&many)[0], "Without the word \"xyzzy\" there would be 1 result.");
}
