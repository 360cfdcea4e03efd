//! The decision: a pure function of what is asked for, what it costs and what is there.
//!
//! Orders that are decided together are decided one after the other against the same balances, so each sees what those
//! before it left.

use chrono::{DateTime, Utc};
use products::Prices;
use rust_decimal::Decimal;
use stores::stock::Balances;

use crate::basket::{Basket, Wanted};
use crate::order::{Line, Reason, Rejection, Status, Terms};

/// A line that names a product which does not exist. Lines are counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownProduct {
    /// The line.
    pub line: usize,
    /// What it asks for.
    pub product_id: i64,
}

/// Why a basket is not decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// These lines name products without a price: only products that exist have one.
    UnknownProducts(Vec<UnknownProduct>),
    /// It costs this, and not what was expected.
    TotalDiffers(Decimal),
}

/// Decides `basket` at a store: confirmed when every line can be served in full, else rejected with the reason of
/// every line that cannot. A confirmed basket is taken out of `balances`; a rejected one leaves them alone.
///
/// # Errors
/// As [`Refusal`] says; the balances are left alone then, too.
pub(crate) fn decide(
    store_id: i64,
    basket: &Basket,
    expected_total: Option<Decimal>,
    prices: &Prices,
    balances: &mut Balances,
    now: DateTime<Utc>,
) -> Result<Terms, Refusal> {
    let mut lines = Vec::with_capacity(basket.lines().len());
    let mut unknown = Vec::new();
    for (line, &Wanted { product_id, quantity }) in basket.lines().iter().enumerate() {
        let Some(&unit_price) = prices.get(&product_id) else {
            unknown.push(UnknownProduct { line, product_id });
            continue;
        };
        let rejection = refuse(balances.get(&(store_id, product_id)).copied(), quantity);
        lines.push(Line { product_id, quantity, unit_price, rejection });
    }
    if !unknown.is_empty() {
        return Err(Refusal::UnknownProducts(unknown));
    }
    let total_price = lines.iter().map(|line| Decimal::from(line.quantity) * line.unit_price).sum();
    if expected_total.is_some_and(|expected| expected != total_price) {
        return Err(Refusal::TotalDiffers(total_price));
    }
    let confirmed = lines.iter().all(|line| line.rejection.is_none());
    if confirmed {
        for line in &lines {
            balances.entry((store_id, line.product_id)).and_modify(|left| *left -= line.quantity);
        }
    }
    Ok(Terms {
        store_id,
        status: if confirmed { Status::Confirmed } else { Status::Rejected },
        created_at: now,
        total_items: lines.iter().map(|line| i64::from(line.quantity)).sum(),
        total_price,
        lines,
    })
}

fn refuse(available: Option<i32>, quantity: i32) -> Option<Rejection> {
    match available {
        None => Some(Rejection { reason: Reason::NotStocked, available: 0 }),
        Some(available) if available < quantity => Some(Rejection { reason: Reason::InsufficientStock, available }),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use rand::rngs::SmallRng;
    use rand::seq::SliceRandom;
    use rand::{RngExt, SeedableRng};

    use super::*;

    fn basket(pairs: &[(i64, i32)]) -> Basket {
        Basket::new(pairs.iter().map(|&(product_id, quantity)| Wanted { product_id, quantity }).collect()).unwrap()
    }

    fn prices(pairs: &[(i64, &str)]) -> Prices {
        pairs.iter().map(|&(product, price)| (product, price.parse().unwrap())).collect()
    }

    #[test]
    fn an_order_that_can_be_served_is_taken_out_of_the_balances() {
        let mut balances = HashMap::from([((1, 10), 5), ((1, 11), 2), ((2, 10), 9)]);
        let terms = decide(
            1,
            &basket(&[(11, 2), (10, 3)]),
            None,
            &prices(&[(10, "0.10"), (11, "19.99")]),
            &mut balances,
            DateTime::UNIX_EPOCH,
        )
        .unwrap();
        assert_eq!(terms.status, Status::Confirmed);
        assert_eq!((terms.total_items, terms.total_price), (5, "40.28".parse().unwrap()));
        assert_eq!(terms.taken(), [(1, 11, 2), (1, 10, 3)]);
        assert_eq!(balances, HashMap::from([((1, 10), 2), ((1, 11), 0), ((2, 10), 9)]));
    }

    #[test]
    fn a_rejected_order_names_every_reason_and_moves_nothing() {
        let before = HashMap::from([((1, 10), 5), ((1, 11), 2), ((2, 12), 9)]);
        let mut balances = before.clone();
        let prices = prices(&[(10, "1.00"), (11, "1.00"), (12, "1.00")]);
        let terms =
            decide(1, &basket(&[(10, 6), (11, 2), (12, 1)]), None, &prices, &mut balances, DateTime::UNIX_EPOCH)
                .unwrap();
        assert_eq!(terms.status, Status::Rejected);
        assert_eq!((terms.total_items, terms.total_price), (9, "9.00".parse().unwrap()));
        let reasons: Vec<_> = terms.lines.iter().map(|line| line.rejection).collect();
        assert_eq!(
            reasons,
            [
                Some(Rejection { reason: Reason::InsufficientStock, available: 5 }),
                None,
                Some(Rejection { reason: Reason::NotStocked, available: 0 }),
            ]
        );
        assert_eq!(terms.taken(), []);
        assert_eq!(balances, before);
    }

    #[test]
    fn every_unknown_product_is_named_and_nothing_is_decided() {
        let mut balances = HashMap::from([((1, 10), 5)]);
        let unknown = decide(
            1,
            &basket(&[(7, 1), (10, 1), (8, 1)]),
            None,
            &prices(&[(10, "1.00")]),
            &mut balances,
            DateTime::UNIX_EPOCH,
        );
        assert_eq!(
            unknown,
            Err(Refusal::UnknownProducts(vec![
                UnknownProduct { line: 0, product_id: 7 },
                UnknownProduct { line: 2, product_id: 8 }
            ]))
        );
        assert_eq!(balances[&(1, 10)], 5);
    }

    #[test]
    fn a_total_that_was_expected_must_be_right_to_the_cent() {
        let prices = prices(&[(10, "0.10"), (11, "19.99")]);
        let mut balances = HashMap::from([((1, 10), 5), ((1, 11), 2)]);
        let before = balances.clone();
        let wanted = basket(&[(11, 1), (10, 3)]);
        let mut decide_expecting = |total: &str| {
            let expected = Some(total.parse().unwrap());
            decide(1, &wanted, expected, &prices, &mut balances, DateTime::UNIX_EPOCH)
        };
        for wrong in ["20.28", "20.30", "20.291", "0", "-20.29"] {
            assert_eq!(decide_expecting(wrong), Err(Refusal::TotalDiffers("20.29".parse().unwrap())), "{wrong}");
        }
        assert_eq!(decide_expecting("20.290").unwrap().status, Status::Confirmed);
        assert_eq!(balances[&(1, 10)], before[&(1, 10)] - 3, "only the right one took anything");
    }

    #[test]
    fn the_largest_order_of_all_has_exact_totals() {
        let wanted: Vec<(i64, i32)> = (1..=500).map(|product| (product, 1_000_000)).collect();
        let dearest = (1..=500).map(|product| (product, "9999999999.99".parse().unwrap())).collect();
        let terms = decide(1, &basket(&wanted), None, &dearest, &mut HashMap::new(), DateTime::UNIX_EPOCH).unwrap();
        assert_eq!(terms.total_items, 500_000_000);
        assert_eq!(terms.total_price.to_string(), "4999999999995000000.00");
    }

    /// A thousand runs of up to 30 random orders one after the other, against a model that knows nothing of maps and
    /// decimals: stock as a plain list, money in cents, every order tried by taking its lines one by one.
    #[test]
    fn agrees_with_brute_force() {
        for seed in 0..1_000 {
            let mut rng = SmallRng::seed_from_u64(seed);
            let cents: Vec<i64> = (0..6).map(|_| rng.random_range(0..100_000)).collect();
            let prices: Prices = (0..6).map(|product| (product, Decimal::new(cents[product as usize], 2))).collect();
            let mut model: [Option<i32>; 6] =
                std::array::from_fn(|_| rng.random_bool(0.8).then(|| rng.random_range(0..20)));
            let mut balances: Balances = (0..6).filter_map(|p| Some(((3, p as i64), model[p]?))).collect();
            for _ in 0..rng.random_range(1..30) {
                let mut products: Vec<i64> = (0..6).collect();
                products.shuffle(&mut rng);
                products.truncate(rng.random_range(1..=6));
                let wanted: Vec<(i64, i32)> = products.iter().map(|&p| (p, rng.random_range(1..8))).collect();

                let mut tried = model;
                let mut served = true;
                for &(product, quantity) in &wanted {
                    for _ in 0..quantity {
                        match &mut tried[product as usize] {
                            Some(left) if *left > 0 => *left -= 1,
                            _ => served = false,
                        }
                    }
                }
                if served {
                    model = tried;
                }

                let terms = decide(3, &basket(&wanted), None, &prices, &mut balances, DateTime::UNIX_EPOCH).unwrap();
                assert_eq!(terms.status == Status::Confirmed, served, "seed {seed}");
                let total: i64 = wanted.iter().map(|&(p, quantity)| cents[p as usize] * i64::from(quantity)).sum();
                assert_eq!(terms.total_price, Decimal::new(total, 2), "seed {seed}");
                for (line, &(product, quantity)) in terms.lines.iter().zip(&wanted) {
                    assert_eq!((line.product_id, line.quantity), (product, quantity), "seed {seed}");
                    if !served {
                        let there = model[product as usize];
                        let available = line.rejection.map(|rejection| rejection.available);
                        let expected = (there.unwrap_or(0) < quantity).then_some(there.unwrap_or(0));
                        assert_eq!(available, expected, "seed {seed}");
                    }
                }
                for (product, left) in model.iter().enumerate() {
                    assert_eq!(balances.get(&(3, product as i64)), left.as_ref(), "seed {seed}");
                }
            }
        }
    }
}
