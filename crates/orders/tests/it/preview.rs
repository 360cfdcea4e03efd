use orders::{PlaceError, Request};
use rand::rngs::SmallRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use testkit::size;

use crate::support::Shop;

#[tokio::test]
async fn load_a_dry_run_agrees_with_the_order_that_follows() {
    let shop = Shop::open().await;
    let mut products = Vec::new();
    for number in 0..8 {
        let stock = (number > 0).then_some(size(100, 3_000) as i32 * number);
        products.push(shop.product(&format!("{number}.99"), stock).await);
    }
    let mut rng = SmallRng::seed_from_u64(3);
    for basket in 0..size(300, 10_000) {
        products.shuffle(&mut rng);
        let count = rng.random_range(1..=4);
        let lines: Vec<(i64, i32)> = products[..count].iter().map(|p| (*p, rng.random_range(1..40))).collect();
        let before = if basket % 50 == 0 { Some(shop.rows().await) } else { None };
        let expected = shop.orders.preview(&shop.request(&lines)).await.unwrap();
        if let Some(before) = before {
            assert_eq!(shop.rows().await, before, "a dry run writes nothing");
        }
        assert_eq!(shop.place(&lines).await.terms, expected);
    }
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
