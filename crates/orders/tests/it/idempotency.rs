use std::time::Duration;

use chrono::TimeDelta;
use futures_util::future::join_all;
use orders::{Key, PlaceError, Placed, Request, Status};
use testkit::eventually;

use crate::support::{Shop, new};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_at_once_with_one_key_are_one_order() {
    let shop = Shop::open().await;
    let pen = shop.product("0.10", Some(100)).await;
    let placed = join_all((0..20).map(|_| shop.orders.place(shop.keyed("one", &[(pen, 2)])))).await;
    let mut fresh = Vec::new();
    let mut replayed = Vec::new();
    for placed in placed {
        match placed {
            Ok(Placed::New(order)) => fresh.push(order),
            Ok(Placed::Replayed { order_id, .. }) => replayed.push(order_id),
            Err(error) => assert!(matches!(error, PlaceError::KeyInFlight), "{error:?}"),
        }
    }
    assert_eq!(fresh.len(), 1);
    assert!(replayed.iter().all(|id| *id == fresh[0].id));
    assert_eq!(shop.rows().await, [1, 1, 1, 1, 1]);
    assert_eq!(shop.stock(pen).await, 98);
}

#[tokio::test]
async fn the_answer_is_replayed_byte_for_byte_whatever_became_of_the_order() {
    let shop = Shop::open().await;
    let pen = shop.product("0.10", Some(5)).await;
    let first = new(shop.orders.place(shop.keyed("one", &[(pen, 2)])).await.unwrap());
    shop.sql.batch_execute("UPDATE orders SET status = 'CANCELLED'; UPDATE products SET price = 7").await.unwrap();
    let stored: String = shop.sql.query_one("SELECT answer FROM idempotency_keys", &[]).await.unwrap().get(0);
    assert!(stored.contains(r#""status":"CONFIRMED""#) && stored.contains(r#""unit_price":"0.10""#), "{stored}");
    for _ in 0..2 {
        let again = shop.orders.place(shop.keyed("one", &[(pen, 2)])).await.unwrap();
        assert_eq!(again, Placed::Replayed { order_id: first.id, body: stored.clone() });
    }
    assert_eq!(shop.stock(pen).await, 3);
}

#[tokio::test]
async fn a_rejection_is_an_answer_too() {
    let shop = Shop::open().await;
    let pen = shop.product("0.10", Some(1)).await;
    let first = new(shop.orders.place(shop.keyed("one", &[(pen, 2)])).await.unwrap());
    assert_eq!(first.terms.status, Status::Rejected);
    shop.database.build().await.stock(shop.store, pen, 10).await;
    let again = shop.orders.place(shop.keyed("one", &[(pen, 2)])).await.unwrap();
    assert!(matches!(again, Placed::Replayed { order_id, .. } if order_id == first.id), "{again:?}");
    assert_eq!(shop.stock(pen).await, 10);
}

#[tokio::test]
async fn a_key_is_not_for_another_body() {
    let shop = Shop::open().await;
    let pen = shop.product("0.10", Some(5)).await;
    shop.orders.place(shop.keyed("one", &[(pen, 2)])).await.unwrap();
    let refused = shop.orders.place(shop.keyed("one", &[(pen, 3)])).await;
    assert!(matches!(refused, Err(PlaceError::KeyReused)), "{refused:?}");
    // Not even for one that could never have been placed.
    let refused = shop.orders.place(shop.keyed("one", &[(-1, 3)])).await;
    assert!(matches!(refused, Err(PlaceError::KeyReused)), "{refused:?}");
    assert_eq!(shop.rows().await, [1, 1, 1, 1, 1]);
}

#[tokio::test]
async fn a_refused_request_leaves_its_key_unused() {
    let shop = Shop::open().await;
    let pen = shop.product("0.10", Some(5)).await;
    shop.orders.place(shop.keyed("one", &[(-1, 2)])).await.unwrap_err();
    assert_eq!(shop.rows().await, [0; 5]);
    new(shop.orders.place(shop.keyed("one", &[(pen, 2)])).await.unwrap());
}

#[tokio::test]
async fn a_key_belongs_to_its_store_and_its_client() {
    let shop = Shop::open().await;
    let pen = shop.product("0.10", Some(5)).await;
    let other = shop.database.build().await.store("Another").await;
    new(shop.orders.place(shop.keyed("one", &[(pen, 1)])).await.unwrap());
    let request = shop.keyed("one", &[(pen, 1)]);
    new(shop.orders.place(Request { store_id: other, ..request.clone() }).await.unwrap());
    let key = Some(Key { client: "till 7".into(), key: "one".into() });
    new(shop.orders.place(Request { key, ..request }).await.unwrap());
    assert_eq!(shop.rows().await[4], 3);
}

#[tokio::test]
async fn a_key_is_forgotten_after_72_hours() {
    let shop = Shop::open().await;
    let pen = shop.product("0.10", Some(5)).await;
    let place = || async { shop.orders.place(shop.keyed("one", &[(pen, 1)])).await.unwrap() };
    let first = new(place().await);
    shop.clock.advance(TimeDelta::hours(72) - TimeDelta::microseconds(1));
    assert!(matches!(place().await, Placed::Replayed { order_id, .. } if order_id == first.id));
    shop.clock.advance(TimeDelta::microseconds(1));
    let second = new(place().await);
    assert_ne!(second.id, first.id);
    assert!(matches!(place().await, Placed::Replayed { order_id, .. } if order_id == second.id));
    assert_eq!(shop.rows().await, [2, 2, 2, 2, 1]);
}

/// A key that looks new and is answered before this request is through: the answer that committed first is the answer.
#[tokio::test]
async fn an_answer_that_commits_meanwhile_is_the_one_that_counts() {
    let shop = Shop::open().await;
    let pen = shop.product("0.10", Some(5)).await;
    let mut other = shop.database.sql().await;
    let answering = other.transaction().await.unwrap();
    let request = shop.keyed("one", &[(pen, 1)]);
    answering
        .execute(
            "INSERT INTO idempotency_keys (store_id, key, request_hash, order_id, answer, created_at) \
             VALUES ($1, 'one', $2, 17, 'the first', $3::text::timestamptz)",
            &[&shop.store, &request.basket.digest(None, None).as_slice(), &shop.clock.now().to_rfc3339()],
        )
        .await
        .unwrap();
    let orders = shop.orders.clone();
    let placing = tokio::spawn(async move { orders.place(request).await });
    shop.until_waiting(1).await;
    answering.commit().await.unwrap();
    let placed = placing.await.unwrap().unwrap();
    assert_eq!(placed, Placed::Replayed { order_id: 17, body: "the first".into() });
    assert_eq!(shop.rows().await, [0, 0, 0, 0, 1]);
    assert_eq!(shop.stock(pen).await, 5);
}

/// A batch whose end finds one of its keys answered is undone before it is tried again: it must not meet itself.
#[tokio::test]
async fn the_neighbours_of_a_key_that_was_overtaken_are_placed() {
    let shop = Shop::open().await;
    let pen = shop.product("0.10", Some(500)).await;
    let connections = "SELECT array_agg(pid ORDER BY pid) FROM pg_stat_activity \
                       WHERE application_name = 'stockroom-gateway' AND datname = current_database()";
    let connections = async || shop.sql.query_one(connections, &[]).await.unwrap().get::<_, Vec<i32>>(0);
    shop.place(&[(pen, 1)]).await;
    // That of the lane, and the one that wakes the workers.
    let both = async || Some(connections().await).filter(|connections| connections.len() == 2);
    let before = eventually("both are open", Duration::from_secs(10), both).await;
    let mut other = shop.database.sql().await;
    for round in 0..5 {
        // They are one batch, which waits for its stock until the answer is being written.
        let held = other.transaction().await.unwrap();
        held.execute("UPDATE inventory SET quantity = quantity", &[]).await.unwrap();
        let late = shop.keyed(&format!("{round}: overtaken"), &[(pen, 1)]);
        let first = shop.orders.place(shop.request(&[(pen, 1)]));
        let overtaken = shop.orders.place(late.clone());
        let names: Vec<String> = (0..8).map(|n| format!("{round}: {n}")).collect();
        let neighbours = join_all(names.iter().map(|name| shop.orders.place(shop.keyed(name, &[(pen, 1)]))));
        let answer = async {
            shop.until_waiting(1).await;
            let answering = shop.database.sql().await;
            answering.batch_execute("BEGIN").await.unwrap();
            answering
                .execute(
                    "INSERT INTO idempotency_keys (store_id, key, request_hash, order_id, answer, created_at) \
                     VALUES ($1, $4, $2, 17, 'the first', $3::text::timestamptz)",
                    &[
                        &shop.store,
                        &late.basket.digest(None, None).as_slice(),
                        &shop.clock.now().to_rfc3339(),
                        &late.key.as_ref().unwrap().key,
                    ],
                )
                .await
                .unwrap();
            held.commit().await.unwrap();
            let keeping = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
                           AND query LIKE 'INSERT INTO idempotency_keys%' AND datname = current_database()";
            while shop.number(keeping, &[]).await == 0 {
                tokio::task::yield_now().await;
            }
            answering.batch_execute("COMMIT").await.unwrap();
        };
        let (first, overtaken, neighbours, ()) = tokio::join!(first, overtaken, neighbours, answer);
        new(first.unwrap());
        assert_eq!(overtaken.unwrap(), Placed::Replayed { order_id: 17, body: "the first".into() });
        neighbours.into_iter().for_each(|placed| _ = new(placed.unwrap()));
    }
    assert_eq!(shop.rows().await, [46, 46, 46, 46, 45]);
    assert_eq!(connections().await, before, "what failed was rolled back, not thrown away with its connection");
}

/// The first request holds its key while it waits for a row; the second hears of it at once instead of waiting too.
#[tokio::test]
async fn a_repeat_of_a_request_under_way_does_not_wait() {
    let shop = Shop::open().await;
    let pen = shop.product("0.10", Some(5)).await;
    let mut other = shop.database.sql().await;
    let holding = other.transaction().await.unwrap();
    holding.execute("UPDATE inventory SET quantity = quantity", &[]).await.unwrap();
    let (orders, request) = (shop.orders.clone(), shop.keyed("one", &[(pen, 1)]));
    let first = tokio::spawn(async move { orders.place(request).await });
    shop.until_waiting(1).await;
    let second = shop.orders.place(shop.keyed("one", &[(pen, 1)])).await;
    assert!(matches!(second, Err(PlaceError::KeyInFlight)), "{second:?}");
    assert!(!first.is_finished());
    holding.rollback().await.unwrap();
    new(first.await.unwrap().unwrap());
}

#[tokio::test]
async fn old_keys_are_forgotten_some_at_a_time_and_young_ones_kept() {
    let shop = Shop::open().await;
    let pen = shop.product("0.10", Some(50)).await;
    for key in ["a", "b", "c"] {
        new(shop.orders.place(shop.keyed(key, &[(pen, 1)])).await.unwrap());
    }
    shop.clock.advance(TimeDelta::hours(71));
    new(shop.orders.place(shop.keyed("d", &[(pen, 1)])).await.unwrap());
    let forget = || orders::forget_old_keys(&shop.database, &shop.clock, 2);
    assert_eq!(forget().await.unwrap(), 0);
    shop.clock.advance(TimeDelta::hours(1));
    assert_eq!((forget().await.unwrap(), forget().await.unwrap(), forget().await.unwrap()), (2, 1, 0));
    assert_eq!(shop.rows().await, [4, 4, 4, 4, 1]);
    assert!(matches!(shop.orders.place(shop.keyed("d", &[(pen, 1)])).await.unwrap(), Placed::Replayed { .. }));
}

#[tokio::test]
async fn an_expected_total_is_part_of_what_a_key_stands_for() {
    let shop = Shop::open().await;
    let pen = shop.product("0.10", Some(5)).await;
    let expecting =
        |total: &str| Request { expected_total: Some(total.parse().unwrap()), ..shop.keyed("one", &[(pen, 2)]) };
    let refused = shop.orders.place(expecting("0.30")).await;
    assert!(matches!(refused, Err(PlaceError::TotalDiffers(total)) if total.to_string() == "0.20"), "{refused:?}");
    assert_eq!(shop.rows().await, [0; 5]);
    new(shop.orders.place(expecting("0.20")).await.unwrap());
    assert!(matches!(shop.orders.place(expecting("0.2")).await.unwrap(), Placed::Replayed { .. }));
    for other in [expecting("0.30"), shop.keyed("one", &[(pen, 2)])] {
        assert!(matches!(shop.orders.place(other).await, Err(PlaceError::KeyReused)));
    }
}
