use std::collections::{HashMap, HashSet};
use std::time::Duration;

use db::{Database, Error, Role};
use stores::stock::{self, Key, Quantity};
use testkit::{Builder, TestDatabase, eventually};

async fn lock(database: &Database, keys: Vec<Key>) -> Result<HashMap<Key, i32>, Error> {
    database.transaction(|tx| Box::pin(async move { stock::lock(tx, &keys).await })).await
}

async fn deduct(database: &Database, taken: Vec<Quantity>) -> Result<(), Error> {
    database.transaction(|tx| Box::pin(async move { stock::deduct(tx, &taken).await })).await
}

async fn restore(database: &Database, returned: Vec<Quantity>) -> Result<(), Error> {
    database.transaction(|tx| Box::pin(async move { stock::restore(tx, &returned).await })).await
}

/// Two stores, which have 10 apples and 5 pears each.
async fn two_stores(build: &Builder) -> [Key; 4] {
    let (north, south) = (build.store("North").await, build.store("South").await);
    let (apple, pear) = (build.product("Apple", "Fruit", "0.50").await, build.product("Pear", "Fruit", "0.70").await);
    for store in [north, south] {
        build.stock(store, apple, 10).await;
        build.stock(store, pear, 5).await;
    }
    [(north, apple), (north, pear), (south, apple), (south, pear)]
}

#[tokio::test]
async fn lock_reads_the_rows_that_exist() {
    let test = TestDatabase::new().await;
    let [apples, pears, southern, _] = two_stores(&test.build().await).await;
    let unknown = (apples.0, 999_999);
    let one_store = lock(&test, vec![pears, apples, unknown, apples]).await.unwrap();
    assert_eq!(one_store, HashMap::from([(apples, 10), (pears, 5)]));
    let two_stores = lock(&test, vec![southern, apples, unknown]).await.unwrap();
    assert_eq!(two_stores, HashMap::from([(apples, 10), (southern, 10)]));
    assert_eq!(lock(&test, vec![]).await.unwrap(), HashMap::new());
}

#[tokio::test]
async fn deduct_and_restore_move_exactly_what_they_are_told() {
    let test = TestDatabase::new().await;
    let keys = two_stores(&test.build().await).await;
    let [apples, pears, southern, southern_pears] = keys;
    deduct(&test, vec![(pears.0, pears.1, 1), (apples.0, apples.1, 2), (apples.0, apples.1, 3)]).await.unwrap();
    deduct(&test, vec![(southern.0, southern.1, 10), (apples.0, apples.1, 1)]).await.unwrap();
    let left = HashMap::from([(apples, 4), (pears, 4), (southern, 0), (southern_pears, 5)]);
    assert_eq!(lock(&test, keys.to_vec()).await.unwrap(), left);
    restore(&test, vec![(apples.0, apples.1, 6), (pears.0, pears.1, 1)]).await.unwrap();
    restore(&test, vec![(southern.0, southern.1, 10), (pears.0, pears.1, 2)]).await.unwrap();
    let left = HashMap::from([(apples, 10), (pears, 7), (southern, 10), (southern_pears, 5)]);
    assert_eq!(lock(&test, keys.to_vec()).await.unwrap(), left);
    deduct(&test, vec![]).await.unwrap();
}

#[tokio::test]
async fn what_is_free_is_locked_and_what_is_held_is_named_at_once() {
    let test = TestDatabase::new().await;
    let [apples, pears, southern, southern_pears] = two_stores(&test.build().await).await;
    let sql = test.sql().await;
    sql.batch_execute("BEGIN").await.unwrap();
    let hold = "SELECT FROM inventory WHERE (store_id, product_id) IN (($1, $2), ($3, $4)) FOR UPDATE";
    sql.execute(hold, &[&pears.0, &pears.1, &southern.0, &southern.1]).await.unwrap();
    let unknown = (apples.0, 999_999);
    let asked = [pears, southern, apples, unknown, southern_pears, pears];
    let lock_free = async |asked: Vec<Key>| {
        test.begin::<_, Error, _>(|tx| Box::pin(async move { stock::lock_free(tx, &asked).await })).await.unwrap()
    };
    let (tx, free) = lock_free(asked.to_vec()).await;
    assert_eq!(free.balances, HashMap::from([(apples, 10), (southern_pears, 5)]));
    assert_eq!(free.held, HashSet::from([pears, southern]));
    let others = "SELECT FROM inventory FOR NO KEY UPDATE SKIP LOCKED";
    assert_eq!(test.sql().await.execute(others, &[]).await.unwrap(), 0, "what was free is locked now");
    tx.roll_back().await;
    sql.batch_execute("UPDATE inventory SET quantity = 7; COMMIT").await.unwrap();
    let (tx, free) = lock_free(asked.to_vec()).await;
    assert_eq!(free.balances, [apples, pears, southern, southern_pears].map(|row| (row, 7)).into());
    assert_eq!(free.held, HashSet::new());
    assert_eq!(stock::lock_free(&tx, &[]).await.unwrap(), stock::Free::default());
    tx.roll_back().await;
}

#[tokio::test]
async fn what_is_not_there_cannot_be_taken_and_nothing_moves() {
    let test = TestDatabase::new().await;
    let keys = two_stores(&test.build().await).await;
    let [apples, pears, southern, southern_pears] = keys;
    let short = deduct(&test, vec![(apples.0, apples.1, 1), (pears.0, pears.1, 6)]).await.unwrap_err();
    assert_eq!(short.constraint(), Some("inventory_quantity_not_negative"));
    let summed = deduct(&test, vec![(southern.0, southern.1, 6), (southern.0, southern.1, 6)]).await.unwrap_err();
    assert_eq!(summed.constraint(), Some("inventory_quantity_not_negative"));
    for stores in [[apples.0, apples.0], [apples.0, southern.0]] {
        let missing = deduct(&test, vec![(stores[0], apples.1, 1), (stores[1], 999_999, 1)]).await;
        assert!(matches!(missing, Err(Error::Query(_))), "{missing:?}");
    }
    let untouched = HashMap::from([(apples, 10), (pears, 5), (southern, 10), (southern_pears, 5)]);
    assert_eq!(lock(&test, keys.to_vec()).await.unwrap(), untouched);
}

#[tokio::test]
async fn lock_waits_for_the_holder_and_reads_what_it_left() {
    let test = TestDatabase::new().await;
    let [apples, pears, southern, _] = two_stores(&test.build().await).await;
    for keys in [vec![apples, pears], vec![apples, southern]] {
        let other = test.sql().await;
        let take = "BEGIN; UPDATE inventory SET quantity = quantity - 1 WHERE store_id = {} AND product_id = {}";
        let take = take.replacen("{}", &apples.0.to_string(), 1).replacen("{}", &apples.1.to_string(), 1);
        other.batch_execute(&take).await.unwrap();
        let before: i32 = held(&test, apples).await;
        let database = test.as_role(Role::CommandLine);
        let waiting = tokio::spawn(async move { lock(&database, keys).await });
        until_blocked(&test).await;
        other.batch_execute("COMMIT").await.unwrap();
        assert_eq!(waiting.await.unwrap().unwrap()[&apples], before - 1);
    }
}

#[tokio::test]
async fn transactions_that_lock_in_any_order_never_deadlock() {
    let test = TestDatabase::new().await;
    let keys = two_stores(&test.build().await).await;
    let patient = test.as_role(Role::CommandLine);
    let mut running = Vec::new();
    for round in 0..40 {
        let database = patient.clone();
        let mut keys = keys.to_vec();
        keys.rotate_left(round % 4);
        keys.truncate(3);
        running.push(tokio::spawn(async move {
            database
                .transaction::<_, Error, _>(|tx| {
                    Box::pin(async move {
                        let held = stock::lock(tx, &keys).await?;
                        let moves: Vec<Quantity> = held.keys().map(|&(store, product)| (store, product, 1)).collect();
                        stock::deduct(tx, &moves).await?;
                        stock::restore(tx, &moves).await
                    })
                })
                .await
        }));
    }
    for one in running {
        one.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn the_database_itself_refuses_a_second_row_and_stock_below_zero() {
    let test = TestDatabase::new().await;
    let [apples, ..] = two_stores(&test.build().await).await;
    let sql = test.sql().await;
    let refused = async |statement: &str| {
        let error = sql.execute(statement, &[&apples.0, &apples.1]).await.unwrap_err();
        error.as_db_error().unwrap().constraint().unwrap().to_owned()
    };
    assert_eq!(refused("INSERT INTO inventory VALUES ($1, $2, 1)").await, "inventory_pkey");
    let oversell = "UPDATE inventory SET quantity = quantity - 11 WHERE store_id = $1 AND product_id = $2";
    assert_eq!(refused(oversell).await, "inventory_quantity_not_negative");
    sql.execute("DELETE FROM inventory WHERE store_id = $1 AND product_id = $2", &[&apples.0, &apples.1])
        .await
        .unwrap();
    assert_eq!(refused("INSERT INTO inventory VALUES ($1, $2, -1)").await, "inventory_quantity_not_negative");
}

#[tokio::test]
async fn a_store_exists_or_does_not() {
    let test = TestDatabase::new().await;
    let store = test.build().await.store("North").await;
    let conn = test.connection().await.unwrap();
    assert!(stores::exists(&conn, store).await.unwrap());
    assert!(!stores::exists(&conn, store + 1).await.unwrap());
}

async fn held(test: &TestDatabase, key: Key) -> i32 {
    let row = "SELECT quantity FROM inventory WHERE store_id = $1 AND product_id = $2";
    test.sql().await.query_one(row, &[&key.0, &key.1]).await.unwrap().get(0)
}

/// Waits until one session waits for a lock.
async fn until_blocked(test: &TestDatabase) {
    let sql = test.sql().await;
    let blocked = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    eventually("a session waits for a lock", Duration::from_secs(10), async || {
        sql.query_opt(blocked, &[]).await.unwrap()
    })
    .await;
}
