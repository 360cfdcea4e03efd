//! How a result spreads over categories and prices. Each facet is counted without its own filter, so that it tells
//! what choosing another value would give.

use rust_decimal::Decimal;

use crate::index::Categories;

/// The lower ends of the price ranges, in whole units of the currency.
pub(crate) const PRICES: [i64; 8] = [0, 1, 2, 5, 10, 20, 50, 100];

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

impl Facets {
    /// From counts for each of the categories, and for each of [`PRICES`].
    pub(crate) fn new(by_category: &[i64], by_price: &[i64; PRICES.len()], categories: &Categories) -> Self {
        let counted = categories.all.iter().zip(by_category).filter(|(_, count)| **count > 0);
        let mut categories: Vec<CategoryCount> = counted
            .map(|(category, count)| CategoryCount { id: category.id, name: category.name.clone(), count: *count })
            .collect();
        categories.sort_by(|one, other| (other.count, &one.name, one.id).cmp(&(one.count, &other.name, other.id)));
        let prices = by_price.iter().enumerate().filter(|(_, count)| **count > 0);
        let prices = prices.map(|(place, count)| PriceCount {
            min: Decimal::from(PRICES[place]),
            max: PRICES.get(place + 1).map(|next| Decimal::from(*next) - Decimal::new(1, 2)),
            count: *count,
        });
        Self { categories, prices: prices.collect() }
    }
}

/// The place in [`PRICES`] of a price in hundredths.
pub(crate) fn range(price: i64) -> usize {
    PRICES[1..].iter().map(|least| usize::from(price >= least * 100)).sum()
}
