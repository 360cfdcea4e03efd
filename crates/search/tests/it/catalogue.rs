use std::time::Duration;

use search::{Error, View};
use testkit::TestDatabase;

use crate::{ask, search, titles, words};

#[tokio::test]
async fn changes_are_followed() {
    let test = TestDatabase::new().await;
    let (build, sql, search) = (test.build().await, test.sql().await, search(&test));
    assert_eq!(ask(&search, words("")).await.count, 0);
    let tea = build.product("Green Tea", "drinks", "3.50").await;
    assert_eq!(titles(&ask(&search, words("tea")).await), ["Green Tea"]);
    sql.execute("UPDATE products SET title = 'Black Coffee', price = 4 WHERE id = $1", &[&tea]).await.unwrap();
    assert_eq!(ask(&search, words("tea")).await.count, 0);
    let found = ask(&search, words("coffee")).await;
    assert_eq!((titles(&found), found.products[0].price.to_string()), (vec!["Black Coffee"], "4.00".to_owned()));
    sql.execute("UPDATE categories SET name = 'beverages'", &[]).await.unwrap();
    let found = ask(&search, words("beverages")).await;
    assert_eq!((found.count, found.products[0].category.as_str()), (1, "beverages"));
    sql.execute("DELETE FROM products", &[]).await.unwrap();
    assert_eq!(ask(&search, words("")).await.count, 0);
}

#[tokio::test]
async fn a_change_that_is_not_committed_does_not_count() {
    let test = TestDatabase::new().await;
    let (build, sql, search) = (test.build().await, test.sql().await, search(&test));
    build.product("Green Tea", "drinks", "3.50").await;
    sql.batch_execute("BEGIN; UPDATE products SET title = 'Coffee'").await.unwrap();
    build.product("Milk", "drinks", "3.50").await;
    assert_eq!(ask(&search, words("tea")).await.count, 1);
    assert_eq!(ask(&search, words("milk")).await.count, 1);
    sql.batch_execute("COMMIT").await.unwrap();
    assert_eq!(ask(&search, words("tea")).await.count, 0);
    assert_eq!(ask(&search, words("coffee")).await.count, 1);
}

/// Triggers off, so that the row goes without a trace, as if it had gone between finding and showing.
#[tokio::test]
async fn a_product_that_goes_between_finding_and_showing_is_neither_shown_nor_counted() {
    let test = TestDatabase::new().await;
    let (build, sql, search) = (test.build().await, test.sql().await, search(&test));
    let goes = build.product("Green Tea", "drinks", "3.50").await;
    build.product("Black Tea", "drinks", "3.50").await;
    assert_eq!(ask(&search, words("tea")).await.count, 2);
    sql.batch_execute("ALTER TABLE products DISABLE TRIGGER USER").await.unwrap();
    sql.execute("DELETE FROM products WHERE id = $1", &[&goes]).await.unwrap();
    let one = || search::Query { page_size: 1, facets: true, ..words("tea") };
    let found = search.products(one(), View::default()).await.unwrap();
    assert_eq!((found.count, found.total_pages, titles(&found)), (1, 1, vec!["Black Tea"]));
    let facets = found.facets.unwrap();
    assert_eq!((facets.categories[0].count, facets.prices[0].count), (1, 1));
    sql.batch_execute("DELETE FROM products").await.unwrap();
    let found = search.products(one(), View::default()).await.unwrap();
    assert_eq!((found.count, titles(&found), found.advice.is_some()), (0, Vec::new(), true));
}

#[tokio::test]
async fn a_page_that_lost_a_product_a_moment_ago_is_filled_up() {
    let test = TestDatabase::new().await;
    let (build, sql, search) = (test.build().await, test.sql().await, search(&test));
    let goes = build.product("Tea", "drinks", "3.50").await;
    build.product("Black Tea", "drinks", "3.50").await;
    build.product("White Tea, Loose", "drinks", "3.50").await;
    let page = || search::Query { page_size: 2, ..words("tea") };
    assert_eq!(titles(&ask(&search, page()).await), ["Tea", "Black Tea"]);
    sql.execute("DELETE FROM products WHERE id = $1", &[&goes]).await.unwrap();
    let found = search.products(page(), View::default()).await.unwrap();
    assert_eq!((found.count, titles(&found)), (2, vec!["Black Tea", "White Tea, Loose"]));
}

#[tokio::test]
async fn the_pages_that_exist_can_be_had() {
    let test = TestDatabase::new().await;
    let (build, search) = (test.build().await, search(&test));
    for number in 0..5 {
        build.product(&format!("Tea {number}"), "drinks", "1").await;
    }
    let page = |page| search.products(search::Query { page, page_size: 2, ..words("tea") }, View::default());
    search.catch_up().await.unwrap();
    let last = page(3).await.unwrap();
    assert_eq!((last.count, last.total_pages, last.has_next, titles(&last)), (5, 3, false, vec!["Tea 4"]));
    assert!(matches!(page(4).await, Err(Error::NoSuchPage)));
}

#[tokio::test]
async fn a_database_that_is_away_is_told_fast() {
    let test = TestDatabase::new().await;
    let proxy = testkit::Proxy::to(testkit::address_of(test.url())).await;
    let database =
        db::Database::new(&db::Config::new(testkit::through(test.url(), &proxy), db::Role::Gateway)).unwrap();
    let search = search::Search::new(database, cache::Cache::local(), &search::Config::default()).unwrap();
    search.catch_up().await.unwrap();
    test.build().await.product("Green Tea", "drinks", "3.50").await;
    search.catch_up().await.unwrap();
    proxy.cut();
    let answer = tokio::time::timeout(Duration::from_secs(2), search.products(words("tea"), View::default())).await;
    assert!(matches!(answer.unwrap(), Err(Error::Database(db::Error::Unavailable(_) | db::Error::Away(_)))));
    proxy.heal();
    assert_eq!(titles(&ask(&search, words("tea")).await), ["Green Tea"]);
}
