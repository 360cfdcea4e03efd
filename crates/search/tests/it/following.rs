//! The index follows the database, whatever happens on the way.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use cache::Outcome;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use search::{Filters, Query, Search, View};
use testkit::{TestDatabase, eventually};

use crate::{ask, folder, search, search_in, titles, words};

const SECOND: Duration = Duration::from_secs(1);

async fn count(search: &Search, text: &str) -> i64 {
    search.products(words(text), View::default()).await.unwrap().count
}

async fn comes(search: &Search, text: &str, wanted: i64) {
    eventually("the change is found", SECOND, async || (count(search, text).await == wanted).then_some(())).await;
}

#[tokio::test]
async fn every_kind_of_change_is_found_within_a_second() {
    let test = TestDatabase::new().await;
    let (build, sql, search) = (test.build().await, test.sql().await, search(&test));
    search.catch_up().await.unwrap();
    let store = build.store("One").await;
    let tea = build.product("Green Tea", "drinks", "3.50").await;
    comes(&search, "tea", 1).await;
    sql.batch_execute("UPDATE products SET title = 'Coffee'").await.unwrap();
    comes(&search, "coffee", 1).await;
    sql.batch_execute("UPDATE products SET description = 'From Brazil'").await.unwrap();
    comes(&search, "brazil", 1).await;
    sql.batch_execute("UPDATE categories SET name = 'beverages'").await.unwrap();
    comes(&search, "beverages", 1).await;
    let filtered = async |filters: Filters, wanted: i64| {
        let query = || Query { filters: filters.clone(), ..words("coffee") };
        let found = async || search.products(query(), View::default()).await.unwrap().count == wanted;
        eventually("the change is found", SECOND, async || found().await.then_some(())).await;
    };
    sql.batch_execute("UPDATE products SET price = 9.99").await.unwrap();
    filtered(Filters { min_price: Some("9.99".parse().unwrap()), ..Filters::default() }, 1).await;
    let in_stock = Filters { in_stock: true, ..Filters::default() };
    build.stock(store, tea, 5).await;
    filtered(in_stock.clone(), 1).await;
    build.stock(store, tea, 0).await;
    filtered(in_stock.clone(), 0).await;
    sql.batch_execute("UPDATE inventory SET quantity = 1").await.unwrap();
    filtered(in_stock.clone(), 1).await;
    sql.batch_execute("TRUNCATE inventory").await.unwrap();
    filtered(in_stock, 0).await;
    sql.batch_execute("DELETE FROM stock_adjustments; DELETE FROM products").await.unwrap();
    comes(&search, "coffee", 0).await;
}

/// A server that crashed gives out again the numbers of transactions that it had not written down.
#[tokio::test]
async fn no_number_that_is_given_out_again_loses_a_change() {
    let test = TestDatabase::new().await;
    let (build, sql, search) = (test.build().await, test.sql().await, search(&test));
    build.product("Green Tea", "drinks", "3.50").await;
    search.catch_up().await.unwrap();
    // A change by a transaction whose number the index takes for one that was rolled back.
    sql.batch_execute(
        "BEGIN; ALTER TABLE products DISABLE TRIGGER USER; \
         UPDATE products SET title = 'Coffee'; \
         INSERT INTO search_changes (xid, kind, product_id, created_at) \
             SELECT pg_current_xact_id()::text::bigint - 1000, 'title', id, now() + interval '1 minute' FROM products; \
         ALTER TABLE products ENABLE TRIGGER USER",
    )
    .await
    .unwrap();
    // Another transaction ends, and the index moves on to a moment after this one began. No transaction after a crash
    // is as old as that: hence its minute.
    test.sql().await.batch_execute("SELECT pg_current_xact_id()").await.unwrap();
    tokio::time::sleep(SECOND / 2).await;
    sql.batch_execute("COMMIT").await.unwrap();
    let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                  WHERE datname = current_database() AND pid <> pg_backend_pid()";
    sql.batch_execute(others).await.unwrap();
    eventually("the change is found", 5 * SECOND, async || {
        let found = search.products(words("coffee"), View::default()).await;
        found.is_ok_and(|found| found.count == 1).then_some(())
    })
    .await;
    // And following goes on.
    test.build().await.product("Black Tea", "drinks", "3.50").await;
    comes(&search, "black", 1).await;
}

/// As a backup does it that is loaded over the database: its tables come in the place of those that were there.
#[tokio::test]
async fn what_a_backup_brings_is_found_and_what_it_takes_is_not() {
    let test = TestDatabase::new().await;
    let (build, sql, search) = (test.build().await, test.sql().await, search(&test));
    build.product("Green Tea", "drinks", "3.50").await;
    search.catch_up().await.unwrap();
    assert_eq!(*search.suggest("green").await.unwrap().0, ["Green Tea"]);
    sql.batch_execute(
        "BEGIN; CREATE TABLE backup (LIKE products INCLUDING ALL); \
         INSERT INTO backup (id, title, category_id, price) SELECT id, 'Green Coffee', category_id, price FROM products; \
         DROP TABLE products CASCADE; ALTER TABLE backup RENAME TO products; COMMIT",
    )
    .await
    .unwrap();
    eventually("the backup is found", 5 * SECOND, async || {
        let found = search.products(words("coffee"), View::default()).await;
        found.is_ok_and(|found| found.count == 1).then_some(())
    })
    .await;
    assert_eq!(count(&search, "tea").await, 0);
    assert_eq!(*search.suggest("green").await.unwrap().0, ["Green Coffee"]);
}

/// Ids are given out in one order and committed in the other; and one transaction stays open all the while.
#[tokio::test]
async fn no_gap_loses_a_change_and_no_open_transaction_holds_back_others() {
    let test = TestDatabase::new().await;
    let (build, search) = (test.build().await, search(&test));
    let category = build.category("drinks").await;
    let (open, early, late) = (test.sql().await, test.sql().await, test.sql().await);
    let insert =
        |title: &str| format!("INSERT INTO products (title, category_id, price) VALUES ('{title}', {category}, 1)");
    open.batch_execute(&format!("BEGIN; {}", insert("Opened"))).await.unwrap();
    early.batch_execute(&format!("BEGIN; {}", insert("Early"))).await.unwrap();
    late.batch_execute(&insert("Late")).await.unwrap();
    comes(&search, "late", 1).await;
    assert_eq!(count(&search, "early").await, 0);
    early.batch_execute("COMMIT").await.unwrap();
    comes(&search, "early", 1).await;
    late.batch_execute(&insert("Later")).await.unwrap();
    comes(&search, "later", 1).await;
    assert_eq!(count(&search, "opened").await, 0);
    open.batch_execute("COMMIT").await.unwrap();
    comes(&search, "opened", 1).await;
}

#[tokio::test]
async fn a_restart_goes_on_where_the_folder_stands() {
    let test = TestDatabase::new().await;
    let (build, folder) = (test.build().await, folder());
    build.product("Green Tea", "drinks", "3.50").await;
    let first = search_in(&test, &folder);
    assert_eq!(ask(&first, words("tea")).await.count, 1);
    drop(first);
    build.product("Black Tea", "drinks", "3.50").await;
    let second = search_in(&test, &folder);
    assert_eq!(ask(&second, words("tea")).await.count, 2);
    assert!(folder.join("index-1").exists() && !folder.join("index-2").exists(), "it was not built anew");
}

#[tokio::test]
async fn an_index_that_is_damaged_or_foreign_is_built_anew() {
    let test = TestDatabase::new().await;
    let (build, folder) = (test.build().await, folder());
    build.product("Green Tea", "drinks", "3.50").await;
    let fresh = async |test: &TestDatabase| {
        let search = search_in(test, &folder);
        ask(&search, words("tea")).await.count
    };
    assert_eq!(fresh(&test).await, 1);
    let files = |number: u32| {
        let files = std::fs::read_dir(folder.join(format!("index-{number}"))).unwrap();
        let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).filter(|path| path.is_file()).collect();
        files.sort();
        files
    };
    let largest = files(1).into_iter().max_by_key(|path| path.metadata().unwrap().len()).unwrap();
    let length = largest.metadata().unwrap().len();
    std::fs::File::options().write(true).open(&largest).unwrap().set_len(length / 2).unwrap();
    assert_eq!(fresh(&test).await, 1);
    std::fs::write(folder.join("index-2/meta.json"), "{").unwrap();
    assert_eq!(fresh(&test).await, 1);
    files(3).iter().for_each(|path| std::fs::remove_file(path).unwrap());
    assert_eq!(fresh(&test).await, 1);
    let other = TestDatabase::new().await;
    assert_eq!(fresh(&other).await, 0);
    assert_eq!(fresh(&test).await, 1);
}

#[tokio::test]
async fn a_folder_that_goes_away_under_a_running_index_is_survived() {
    let test = TestDatabase::new().await;
    let (build, folder) = (test.build().await, folder());
    build.product("Green Tea", "drinks", "3.50").await;
    let search = search_in(&test, &folder);
    assert_eq!(ask(&search, words("tea")).await.count, 1);
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(count(&search, "tea").await, 1);
    build.product("Black Tea", "drinks", "3.50").await;
    assert_eq!(ask(&search, words("tea")).await.count, 2);
}

#[tokio::test]
async fn two_processes_in_one_folder_both_serve() {
    let test = TestDatabase::new().await;
    let (build, folder) = (test.build().await, folder());
    build.product("Green Tea", "drinks", "3.50").await;
    let (first, second) = (search_in(&test, &folder), search_in(&test, &folder));
    assert_eq!(ask(&first, words("tea")).await.count, 1);
    assert_eq!(ask(&second, words("tea")).await.count, 1);
    build.product("Black Tea", "drinks", "3.50").await;
    assert_eq!(ask(&first, words("tea")).await.count, 2);
    assert_eq!(ask(&second, words("tea")).await.count, 2);
}

#[tokio::test]
async fn whoever_missed_what_is_gone_from_the_log_builds_anew() {
    let test = TestDatabase::new().await;
    let (build, sql, folder) = (test.build().await, test.sql().await, folder());
    let tea = build.product("Green Tea", "drinks", "3.50").await;
    let first = search_in(&test, &folder);
    assert_eq!(ask(&first, words("tea")).await.count, 1);
    drop(first);
    sql.execute("UPDATE products SET title = 'Coffee' WHERE id = $1", &[&tea]).await.unwrap();
    let prune =
        "UPDATE search_log SET pruned_below = (SELECT max(xid) + 1 FROM search_changes); DELETE FROM search_changes";
    sql.batch_execute(prune).await.unwrap();
    let second = search_in(&test, &folder);
    assert_eq!(titles(&ask(&second, words("coffee")).await), ["Coffee"]);
    assert_eq!(count(&second, "tea").await, 0);
}

/// A dump of a shop that had pruned its log, restored on a younger server.
#[tokio::test]
async fn a_log_from_another_server_does_not_have_the_index_built_again_and_again() {
    let test = TestDatabase::new().await;
    let (build, sql, folder) = (test.build().await, test.sql().await, folder());
    build.product("Green Tea", "drinks", "3.50").await;
    let forge = "UPDATE search_changes SET xid = xid + 1000000000000; \
                 UPDATE search_log SET pruned_below = 1000000000000";
    sql.batch_execute(forge).await.unwrap();
    let search = search_in(&test, &folder);
    assert_eq!(ask(&search, words("tea")).await.count, 1);
    build.product("Black Tea", "drinks", "3.50").await;
    comes(&search, "black", 1).await;
    assert!(folder.join("index-1").exists() && !folder.join("index-2").exists(), "it was built once");
}

/// While an index is built anew, the one that serves goes on following, and the new one holds what came meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn following_goes_on_while_an_index_is_built_anew() {
    let test = TestDatabase::new().await;
    let (build, sql, folder) = (test.build().await, test.sql().await, folder());
    let tea = build.product("Green Tea", "drinks", "3.50").await;
    let search = search_in(&test, &folder);
    search.catch_up().await.unwrap();
    // Building reads the categories, and waits; following does not.
    let lock = test.sql().await;
    lock.batch_execute("BEGIN; LOCK TABLE categories IN ACCESS EXCLUSIVE MODE").await.unwrap();
    search::request_rebuild(&test.handle()).await.unwrap();
    let waits = "SELECT count(*) FROM pg_locks WHERE relation = 'categories'::regclass AND NOT granted";
    eventually("the building waits", 5 * SECOND, async || {
        let waiting: i64 = sql.query_one(waits, &[]).await.unwrap().get(0);
        (waiting > 0).then_some(())
    })
    .await;
    let suggested = async |title: &str| {
        eventually("the change is found", SECOND, async || {
            let (titles, _) = search.suggest(title).await.unwrap();
            (*titles == [title]).then_some(())
        })
        .await;
    };
    for title in ["Black Tea", "Coffee"] {
        sql.execute("UPDATE products SET title = $2 WHERE id = $1", &[&tea, &title]).await.unwrap();
        suggested(title).await;
    }
    assert!(folder.join("index-1").exists(), "the old one serves");
    lock.batch_execute("COMMIT").await.unwrap();
    search.catch_up().await.unwrap();
    suggested("Coffee").await;
    eventually("the old one goes", 5 * SECOND, async || (!folder.join("index-1").exists()).then_some(())).await;
    build.product("Cocoa", "drinks", "3.50").await;
    comes(&search, "cocoa", 1).await;
}

/// A process that ends before its new index is complete builds one again.
#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_that_was_asked_for_is_not_forgotten_by_a_restart() {
    let test = TestDatabase::new().await;
    let (build, sql, folder) = (test.build().await, test.sql().await, folder());
    let tea = build.product("Green Tea", "drinks", "3.50").await;
    let search = search_in(&test, &folder);
    search.catch_up().await.unwrap();
    let lock = test.sql().await;
    lock.batch_execute("BEGIN; LOCK TABLE categories IN ACCESS EXCLUSIVE MODE").await.unwrap();
    search::request_rebuild(&test.handle()).await.unwrap();
    sql.execute("UPDATE products SET title = 'Coffee' WHERE id = $1", &[&tea]).await.unwrap();
    eventually("the change is found", 5 * SECOND, async || {
        let (titles, outcome) = search.suggest("coffee").await.unwrap();
        (*titles == ["Coffee"]).then(|| assert_eq!(outcome, Outcome::Bypass, "kept under no generation"))
    })
    .await;
    drop(search);
    lock.batch_execute("COMMIT").await.unwrap();
    let search = search_in(&test, &folder);
    assert_eq!(titles(&ask(&search, words("coffee")).await), ["Coffee"]);
    eventually("it is built anew", 10 * SECOND, async || {
        (!folder.join("index-1").exists() && search.state() == "ok").then_some(())
    })
    .await;
    assert_eq!(titles(&ask(&search, words("coffee")).await), ["Coffee"]);
}

/// Renames, reprices, creates, deletes, sells out and restocks at random, and looks each change up at once.
#[tokio::test(flavor = "multi_thread")]
async fn changes_at_random_are_found_and_shown_as_they_are() {
    let test = TestDatabase::new().await;
    let (build, sql, search) = (test.build().await, test.sql().await, search(&test));
    let store = build.store("One").await;
    let mut random = StdRng::seed_from_u64(5);
    let mut products: Vec<i64> = Vec::new();
    for number in 0..150_u32 {
        let word = format!("word{number}x");
        let id = match (products.is_empty(), random.random_range(0..4)) {
            (true, _) | (_, 0) => {
                let id = build.product(&format!("New {word}"), "drinks", "1.00").await;
                products.push(id);
                id
            }
            _ => products[random.random_range(0..products.len())],
        };
        let price = format!("{}.{:02}", random.random_range(1..50), random.random_range(0..100));
        let change = "UPDATE products SET title = $2, price = $3::text::numeric WHERE id = $1";
        sql.execute(change, &[&id, &format!("Changed {word}"), &price]).await.unwrap();
        let quantity = random.random_range(0..2);
        build.stock(store, id, quantity).await;
        let begun = Instant::now();
        let query = || Query { filters: Filters { in_stock: quantity > 0, ..Filters::default() }, ..words(&word) };
        let found = async || {
            let view = View { store: Some(store), highlight: false };
            let answer = search.products(query(), view).await.unwrap();
            answer.products.into_iter().next()
        };
        let shown = eventually("the change is found", SECOND, async || found().await).await;
        assert!(begun.elapsed() < SECOND);
        assert_eq!((shown.id, shown.price.to_string(), shown.quantity), (id, price, Some(quantity)));
    }
    let gone = products.pop().unwrap();
    for (table, column) in [("stock_adjustments", "product_id"), ("inventory", "product_id"), ("products", "id")] {
        sql.execute(&format!("DELETE FROM {table} WHERE {column} = $1"), &[&gone]).await.unwrap();
    }
    let all = ask(&search, Query { page_size: 100, ..words("") }).await;
    let mut found: Vec<i64> = all.products.iter().map(|product| product.id).collect();
    found.sort_unstable();
    products.sort_unstable();
    assert_eq!(found, products);
}
