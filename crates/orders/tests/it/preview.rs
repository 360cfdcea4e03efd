use std::collections::HashMap;

use orders::{PlaceError, Request};
use rand::rngs::SmallRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rust_decimal::Decimal;
use testkit::size;

use crate::support::{Shop, new};

#[tokio::test]
async fn load_a_dry_run_agrees_with_the_order_that_follows() {
    let shop = Shop::open().await;
    let mut products = Vec::new();
    let mut prices = HashMap::new();
    for number in 0..8 {
        let stock = (number > 0).then_some(size(100, 3_000) as i32 * number);
        products.push(shop.product(&format!("{number}.99"), stock).await);
        prices.insert(products[number as usize], Decimal::new(i64::from(number) * 100 + 99, 2));
    }
    let mut rng = SmallRng::seed_from_u64(3);
    let mut met = [0; 2];
    for basket in 0..size(300, 10_000) {
        products.shuffle(&mut rng);
        let count = rng.random_range(1..=4);
        let mut lines: Vec<(i64, i32)> = products[..count].iter().map(|p| (*p, rng.random_range(1..40))).collect();
        // Some name products that there are none, some say what they expect to pay, and some of those are wrong.
        if rng.random_bool(0.1) {
            lines.insert(rng.random_range(0..=count), (-1, 1));
        }
        let expected_total = rng.random_bool(0.3).then(|| {
            let costs = lines
                .iter()
                .map(|(product, quantity)| prices.get(product).map(|price| price * Decimal::from(*quantity)));
            let total: Decimal = costs.flatten().sum();
            if rng.random_bool(0.5) { total } else { total + Decimal::new(1, 2) }
        });
        let before = if basket % 50 == 0 { Some(shop.rows().await) } else { None };
        let request = Request { expected_total, ..shop.request(&lines) };
        let expected = shop.orders.preview(&request).await;
        if let Some(before) = before {
            assert_eq!(shop.rows().await, before, "a dry run writes nothing");
        }
        match (expected, shop.orders.place(request).await) {
            (Ok(expected), Ok(placed)) => assert_eq!(new(placed).terms, expected),
            (Err(PlaceError::UnknownProducts(expected)), Err(PlaceError::UnknownProducts(refused))) => {
                assert_eq!(refused, expected);
                met[0] += 1;
            }
            (Err(PlaceError::TotalDiffers(expected)), Err(PlaceError::TotalDiffers(refused))) => {
                assert_eq!(refused, expected);
                met[1] += 1;
            }
            (expected, placed) => panic!("{expected:?}, {placed:?}"),
        }
    }
    assert!(met.iter().all(|refused| *refused > 0), "both refusals were met: {met:?}");
    let outcomes = shop.number("SELECT count(DISTINCT status) FROM orders", &[]).await;
    assert_eq!(outcomes, 2, "both decisions were met");
}

#[tokio::test]
async fn a_dry_run_takes_no_lock_and_no_number() {
    let shop = Shop::open().await;
    let pen = shop.product("0.10", Some(5)).await;
    let mut other = shop.database.sql().await;
    let holding = other.transaction().await.unwrap();
    holding.execute("UPDATE inventory SET quantity = quantity", &[]).await.unwrap();
    shop.orders.preview(&shop.request(&[(pen, 1)])).await.unwrap();
    holding.rollback().await.unwrap();
    assert_eq!(shop.place(&[(pen, 1)]).await.id, 1);
}

#[tokio::test]
async fn a_dry_run_refuses_what_an_order_would_be_refused_for() {
    let shop = Shop::open().await;
    let pen = shop.product("0.10", Some(5)).await;
    let elsewhere = Request { store_id: shop.store + 1, ..shop.request(&[(pen, 1)]) };
    let refused = shop.orders.preview(&elsewhere).await;
    assert!(matches!(refused, Err(PlaceError::UnknownStore(_))), "{refused:?}");
    let refused = shop.orders.preview(&shop.request(&[(pen, 1), (-1, 1)])).await;
    assert!(matches!(refused, Err(PlaceError::UnknownProducts(_))), "{refused:?}");
}
