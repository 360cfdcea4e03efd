//! Many at once, through two processes' worth of lanes. `TEST_SIZE=full` for the sizes that are meant.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use accounts::Actor;
use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt};
use orders::{CancelError, Orders, PlaceError, Placed, Status};
use rand::rngs::SmallRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use testkit::size;

use crate::support::{Shop, new};

/// Cancels orders and adjusts stock until it is told to stop; how many orders were cancelled.
async fn meddle(shop: &Shop, gateway: &Orders, products: &[i64], is_over: &AtomicBool) -> i64 {
    let mut rng = SmallRng::seed_from_u64(17);
    let mut cancelled = 0;
    while !is_over.load(Ordering::Relaxed) {
        let newest = "SELECT id FROM orders WHERE status = 'CONFIRMED' ORDER BY id DESC OFFSET $1 LIMIT 1";
        let offset = rng.random_range(0..20_i64);
        if let Some(row) = shop.sql.query_opt(newest, &[&offset]).await.unwrap() {
            match gateway.cancel(row.get(0), &Actor::program("test")).await {
                Ok(_) => cancelled += 1,
                Err(error) => assert!(matches!(error, CancelError::NotConfirmed { .. }), "{error:?}"),
            }
        }
        shop.adjust(products[rng.random_range(0..products.len())], rng.random_range(-3..=4)).await;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    cancelled
}

/// Proves the ledger again and again until it is told to stop; how often it was proved.
async fn prove(shop: &Shop, is_over: &AtomicBool) -> usize {
    let mut proofs = 0;
    while !is_over.load(Ordering::Relaxed) {
        let proof = orders::ledger::verify(&shop.patient, None).await.unwrap();
        assert_eq!((proof.checked, proof.drifted), (10, vec![]), "while orders go on");
        proofs += 1;
    }
    proofs
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn load_orders_in_any_line_order_with_cancels_and_adjustments_never_deadlock() {
    let count = size(2_000, 20_000);
    let shop = Shop::open().await;
    let mut products = Vec::new();
    for _ in 0..10 {
        products.push(shop.product("2.50", Some(count as i32 / 4)).await);
    }
    let mut rng = SmallRng::seed_from_u64(7);
    let baskets: Vec<Vec<(i64, i32)>> = (0..count)
        .map(|_| {
            let mut shuffled = products.clone();
            shuffled.shuffle(&mut rng);
            shuffled[..5].iter().map(|product| (*product, rng.random_range(1..=2))).collect()
        })
        .collect();
    let other = shop.another_gateway();
    let is_over = AtomicBool::new(false);
    let ordering = async {
        let place = |(number, lines): (usize, &Vec<(i64, i32)>)| {
            let (gateway, request) = (if number % 2 == 0 { &*shop.orders } else { &other }, shop.request(lines));
            async move { gateway.place(request).await }
        };
        let placed: Vec<_> = stream::iter(baskets.iter().enumerate()).map(place).buffer_unordered(64).collect().await;
        is_over.store(true, Ordering::Relaxed);
        placed
    };
    let meddling = meddle(&shop, &other, &products, &is_over);
    let (placed, cancelled, proofs) = tokio::join!(ordering, meddling, prove(&shop, &is_over));

    let orders: Vec<_> = placed.into_iter().map(|placed| new(placed.unwrap())).collect();
    let confirmed = orders.iter().filter(|order| order.terms.status == Status::Confirmed).count();
    assert!((1..count).contains(&confirmed), "some were served and some were not: {confirmed}");
    assert!(cancelled > 0);
    assert!(proofs > 1, "the ledger was proved meanwhile: {proofs}");
    let whole = "SELECT count(*) FROM orders WHERE total_items = (SELECT sum(quantity_requested) FROM order_items \
                 WHERE (order_items.store_id, order_id) = (orders.store_id, orders.id) HAVING count(*) = 5)";
    assert_eq!(shop.number(whole, &[]).await, count as i64);
    shop.assert_ledger().await;
    let proof = orders::ledger::verify(&shop.patient, None).await.unwrap();
    assert_eq!((proof.checked, proof.drifted), (10, vec![]));
    drop(other);
    assert_eq!(shop.deadlocks().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn load_many_more_buyers_than_units() {
    let (buyers, stock) = (size(1_000, 5_000), size(200, 1_000));
    let shop = Shop::open().await;
    let lamp = shop.product("12.50", Some(stock as i32)).await;
    let other = shop.another_gateway();
    let gateways = [&*shop.orders, &other];
    let placed = join_all((0..buyers).map(|buyer| gateways[buyer % 2].place(shop.request(&[(lamp, 1)])))).await;
    let confirmed =
        placed.into_iter().filter(|placed| new(placed.clone().unwrap()).terms.status == Status::Confirmed).count();
    assert_eq!(confirmed, stock);
    assert_eq!(shop.stock(lamp).await, 0);
    shop.assert_ledger().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn load_what_was_sold_out_is_sold_to_its_last_unit() {
    let shop = Shop::open().await;
    let other = shop.another_gateway();
    let gateways = [&*shop.orders, &other];
    for (supply, demand) in [(0, 50), (37, 50), (50, 50), (80, 50), (1, 200), (200, 200)] {
        let lamp = shop.product("12.50", Some(0)).await;
        assert_eq!(shop.place(&[(lamp, 1)]).await.terms.status, Status::Rejected);
        shop.adjust(lamp, supply).await;
        let placed = join_all((0..demand).map(|buyer| gateways[buyer % 2].place(shop.request(&[(lamp, 1)])))).await;
        let is_sold = |placed: &Result<Placed, _>| matches!(placed, Ok(Placed::New(order)) if order.terms.status == Status::Confirmed);
        let sold = placed.iter().filter(|placed| is_sold(placed)).count();
        assert_eq!(sold, demand.min(supply as usize), "{supply} units for {demand}");
        assert_eq!(shop.stock(lamp).await, supply - sold as i32);
    }
    shop.assert_ledger().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn load_many_with_one_key_are_one_order() {
    let keys = size(10, 100);
    let shop = Shop::open().await;
    let pen = shop.product("0.10", Some(1_000)).await;
    let other = shop.another_gateway();
    let gateways = [&*shop.orders, &other];
    for key in 0..keys {
        let request = shop.keyed(&key.to_string(), &[(pen, 2)]);
        let placed = join_all((0..200).map(|n| gateways[n % 2].place(request.clone()))).await;
        let answer = "SELECT answer FROM idempotency_keys WHERE key = $1";
        let stored: String = shop.sql.query_one(answer, &[&key.to_string()]).await.unwrap().get(0);
        let mut fresh = 0;
        for placed in placed {
            match placed {
                Ok(Placed::New(_)) => fresh += 1,
                Ok(Placed::Replayed { body, .. }) => assert_eq!(body, stored),
                Err(error) => assert!(matches!(error, PlaceError::KeyInFlight), "{error:?}"),
            }
        }
        assert_eq!(fresh, 1, "key {key}");
    }
    let keys = keys as i64;
    assert_eq!(shop.rows().await, [keys; 5]);
    shop.assert_ledger().await;
}
