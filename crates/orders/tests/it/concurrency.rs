use std::time::{Duration, Instant};

use accounts::Actor;
use futures_util::future::join_all;
use orders::{Config, Orders, PlaceError, Request, Status};
use products::ProductChange;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use stores::StoreChange;

use crate::support::{Shop, new, relaxed};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_want_one_of_twenty() {
    let shop = Shop::open().await;
    let lamp = shop.product("12.50", Some(20)).await;
    let placed = join_all((0..50).map(|_| shop.orders.place(shop.request(&[(lamp, 1)])))).await;
    let (confirmed, rejected): (Vec<_>, Vec<_>) = placed
        .into_iter()
        .map(|placed| new(placed.unwrap()))
        .partition(|order| order.terms.status == Status::Confirmed);
    assert_eq!((confirmed.len(), rejected.len()), (20, 30));
    assert!(rejected.iter().all(|order| order.terms.lines[0].rejection.unwrap().available == 0));
    assert_eq!(shop.stock(lamp).await, 0);
    assert_eq!(shop.rows().await, [50, 50, 20, 20, 0]);
    shop.assert_ledger().await;
}

#[tokio::test]
async fn orders_go_on_while_the_catalogue_and_the_store_are_changed() {
    let shop = Shop::open().await;
    let lamp = shop.product("12.50", Some(20)).await;
    let actor = Actor::program("test");
    let (changing, ()) = shop.patient.begin(|_| Box::pin(async { Ok::<_, db::Error>(()) })).await.unwrap();
    let dearer = ProductChange { title: Some("A better thing".into()), ..ProductChange::default() };
    products::change(&changing, &actor, lamp, dearer, |_| true, shop.clock.now()).await.unwrap();
    products::rename_category(&changing, &actor, 1, "Better things", |_| true).await.unwrap();
    let moved = StoreChange { location: Some("Elsewhere".into()), ..StoreChange::default() };
    stores::change(&changing, &actor, shop.store, moved, |_| true).await.unwrap();
    // Nothing of it is committed yet.
    let placed = tokio::time::timeout(Duration::from_secs(10), shop.place(&[(lamp, 1)])).await;
    assert_eq!(placed.expect("an order waits for no change").terms.status, Status::Confirmed);
    let filed = "INSERT INTO products (title, category_id, price) VALUES ('Another', 1, 1)";
    let filed = tokio::time::timeout(Duration::from_secs(10), shop.sql.execute(filed, &[])).await;
    assert_eq!(filed.expect("nor does whoever files a product").unwrap(), 1);
    changing.commit().await.unwrap();
    shop.assert_ledger().await;
}

#[tokio::test]
async fn a_rush_on_one_product_waits_in_line_and_leaves_room_to_read() {
    let shop = Shop::open().await;
    let lamp = shop.product("12.50", Some(10)).await;
    let known = shop.place(&[(lamp, 1)]).await;
    // One connection, for which nobody waits longer than a moment; rows may be waited for.
    let patient = Duration::from_secs(30);
    let gateway = db::Config::new(shop.database.url(), db::Role::Gateway);
    let config = db::Config { pool_size: 1, lock: patient, statement: patient, connect: patient, ..gateway };
    let orders = Orders::new(db::Database::new(&config).unwrap(), shop.clock.clone(), &relaxed()).unwrap();

    let mut other = shop.database.sql().await;
    let holding = other.transaction().await.unwrap();
    holding.execute("UPDATE inventory SET quantity = quantity", &[]).await.unwrap();
    let rush = join_all((0..9).map(|_| orders.place(shop.request(&[(lamp, 1)]))));
    let meanwhile = async {
        shop.until_waiting(1).await;
        orders.find(known.id).await.unwrap().unwrap();
        // Longer than anybody waits for a connection.
        tokio::time::sleep(config.wait * 2).await;
        holding.rollback().await.unwrap();
    };
    let (placed, ()) = tokio::join!(rush, meanwhile);
    assert!(placed.into_iter().all(|placed| new(placed.unwrap()).terms.status == Status::Confirmed));
}

/// Whatever moment a client goes away at, there is a whole order or none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_goes_away_leaves_a_whole_order_or_none() {
    let shop = Shop::open().await;
    let (one, two) = (shop.product("1.00", Some(1_000)).await, shop.product("1.00", Some(1_000)).await);
    let lines = [(one, 1), (two, 2)];
    let mut rng = SmallRng::seed_from_u64(11);
    for attempt in 0..60 {
        let (orders, request) = (shop.orders.clone(), shop.keyed(&attempt.to_string(), &lines));
        let client = tokio::spawn(async move { orders.place(request).await });
        tokio::time::sleep(Duration::from_micros(rng.random_range(0..6_000))).await;
        client.abort();
        _ = client.await;
    }
    // The transactions that were left alone end by themselves, so every key can be used again soon, and tells what
    // became of it.
    for attempt in 0..60 {
        let request = shop.keyed(&attempt.to_string(), &lines);
        while let Err(refused) = shop.orders.place(request.clone()).await {
            assert!(matches!(refused, PlaceError::KeyInFlight), "{refused:?}");
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(shop.rows().await, [60, 120, 60, 60, 60]);
    assert_eq!((shop.stock(one).await, shop.stock(two).await), (940, 880));
    shop.assert_ledger().await;
}

#[tokio::test]
async fn an_order_under_way_is_placed_without_its_client() {
    let shop = Shop::open().await;
    let pen = shop.product("1.00", Some(10)).await;
    let mut other = shop.database.sql().await;
    let holding = other.transaction().await.unwrap();
    holding.execute("UPDATE inventory SET quantity = quantity", &[]).await.unwrap();
    let (orders, request) = (shop.orders.clone(), shop.request(&[(pen, 1)]));
    let client = tokio::spawn(async move { orders.place(request).await });
    shop.until_waiting(1).await;
    client.abort();
    assert!(client.await.unwrap_err().is_cancelled());
    holding.rollback().await.unwrap();
    while shop.rows().await[0] == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(shop.rows().await, [1, 1, 1, 1, 0]);
    assert_eq!(shop.stock(pen).await, 9);
}

/// Twenty orders wait together, and one of them for a row that somebody else keeps.
#[tokio::test]
async fn an_order_that_cannot_get_its_row_leaves_its_neighbours_alone() {
    let shop = Shop::open().await;
    let (pen, kept) = (shop.product("0.10", Some(100)).await, shop.product("0.10", Some(100)).await);
    let orders = Orders::new(shop.database.handle(), shop.clock.clone(), &relaxed()).unwrap();
    let mut other = shop.database.sql().await;
    let holding = other.transaction().await.unwrap();
    holding.execute("UPDATE inventory SET quantity = quantity WHERE product_id = $1", &[&kept]).await.unwrap();
    let request = |number| match number {
        7 => shop.request(&[(pen, 1), (kept, 1)]),
        _ => shop.request(&[(pen, 1)]),
    };
    for (number, placed) in join_all((0..20).map(|number| orders.place(request(number)))).await.into_iter().enumerate()
    {
        match (number, placed) {
            (7, Err(PlaceError::RowHeld { product_id, .. })) if product_id == kept => {}
            (7, placed) => panic!("{placed:?}"),
            (_, placed) => assert_eq!(new(placed.unwrap()).terms.status, Status::Confirmed),
        }
    }
    holding.rollback().await.unwrap();
    assert_eq!((shop.stock(pen).await, shop.stock(kept).await), (81, 100));
    shop.assert_ledger().await;
}

/// Everybody wants a row that somebody else keeps, and one lane serves all stores.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_is_kept_does_not_keep_other_stores_waiting() {
    let shop = Shop::open().await;
    let (pen, kept) = (shop.product("0.10", Some(1_000)).await, shop.product("0.10", Some(1_000)).await);
    let elsewhere = shop.database.build().await.store("Elsewhere").await;
    shop.database.build().await.stock(elsewhere, pen, 1_000).await;
    // As patient as the real gateway.
    let one_lane = Config { lanes: 1, ..Config::default() };
    let orders = Orders::new(shop.database.handle(), shop.clock.clone(), &one_lane).unwrap();
    let mut other = shop.database.sql().await;
    let holding = other.transaction().await.unwrap();
    let hold = "UPDATE inventory SET quantity = quantity WHERE (store_id, product_id) = ($1, $2)";
    holding.execute(hold, &[&shop.store, &kept]).await.unwrap();

    for round in 0..3 {
        let rush = join_all((0..128).map(|_| orders.place(shop.request(&[(pen, 1), (kept, 1)]))));
        let neighbours = join_all((0..8).map(|_| orders.place(shop.request(&[(pen, 1)]))));
        let begun = Instant::now();
        let elsewhere = async {
            let placed = orders.place(Request { store_id: elsewhere, ..shop.request(&[(pen, 1)]) }).await;
            (placed, begun.elapsed())
        };
        let (refused, neighbours, (placed, took)) = tokio::join!(rush, neighbours, elsewhere);
        for refused in refused {
            assert!(
                matches!(&refused, Err(PlaceError::RowHeld { product_id, .. }) if *product_id == kept),
                "{refused:?}"
            );
        }
        for placed in neighbours.into_iter().chain([placed]) {
            assert_eq!(new(placed.unwrap()).terms.status, Status::Confirmed);
        }
        // Two batches that wait as long as one waits for a lock, at most; none once it is known.
        let limit = Duration::from_millis(if round == 0 { 1_500 } else { 500 });
        assert!(took < limit, "round {round}: {took:?}");
    }
    holding.rollback().await.unwrap();
    // What is free is taken again, at once.
    let placed = orders.place(shop.request(&[(kept, 1)])).await;
    assert_eq!(new(placed.unwrap()).terms.status, Status::Confirmed);
    assert_eq!((shop.stock(pen).await, shop.stock(kept).await), (1_000 - 24, 999));
    shop.assert_ledger().await;
}

/// Half of it would take as long, and half of that.
#[tokio::test]
async fn a_statement_that_takes_too_long_is_not_tried_in_parts() {
    let shop = Shop::open().await;
    let pen = shop.product("0.10", Some(100)).await;
    let gateway = db::Config::new(shop.database.url(), db::Role::Gateway);
    let impatient = db::Config { statement: Duration::from_millis(300), lock: Duration::from_secs(30), ..gateway };
    let orders = Orders::new(db::Database::new(&impatient).unwrap(), shop.clock.clone(), &relaxed()).unwrap();
    let mut other = shop.database.sql().await;
    let holding = other.transaction().await.unwrap();
    holding.execute("UPDATE inventory SET quantity = quantity", &[]).await.unwrap();
    let begun = Instant::now();
    for refused in join_all((0..40).map(|_| orders.place(shop.request(&[(pen, 1)])))).await {
        let Err(PlaceError::Database(error)) = &refused else { panic!("{refused:?}") };
        assert!(matches!(**error, db::Error::Timeout(_)), "{error}");
    }
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    holding.rollback().await.unwrap();
    new(orders.place(shop.request(&[(pen, 1)])).await.unwrap());
}
