//! Filters, asked of one product.

use std::collections::HashSet;

use super::snapshot::{Product, Snapshot};
use crate::filters::{Filter, Filters};

/// The filters, ready to be asked about products of one snapshot.
pub(crate) struct Sieve<'a> {
    filters: &'a Filters,
    /// For each category of the snapshot, whether it will do.
    categories: Vec<bool>,
    /// Ids of products in stock, where that is asked for.
    in_stock: Option<&'a HashSet<i64>>,
}

impl<'a> Sieve<'a> {
    /// `in_stock` is asked for ids only where the filters want stock.
    pub(crate) fn new(filters: &'a Filters, snapshot: &Snapshot, in_stock: Option<&'a HashSet<i64>>) -> Self {
        let wanted: Vec<String> = filters.categories.iter().map(|name| name.trim().to_lowercase()).collect();
        let will_do = |category: &super::snapshot::Category| {
            wanted.is_empty() || wanted.contains(&category.lower_name) || wanted.contains(&category.id.to_string())
        };
        Self { filters, categories: snapshot.categories.iter().map(will_do).collect(), in_stock }
    }

    /// Whether the product passes this one filter.
    pub(crate) fn passes(&self, product: &Product, filter: Filter) -> bool {
        match filter {
            Filter::Category => self.categories[product.category],
            Filter::MinPrice => self.filters.min_price.is_none_or(|least| product.price >= least),
            Filter::MaxPrice => self.filters.max_price.is_none_or(|most| product.price <= most),
            Filter::InStock => self.in_stock.is_none_or(|ids| ids.contains(&product.id)),
        }
    }

    /// Whether the product passes every filter but these.
    pub(crate) fn passes_without(&self, product: &Product, left_out: &[Filter]) -> bool {
        Filter::ALL.into_iter().all(|filter| left_out.contains(&filter) || self.passes(product, filter))
    }

    /// The filters that were asked for.
    pub(crate) fn asked(&self) -> Vec<Filter> {
        let asked = |filter: &Filter| match filter {
            Filter::Category => !self.filters.categories.is_empty(),
            Filter::MinPrice => self.filters.min_price.is_some(),
            Filter::MaxPrice => self.filters.max_price.is_some(),
            Filter::InStock => self.in_stock.is_some(),
        };
        Filter::ALL.into_iter().filter(asked).collect()
    }
}
