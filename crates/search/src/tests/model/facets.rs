//! Facets, counted by plain loops.

use rust_decimal::Decimal;

use super::filters::Sieve;
use super::snapshot::{Product, Snapshot};
use crate::facets::{CategoryCount, Facets, PRICES, PriceCount};
use crate::filters::Filter;

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
