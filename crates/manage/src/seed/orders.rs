//! Order number n of the past: what it is depends on n, the seed, and what stores carry.

use std::collections::BTreeMap;

use ::orders::Status;
use ::orders::bulk::{PastLine, PastOrder};
use ::stores::bulk::Shelf;
use chrono::TimeDelta;
use rand::RngExt;

use super::{Stream, anchor, rng};

/// Lines of an order at most.
const LINES: usize = 4;

/// What stores carry, store by store.
pub(super) struct Shelves {
    all: Vec<Shelf>,
    /// Where each store's begin, and where the last one's end.
    starts: Vec<usize>,
}

impl Shelves {
    /// `all` must be sorted by store.
    pub(super) fn new(all: Vec<Shelf>) -> Self {
        let changes = (1..all.len()).filter(|&at| all[at - 1].store_id != all[at].store_id);
        let starts = (!all.is_empty()).then_some(0).into_iter().chain(changes).chain([all.len()]).collect();
        Self { all, starts }
    }

    pub(super) fn are_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Order `number`, from 1, of some store that carries something. The first stores are the busiest: of a hundred,
    /// the first has a tenth of all orders.
    pub(super) fn order(&self, seed: u64, number: u64) -> PastOrder {
        let rng = &mut rng(seed, Stream::Orders, number);
        let stores = self.starts.len() - 1;
        let store = (rng.random::<f64>().powi(2) * stores as f64) as usize;
        let shelves = &self.all[self.starts[store]..self.starts[store + 1]];
        let lines = rng.random_range(1..=LINES.min(shelves.len()));
        let chosen = rand::seq::index::sample(rng, shelves.len(), lines);
        let line =
            |shelf: &Shelf, quantity| PastLine { product_id: shelf.product_id, quantity, unit_price: shelf.price };
        PastOrder {
            store_id: shelves[0].store_id,
            lines: chosen.into_iter().map(|at| line(&shelves[at], rng.random_range(1..=3))).collect(),
            status: match rng.random_range(0..50) {
                0..=2 => Status::Rejected,
                3 => Status::Cancelled,
                _ => Status::Confirmed,
            },
            created_at: anchor() - TimeDelta::seconds(rng.random_range(0..365 * 86_400)),
        }
    }
}

/// Units that these orders took out of stock for good.
pub(super) fn sold(orders: &[PastOrder]) -> BTreeMap<(i64, i64), i32> {
    let mut sold = BTreeMap::new();
    for order in orders.iter().filter(|order| order.status == Status::Confirmed) {
        for line in &order.lines {
            *sold.entry((order.store_id, line.product_id)).or_default() += line.quantity;
        }
    }
    sold
}
