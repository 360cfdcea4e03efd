//! Connections that break around the COMMIT.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use db::{Database, Role};
use futures_util::future::join_all;
use orders::{CustomerEmail, Orders, PlaceError, Placed, Request, Status};
use testkit::{Moment, Proxy, address_of, size};

use crate::support::{Shop, new, relaxed};

/// How PostgreSQL answers a COMMIT.
const COMMITTED: &[u8] = b"COMMIT\0";

/// The kind of the event of a confirmed order: it goes to PostgreSQL shortly before the COMMIT.
const LAST: &[u8] = b"order.confirmed";

struct Cuttable {
    shop: Shop,
    proxy: Proxy,
    orders: Orders,
    pen: i64,
}

/// A shop with a million pens, whose orders reach the database through a proxy.
async fn cuttable() -> Cuttable {
    let shop = Shop::open().await;
    let pen = shop.product("0.10", Some(1_000_000)).await;
    let proxy = Proxy::to(address_of(shop.database.url())).await;
    let config = db::Config::new(shop.database.url_through(&proxy), Role::Gateway);
    let patient = Duration::from_secs(30);
    let config = db::Config { wait: patient, connect: patient, ..config };
    let orders = Orders::new(Database::new(&config).unwrap(), shop.clock.clone(), &relaxed()).unwrap();
    Cuttable { shop, proxy, orders, pen }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn load_a_commit_without_an_answer_is_neither_lost_nor_done_twice() {
    let Cuttable { shop, proxy, orders, pen } = cuttable().await;
    let rounds = size(40, 500);
    let mut ids = HashSet::new();
    for round in 0..rounds {
        let request = |n: usize| match n % 2 {
            0 => shop.request(&[(pen, 1)]),
            _ => shop.keyed(&format!("{round}/{n}"), &[(pen, 1)]),
        };
        let first = new(orders.place(request(5)).await.unwrap()).id;
        match round % 4 {
            3 => proxy.cut_once(Moment::Before, LAST),
            2 => proxy.cut_once(Moment::After, LAST),
            _ => proxy.cut_once(Moment::Unheard, COMMITTED),
        }
        let mut placed = vec![first];
        for order in join_all((0..4).map(|n| orders.place(request(n)))).await {
            let order = new(order.unwrap());
            assert_eq!(order.terms.status, Status::Confirmed);
            placed.push(order.id);
        }
        assert!(!proxy.is_armed(), "round {round} was not cut");
        // Numbers are lost with a transaction. What it had sent before it was cut may have been committed or not.
        let was_committed = placed.contains(&(first + 1));
        assert!(was_committed == (round % 4 < 2) || round % 4 == 2, "round {round}: {placed:?}");
        assert!(placed.into_iter().all(|id| ids.insert(id)), "an order was answered twice in round {round}");
    }
    let count = 5 * rounds as i64;
    assert_eq!(shop.rows().await, [count, count, count, count, 3 * rounds as i64]);
    let stored = shop.sql.query("SELECT id FROM orders", &[]).await.unwrap();
    assert_eq!(stored.iter().map(|row| row.get(0)).collect::<HashSet<i64>>(), ids);
    assert_eq!(i64::from(shop.stock(pen).await), 1_000_000 - count);
    shop.assert_ledger().await;
}

/// The connection breaks while the server waits on it: until it notices, it holds the key of a client that has heard
/// nothing yet.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_a_lost_attempt_still_holds_is_waited_for() {
    const ADDRESS: &str = "lingers@example.test";
    let Cuttable { shop, proxy, orders, pen } = cuttable().await;
    let mut other = shop.database.sql().await;
    for round in 0..3 {
        // The lines of an order refer to their products, so it waits when its key is claimed and its stock locked.
        let holding = other.transaction().await.unwrap();
        holding.execute("SELECT FROM products FOR UPDATE", &[]).await.unwrap();
        proxy.cut_once(Moment::After, ADDRESS.as_bytes());
        let address = Some(CustomerEmail::parse(ADDRESS).unwrap());
        let request = Request { customer_email: address, ..shop.keyed(&round.to_string(), &[(pen, 1)]) };
        let placing = tokio::spawn({
            let orders = orders.clone();
            async move { orders.place(request).await }
        });
        while proxy.is_armed() {
            tokio::task::yield_now().await;
        }
        tokio::time::sleep(Duration::from_millis(150)).await;
        holding.rollback().await.unwrap();
        new(placing.await.unwrap().unwrap());
    }
    assert_eq!(shop.rows().await, [3; 5]);
    shop.assert_ledger().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn if_the_database_stays_away_nobody_pretends_to_know() {
    let Cuttable { shop, proxy, orders, pen } = cuttable().await;
    proxy.cut_for_good(Moment::Unheard, COMMITTED);
    let request = shop.keyed("one", &[(pen, 1)]);
    let refused = orders.place(request.clone()).await;
    assert!(matches!(refused, Err(PlaceError::Unknown)), "{refused:?}");
    proxy.heal();
    // Asking again tells: the COMMIT had arrived.
    let again = orders.place(request).await.unwrap();
    assert!(matches!(again, Placed::Replayed { .. }), "{again:?}");
    assert_eq!(shop.rows().await, [1; 5]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_hangs_is_given_up_and_taken_up_again() {
    let Cuttable { shop, proxy, pen, .. } = cuttable().await;
    let config = db::Config::new(shop.database.url_through(&proxy), Role::Gateway);
    let orders = Orders::new(Database::new(&config).unwrap(), shop.clock.clone(), &relaxed()).unwrap();
    new(orders.place(shop.request(&[(pen, 1)])).await.unwrap());
    proxy.freeze();
    let asked = Instant::now();
    let refused = orders.place(shop.request(&[(pen, 1)])).await;
    let Err(PlaceError::Database(error)) = &refused else { panic!("{refused:?}") };
    assert!(matches!(**error, db::Error::Away(_)), "{refused:?}");
    // Once is enough: a server that hangs is not waited for again.
    assert!(asked.elapsed() < Duration::from_secs(6), "{:?}", asked.elapsed());
    proxy.heal();
    new(orders.place(shop.request(&[(pen, 1)])).await.unwrap());
    // What was given up may at most have waited to be rolled back.
    assert_eq!(shop.rows().await, [2, 2, 2, 2, 0]);
}
