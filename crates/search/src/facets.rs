//! How a result spreads over categories and prices. Each facet is counted without its own filter, so that it tells
//! what choosing another value would give.

use rust_decimal::Decimal;

use crate::filters::{Filter, Sieve};
use crate::snapshot::{Product, Snapshot};

/// The lower ends of the price ranges, in whole units of the currency.
const PRICES: [i64; 8] = [0, 1, 2, 5, 10, 20, 50, 100];

/// Counts of a result. Values that no product has are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facets {
    /// The largest first, then by name.
    pub categories: Vec<CategoryCount>,
    /// The cheapest first.
    pub prices: Vec<PriceCount>,
}

/// How many products a category has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CategoryCount {
    /// The category's id.
    pub id: i64,
    /// The category's name.
    pub name: String,
    /// Products.
    pub count: i64,
}

/// How many products lie in a range of prices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceCount {
    /// The least price, inclusive.
    pub min: Decimal,
    /// The highest price, inclusive; none for the last range.
    pub max: Option<Decimal>,
    /// Products.
    pub count: i64,
}

/// Counts `products`, which match the text.
pub(crate) fn count<'p>(products: impl Iterator<Item = &'p Product>, sieve: &Sieve<'_>, snapshot: &Snapshot) -> Facets {
    let mut categories = vec![0; snapshot.categories.len()];
    let mut prices = [0; PRICES.len()];
    for product in products {
        if sieve.passes_without(product, &[Filter::Category]) {
            categories[product.category] += 1;
        }
        if sieve.passes_without(product, &[Filter::MinPrice, Filter::MaxPrice]) {
            prices[range(product.price)] += 1;
        }
    }
    let mut categories: Vec<CategoryCount> = snapshot
        .categories
        .iter()
        .zip(categories)
        .filter(|(_, count)| *count > 0)
        .map(|(category, count)| CategoryCount { id: category.id, name: category.name.clone(), count })
        .collect();
    categories.sort_by(|one, other| (other.count, &one.name, one.id).cmp(&(one.count, &other.name, other.id)));
    let prices = prices.into_iter().enumerate().filter(|(_, count)| *count > 0);
    let prices = prices.map(|(place, count)| PriceCount {
        min: Decimal::from(PRICES[place]),
        max: PRICES.get(place + 1).map(|next| Decimal::from(*next) - Decimal::new(1, 2)),
        count,
    });
    Facets { categories, prices: prices.collect() }
}

fn range(price: Decimal) -> usize {
    PRICES.iter().rposition(|least| price >= Decimal::from(*least)).unwrap_or(0)
}
