//! The filters, ready for the columns.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::filters::{Filter, Filters};
use crate::index::{ANYWHERE, Categories, Segment};

/// Filters on a view.
#[derive(Debug, Clone)]
pub(crate) struct Sieve {
    /// Ids of the categories that will do, where that is asked for.
    categories: Option<Vec<i64>>,
    least: i64,
    most: i64,
    has_prices: bool,
    /// The store that must have it in stock.
    stock: Option<i64>,
    asked: Vec<Filter>,
}

impl Sieve {
    /// `store` is whose stock counts; without one any store's does.
    pub(crate) fn new(filters: &Filters, store: Option<i64>, categories: &Categories) -> Self {
        Self::without(filters, store, categories, &[])
    }

    /// All filters but these.
    pub(crate) fn without(filters: &Filters, store: Option<i64>, categories: &Categories, left_out: &[Filter]) -> Self {
        let asked: Vec<Filter> = asked(filters).into_iter().filter(|filter| !left_out.contains(filter)).collect();
        let has = |filter| asked.contains(&filter);
        let least = filters.min_price.filter(|_| has(Filter::MinPrice));
        let most = filters.max_price.filter(|_| has(Filter::MaxPrice));
        Self {
            categories: has(Filter::Category).then(|| will_do(&filters.categories, categories)),
            least: least.map_or(i64::MIN, |price| hundredths(price, Decimal::ceil)),
            most: most.map_or(i64::MAX, |price| hundredths(price, Decimal::floor)),
            has_prices: least.is_some() || most.is_some(),
            stock: has(Filter::InStock).then_some(store.unwrap_or(ANYWHERE)),
            asked,
        }
    }

    /// Which of a segment's categories will do; none where all will.
    pub(crate) fn categories(&self, segment: &Segment) -> Option<Vec<bool>> {
        let wanted = self.categories.as_ref()?;
        Some(segment.category_ids.iter().map(|id| wanted.contains(id)).collect())
    }

    /// Whether there are prices that do not pass.
    pub(crate) fn has_prices(&self) -> bool {
        self.has_prices
    }

    /// Whether a price in hundredths passes.
    pub(crate) fn passes(&self, price: i64) -> bool {
        (self.least..=self.most).contains(&price)
    }

    /// Leaves the bits of a segment's documents that are in stock where they have to be. `room` is for as many bits.
    pub(crate) fn keep_in_stock(&self, segment: &Segment, bits: &mut [u64], room: &mut [u64]) {
        match self.stock.map(|store| segment.in_stock(store)) {
            None => {}
            Some(None) => bits.fill(0),
            Some(Some(list)) => list.keep_in(bits, room),
        }
    }

    /// Leaves the bits of a segment's documents whose category and price pass. `room` is for as many bits.
    pub(crate) fn keep_passing(&self, segment: &Segment, bits: &mut [u64], room: &mut [u64]) {
        if let Some(wanted) = &self.categories {
            room.fill(0);
            wanted.iter().filter_map(|id| segment.category(*id)).for_each(|list| list.add_to(room));
            bits.iter_mut().zip(&*room).for_each(|(bits, room)| *bits &= room);
        }
        if self.has_prices {
            segment.keep_priced(self.least, self.most, bits, room);
        }
    }

    /// The filters that are in force.
    pub(crate) fn asked(&self) -> &[Filter] {
        &self.asked
    }
}

fn asked(filters: &Filters) -> Vec<Filter> {
    let asked = |filter: &Filter| match filter {
        Filter::Category => !filters.categories.is_empty(),
        Filter::MinPrice => filters.min_price.is_some(),
        Filter::MaxPrice => filters.max_price.is_some(),
        Filter::InStock => filters.in_stock,
    };
    Filter::ALL.into_iter().filter(asked).collect()
}

fn will_do(names: &[String], categories: &Categories) -> Vec<i64> {
    let wanted: Vec<String> = names.iter().map(|name| name.trim().to_lowercase()).collect();
    let will_do = |(lower_name, id): (&String, i64)| wanted.contains(lower_name) || wanted.contains(&id.to_string());
    let all = categories.all.iter().map(|category| (&category.lower_name, category.id));
    all.filter(|(name, id)| will_do((*name, *id))).map(|(_, id)| id).collect()
}

/// Prices have two decimals, so a limit between two of them is moved to the next that can be reached.
fn hundredths(price: Decimal, round: impl Fn(&Decimal) -> Decimal) -> i64 {
    let most = if price.is_sign_negative() { i64::MIN } else { i64::MAX };
    price.checked_mul(Decimal::ONE_HUNDRED).and_then(|price| round(&price).to_i64()).unwrap_or(most)
}
