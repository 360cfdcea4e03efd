//! The orders that clients place.

use std::fmt::Write;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use super::Basket;
use super::seed::{PRODUCTS, STORES};
use crate::http::{self, Reply};
use crate::load::{self, Source};
use crate::tally::Verdict;

/// What one connection sends. `stream` must never come twice in a run, as it makes the keys.
pub(crate) fn source(basket: Basket, with_keys: bool, stream: u64) -> Source<'static> {
    let mut rng = SmallRng::seed_from_u64(stream);
    let mut body = String::with_capacity(256);
    Box::new(move |request| {
        body.clear();
        write_body(&mut body, basket, &mut rng);
        let key = with_keys.then(|| rng.random::<u128>());
        http::post(request, "/orders/", key, &body);
    })
}

fn write_body(body: &mut String, basket: Basket, rng: &mut SmallRng) {
    let mut quantity = || rng.random_range(1..=3);
    match basket {
        Basket::Hot => {
            _ = write!(body, r#"{{"store_id":1,"items":[{{"product_id":1,"quantity_requested":{}}}]}}"#, quantity());
        }
        Basket::Three => {
            // One of each third, in any order: never the same product twice.
            let quantities = [quantity(), quantity(), quantity()];
            let third = PRODUCTS / 3;
            _ = write!(body, r#"{{"store_id":{},"items":["#, rng.random_range(1..=STORES));
            let turn = rng.random_range(0..3);
            for (place, quantity) in (0..).zip(quantities) {
                let product = (place + turn) % 3 * third + rng.random_range(1..=third);
                let comma = if place == 0 { "" } else { "," };
                _ = write!(body, r#"{comma}{{"product_id":{product},"quantity_requested":{quantity}}}"#);
            }
            body.push_str("]}");
        }
    }
}

/// Only a new, confirmed order counts.
pub(crate) fn judge(reply: &Reply) -> Verdict {
    const CONFIRMED: &[u8] = br#""status":"CONFIRMED""#;
    let is_confirmed = reply.body.windows(CONFIRMED.len()).any(|part| part == CONFIRMED);
    if reply.status == 201 && is_confirmed { Verdict::Good } else { load::bad(reply) }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn baskets_name_no_product_twice() {
        let mut rng = SmallRng::seed_from_u64(1);
        for _ in 0..1_000 {
            let mut body = String::new();
            write_body(&mut body, Basket::Three, &mut rng);
            let products: HashSet<i64> = body
                .split("\"product_id\":")
                .skip(1)
                .filter_map(|rest| rest.split(',').next()?.parse().ok())
                .filter(|product| (1..=PRODUCTS).contains(product))
                .collect();
            assert_eq!(products.len(), 3, "{body}");
        }
    }
}
