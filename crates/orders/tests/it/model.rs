//! Orders, cancellations and adjustments in any interleaving, against a model in memory.

use std::collections::{HashMap, HashSet};

use accounts::Actor;
use futures_util::future::join_all;
use orders::{CancelError, Order, Status};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use testkit::size;

use crate::support::{Shop, new};

/// Products of the shop; the last is not carried.
const PRODUCTS: usize = 5;

type Lines = Vec<(usize, i32)>;

#[derive(Debug, Clone)]
enum Step {
    /// Orders that arrive at the same moment, in this order.
    Place(Vec<Lines>),
    /// One of the orders so far is cancelled, by two at once.
    Cancel(Index),
    /// Units come or go, unless there are too few.
    Adjust(usize, i32),
    /// Orders, cancellations, and units that come, all at once.
    Together(Vec<Lines>, Vec<Index>, Vec<(usize, i32)>),
}

fn lines() -> impl Strategy<Value = Lines> {
    // Each product once.
    vec((0..PRODUCTS, 1..6), 1..4).prop_map(|lines| lines.into_iter().collect::<HashMap<_, _>>().into_iter().collect())
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => vec(lines(), 1..12).prop_map(Step::Place),
        2 => any::<Index>().prop_map(Step::Cancel),
        1 => (0..PRODUCTS, -8..12).prop_map(|(product, delta)| Step::Adjust(product, delta)),
        2 => (vec(lines(), 1..12), vec(any::<Index>(), 0..6), vec((0..PRODUCTS, 1..12), 0..6))
            .prop_map(|(baskets, cancels, comings)| Step::Together(baskets, cancels, comings)),
    ]
}

/// What the shop should be like: no SQL, no batches, no locks.
struct Model {
    stock: [Option<i32>; PRODUCTS],
    orders: Vec<(i64, Status, Lines)>,
}

impl Model {
    fn decide(&mut self, lines: &Lines) -> Status {
        if lines.iter().any(|(product, quantity)| self.stock[*product].is_none_or(|left| left < *quantity)) {
            return Status::Rejected;
        }
        self.shift(lines, -1);
        Status::Confirmed
    }

    fn shift(&mut self, lines: &Lines, sign: i32) {
        for (product, quantity) in lines {
            self.stock[*product] = self.stock[*product].map(|left| left + sign * quantity);
        }
    }
}

impl Model {
    /// Takes over what was answered to things that overlapped, in whatever order they were done: everybody was told
    /// something that can be true, and the stock that follows from it is compared afterwards.
    fn follow(&mut self, comings: &[(usize, i32)], cancelled: Vec<(usize, bool)>, placed: Vec<(Order, Lines)>) {
        for (product, units) in comings {
            self.shift(&vec![(*product, *units)], 1);
        }
        for (place, done) in cancelled {
            let (_, status, lines) = self.orders[place].clone();
            assert_eq!(done, status != Status::Rejected);
            if status == Status::Confirmed {
                self.shift(&lines, 1);
                self.orders[place].1 = Status::Cancelled;
            }
        }
        // At no moment there was more than this.
        let most = self.stock;
        for (order, lines) in placed {
            for (line, (product, quantity)) in order.terms.lines.iter().zip(&lines) {
                let short = line.rejection.map(|rejection| rejection.available);
                assert!(short.is_none_or(|available| available < *quantity), "{order:?}");
                assert!(short.is_none_or(|available| available <= most[*product].unwrap_or(0)), "{order:?}");
            }
            let is_short = order.terms.lines.iter().any(|line| line.rejection.is_some());
            assert_eq!(order.terms.status == Status::Rejected, is_short, "{order:?}");
            if order.terms.status == Status::Confirmed {
                assert!(lines.iter().all(|(product, _)| self.stock[*product].is_some()), "{order:?}");
                self.shift(&lines, -1);
            }
            self.orders.push((order.id, order.terms.status, lines));
        }
    }
}

async fn run(steps: Vec<Step>) {
    let shop = Shop::open().await;
    let mut model = Model { stock: [Some(12), Some(3), Some(0), Some(30), None], orders: Vec::new() };
    let mut products = Vec::new();
    for stock in model.stock {
        products.push(shop.product("1.25", stock).await);
    }
    for step in steps {
        match step {
            Step::Place(baskets) => {
                let requests = baskets.iter().map(|lines| {
                    let lines: Vec<(i64, i32)> = lines.iter().map(|(product, q)| (products[*product], *q)).collect();
                    shop.orders.place(shop.request(&lines))
                });
                // They enter the queue in this order, and are decided in it however they are batched.
                for (placed, lines) in join_all(requests).await.into_iter().zip(baskets) {
                    let order = new(placed.unwrap());
                    assert_eq!(order.terms.status, model.decide(&lines), "{lines:?}");
                    model.orders.push((order.id, order.terms.status, lines));
                }
            }
            Step::Cancel(_) if model.orders.is_empty() => {}
            Step::Cancel(which) => {
                let place = which.index(model.orders.len());
                let (id, status, lines) = model.orders[place].clone();
                let actor = Actor::program("test");
                for cancelled in join_all((0..2).map(|_| shop.orders.cancel(id, &actor))).await {
                    match cancelled {
                        Ok((order, _)) => assert_eq!(order.terms.status, Status::Cancelled),
                        Err(CancelError::NotConfirmed { .. }) => assert_eq!(status, Status::Rejected),
                        Err(error) => panic!("{error:?}"),
                    }
                }
                if status == Status::Confirmed {
                    model.shift(&lines, 1);
                    model.orders[place].1 = Status::Cancelled;
                }
            }
            Step::Together(baskets, cancels, comings) => {
                let places = cancels.iter().filter(|_| !model.orders.is_empty());
                let places: HashSet<usize> = places.map(|which| which.index(model.orders.len())).collect();
                let requests = baskets.iter().map(|lines| {
                    let lines: Vec<(i64, i32)> = lines.iter().map(|(product, q)| (products[*product], *q)).collect();
                    shop.orders.place(shop.request(&lines))
                });
                let actor = Actor::program("test");
                let cancels = places.iter().map(|place| shop.orders.cancel(model.orders[*place].0, &actor));
                let adjusts = comings.iter().map(|(product, units)| shop.adjust(products[*product], *units));
                let (placed, cancelled, _) = tokio::join!(join_all(requests), join_all(cancels), join_all(adjusts));
                let placed = placed.into_iter().map(|placed| new(placed.unwrap())).zip(baskets).collect();
                let done = cancelled.into_iter().map(|cancelled| match cancelled {
                    Ok(_) => true,
                    Err(CancelError::NotConfirmed { .. }) => false,
                    Err(error) => panic!("{error:?}"),
                });
                model.follow(&comings, places.iter().copied().zip(done).collect(), placed);
            }
            Step::Adjust(product, delta) => {
                shop.adjust(products[product], delta).await;
                let stock = &mut model.stock[product];
                *stock = stock.map(|left| if left + delta >= 0 { left + delta } else { left });
            }
        }
        for (product, expected) in products.iter().zip(model.stock) {
            if let Some(expected) = expected {
                assert_eq!(shop.stock(*product).await, expected);
            }
        }
    }
    for (id, status, _) in &model.orders {
        assert_eq!(shop.orders.find(*id).await.unwrap().unwrap().0.terms.status, *status);
    }
    let confirmations = model.orders.iter().filter(|(_, status, _)| *status != Status::Rejected).count();
    assert_eq!(shop.rows().await[2], confirmations as i64);
    assert_eq!(orders::ledger::verify(&shop.database, None).await.unwrap().drifted, []);
}

#[test]
fn load_any_interleaving_ends_where_the_model_does() {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(size(12, 250) as u32) };
    proptest!(config, |(steps in vec(step(), 1..25))| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run(steps));
    });
}
