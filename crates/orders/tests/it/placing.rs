use orders::{Config, Orders, PlaceError, Reason, Rejection, Status, UnknownProduct};

use crate::support::Shop;

#[tokio::test]
async fn a_confirmed_order_is_stored_whole() {
    let shop = Shop::open().await;
    let pen = shop.product("0.10", Some(5)).await;
    let desk = shop.product("199.99", Some(1)).await;
    let order = shop.place(&[(desk, 1), (pen, 3)]).await;

    assert_eq!(order.terms.status, Status::Confirmed);
    assert_eq!(order.terms.created_at, shop.clock.now());
    assert_eq!((order.terms.total_items, order.terms.total_price.to_string()), (4, "200.29".into()));
    assert_eq!((shop.stock(pen).await, shop.stock(desk).await), (2, 0));
    assert_eq!(shop.rows().await, [1, 2, 1, 1, 0]);
    let (found, confirmation) = shop.orders.find(order.id).await.unwrap().unwrap();
    assert_eq!(found, order, "what is read is what was answered");
    assert_eq!(confirmation.unwrap().attempts, 0);
    shop.assert_ledger().await;
}

#[tokio::test]
async fn the_event_names_the_order_and_the_request() {
    let shop = Shop::open().await;
    let pen = shop.product("0.10", Some(5)).await;
    let order = shop.place(&[(pen, 3)]).await;
    let row = shop.sql.query_one("SELECT kind, store_id, payload::text, request_id FROM outbox", &[]).await.unwrap();
    assert_eq!((row.get::<_, &str>(0), row.get::<_, i64>(1)), ("order.confirmed", shop.store));
    let event: orders::events::OrderConfirmed = serde_json::from_str(row.get(2)).unwrap();
    assert_eq!((event.store_id, event.order_id), (shop.store, order.id));
    assert_eq!(row.get::<_, &str>(3), "test");
}

#[tokio::test]
async fn a_rejected_order_is_stored_with_every_reason_and_moves_no_stock() {
    let shop = Shop::open().await;
    let plenty = shop.product("1.00", Some(5)).await;
    let scarce = shop.product("2.00", Some(1)).await;
    let gone = shop.product("3.00", Some(0)).await;
    let elsewhere = shop.product("4.00", None).await;
    let order = shop.place(&[(plenty, 5), (scarce, 2), (gone, 1), (elsewhere, 1)]).await;

    assert_eq!(order.terms.status, Status::Rejected);
    assert_eq!((order.terms.total_items, order.terms.total_price.to_string()), (9, "16.00".into()));
    let reasons: Vec<_> = order.terms.lines.iter().map(|line| line.rejection).collect();
    let short = |available| Some(Rejection { reason: Reason::InsufficientStock, available });
    let not_stocked = Some(Rejection { reason: Reason::NotStocked, available: 0 });
    assert_eq!(reasons, [None, short(1), short(0), not_stocked]);
    assert_eq!((shop.stock(plenty).await, shop.stock(scarce).await), (5, 1));
    assert_eq!(shop.rows().await, [1, 4, 0, 0, 0], "nothing to confirm, and no event");
    assert_eq!(shop.orders.find(order.id).await.unwrap().unwrap(), (order, None));
    shop.assert_ledger().await;
}

#[tokio::test]
async fn the_price_is_that_of_the_moment() {
    let shop = Shop::open().await;
    let pen = shop.product("0.10", Some(5)).await;
    let before = shop.place(&[(pen, 1)]).await;
    shop.sql.execute("UPDATE products SET price = 0.25 WHERE id = $1", &[&pen]).await.unwrap();
    let after = shop.place(&[(pen, 1)]).await;
    let read = shop.orders.find(before.id).await.unwrap().unwrap().0;
    assert_eq!(read.terms.lines[0].unit_price.to_string(), "0.10");
    assert_eq!(after.terms.lines[0].unit_price.to_string(), "0.25");
}

#[tokio::test]
async fn unknown_stores_and_products_store_nothing() {
    let shop = Shop::open().await;
    let pen = shop.product("0.10", Some(5)).await;
    let mut elsewhere = shop.request(&[(pen, 1)]);
    elsewhere.store_id = i64::MAX;
    assert!(matches!(shop.orders.place(elsewhere).await, Err(PlaceError::UnknownStore(i64::MAX))));
    let refused = shop.try_place(&[(-1, 1), (pen, 1), (i64::MAX, 1)]).await;
    let Err(PlaceError::UnknownProducts(unknown)) = refused else { panic!("{refused:?}") };
    assert_eq!(unknown, [UnknownProduct { line: 0, product_id: -1 }, UnknownProduct { line: 2, product_id: i64::MAX }]);
    assert_eq!(shop.rows().await, [0; 5]);
    assert_eq!(shop.stock(pen).await, 5);
}

#[tokio::test]
async fn the_largest_order_is_exact() {
    let shop = Shop::open().await;
    shop.sql
        .batch_execute(
            "WITH category AS (INSERT INTO categories (name) VALUES ('Gold') RETURNING id) \
             INSERT INTO products (title, category_id, price) \
             SELECT 'Bar ' || n, category.id, 9999999999.99 FROM category, generate_series(1, 500) AS n; \
             INSERT INTO inventory (store_id, product_id, quantity) \
             SELECT stores.id, products.id, 1000000 FROM stores, products; \
             INSERT INTO stock_adjustments (store_id, product_id, delta, reason) \
             SELECT store_id, product_id, quantity, 'test' FROM inventory",
        )
        .await
        .unwrap();
    let products = shop.sql.query("SELECT id FROM products", &[]).await.unwrap();
    let lines: Vec<(i64, i32)> = products.iter().map(|row| (row.get(0), 1_000_000)).collect();
    let order = shop.place(&lines).await;
    assert_eq!(order.terms.status, Status::Confirmed);
    let (found, _) = shop.orders.find(order.id).await.unwrap().unwrap();
    assert_eq!(found.terms.total_price.to_string(), "4999999999995000000.00");
    assert_eq!(found.terms.lines.len(), 500);
    assert_eq!(shop.number("SELECT sum(quantity)::bigint FROM inventory", &[]).await, 0);
    shop.assert_ledger().await;
}

#[tokio::test]
async fn the_database_refuses_to_sell_what_is_not_there() {
    let shop = Shop::open().await;
    let pen = shop.product("0.10", Some(5)).await;
    let store = shop.store;
    let oversold: Result<(), db::Error> = shop
        .database
        .transaction(move |tx| {
            Box::pin(async move {
                stores::stock::lock(tx, &[(store, pen)]).await?;
                stores::stock::deduct(tx, &[(store, pen, 6)]).await
            })
        })
        .await;
    assert_eq!(oversold.unwrap_err().constraint(), Some("inventory_quantity_not_negative"));
    assert_eq!(shop.stock(pen).await, 5);
}

#[tokio::test]
async fn a_product_that_is_deleted_under_the_order_is_unknown_to_it() {
    let shop = Shop::open().await;
    let pen = shop.product("0.10", None).await;
    // Another session has deleted the product, and has not yet committed.
    let mut other = shop.database.sql().await;
    let deleting = other.transaction().await.unwrap();
    deleting.execute("DELETE FROM products WHERE id = $1", &[&pen]).await.unwrap();
    let (orders, request) = (shop.orders.clone(), shop.request(&[(pen, 1)]));
    let placing = tokio::spawn(async move { orders.place(request).await });
    shop.until_waiting(1).await;
    deleting.commit().await.unwrap();
    let refused = placing.await.unwrap();
    assert!(matches!(refused, Err(PlaceError::UnknownProducts(_))), "{refused:?}");
    assert_eq!(shop.rows().await, [0; 5]);
}

#[tokio::test]
async fn a_row_that_stays_locked_is_an_error_that_says_so_soon() {
    let shop = Shop::open().await;
    let pen = shop.product("0.10", Some(5)).await;
    let mut other = shop.database.sql().await;
    let holding = other.transaction().await.unwrap();
    holding.execute("UPDATE inventory SET quantity = quantity", &[]).await.unwrap();
    let asked = tokio::time::Instant::now();
    let orders = Orders::new(shop.database.handle(), shop.clock.clone(), &Config::default()).unwrap();
    let refused = orders.place(shop.request(&[(pen, 1)])).await;
    let held = (shop.store, pen);
    assert!(
        matches!(refused, Err(PlaceError::RowHeld { store_id, product_id }) if (store_id, product_id) == held),
        "{refused:?}"
    );
    assert!(asked.elapsed() < std::time::Duration::from_secs(5), "{:?}", asked.elapsed());
    assert_eq!(shop.rows().await, [0; 5]);
    holding.rollback().await.unwrap();
    shop.orders.place(shop.request(&[(pen, 1)])).await.unwrap();
}
