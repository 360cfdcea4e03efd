//! What is searched: the index as of one commit, with the categories of the same moment.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use tantivy::fastfield::AliveBitSet;

use crate::facets::PRICES;
use crate::index::categories::Categories;
use crate::index::segment::{Doc, Segment};

/// A consistent state of the index. Cheap to clone; never changes.
#[derive(Clone)]
pub(crate) struct View {
    pub(crate) segments: Vec<Living>,
    pub(crate) categories: Arc<Categories>,
}

/// A segment with those of its documents that are alive.
#[derive(Clone)]
pub(crate) struct Living {
    pub(crate) segment: Arc<Segment>,
    /// A bit for each document; none where all are alive.
    pub(crate) alive: Option<Arc<[u64]>>,
    /// Documents that are alive.
    pub(crate) products: usize,
    totals: Arc<OnceLock<Totals>>,
}

/// How many living documents a segment has by category, as places in its categories, and by price range.
pub(crate) struct Totals {
    pub(crate) categories: Vec<i64>,
    pub(crate) prices: [i64; PRICES.len()],
}

impl View {
    /// Products in it.
    pub(crate) fn products(&self) -> usize {
        self.segments.iter().map(|living| living.products).sum()
    }

    /// The same as if the products with these ids had been deleted.
    pub(crate) fn without(&self, ids: &[i64]) -> Self {
        let ids = ids.iter().copied().collect();
        let segments = self.segments.iter().map(|living| living.without(&ids)).collect();
        Self { segments, categories: self.categories.clone() }
    }
}

impl Living {
    pub(super) fn new(segment: Arc<Segment>, alive: Option<&AliveBitSet>) -> Self {
        let products = alive.map_or(segment.len(), AliveBitSet::num_alive_docs);
        let words = |alive: &AliveBitSet| {
            let mut words = vec![0; segment.len().div_ceil(64)];
            alive.iter_alive().for_each(|doc| words[doc as usize / 64] |= 1 << (doc % 64));
            words.into()
        };
        let alive = alive.map(words);
        Self { segment, alive, products, totals: Arc::default() }
    }

    /// Whether a document has been neither deleted nor replaced.
    pub(crate) fn is_alive(&self, doc: Doc) -> bool {
        self.alive.as_ref().is_none_or(|alive| alive[doc as usize / 64] >> (doc % 64) & 1 == 1)
    }

    fn without(&self, ids: &HashSet<i64>) -> Self {
        let mut alive = vec![0_u64; self.segment.len().div_ceil(64)];
        let mut products = 0;
        for (doc, id) in (0..).zip(&self.segment.ids) {
            if self.is_alive(doc) && !ids.contains(id) {
                alive[doc as usize / 64] |= 1 << (doc % 64);
                products += 1;
            }
        }
        Self { segment: self.segment.clone(), alive: Some(alive.into()), products, totals: Arc::default() }
    }

    /// Counted once, as everybody who browses asks for them.
    pub(crate) fn totals(&self) -> &Totals {
        self.totals.get_or_init(|| {
            let segment = &*self.segment;
            let mut totals = Totals { categories: vec![0; segment.category_ids.len()], prices: [0; PRICES.len()] };
            for (doc, facet) in (0..).zip(&segment.facets) {
                let is_alive = i64::from(self.is_alive(doc));
                totals.categories[facet.category()] += is_alive;
                totals.prices[facet.price_range()] += is_alive;
            }
            totals
        })
    }
}
