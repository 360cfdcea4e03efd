use search::{Filters, View};
use testkit::TestDatabase;

use crate::{is_unknown_store, search, words};

#[tokio::test]
async fn a_store_adds_quantities_and_does_not_narrow() {
    let test = TestDatabase::new().await;
    let (build, search) = (test.build().await, search(&test));
    let store = build.store("One").await;
    let (has, had) = (build.product("Tea A", "drinks", "1").await, build.product("Tea BB", "drinks", "1").await);
    build.product("Tea CCC", "drinks", "1").await;
    build.stock(store, has, 7).await;
    build.stock(store, had, 0).await;
    let view = View { store: Some(store), highlight: false };
    search.catch_up().await.unwrap();
    let answer = search.products(words("tea"), view).await.unwrap();
    let quantities: Vec<Option<i32>> = answer.products.iter().map(|product| product.quantity).collect();
    assert_eq!((answer.count, quantities), (3, vec![Some(7), Some(0), None]));
    let answer = search.products(words("tea"), View::default()).await.unwrap();
    assert_eq!(answer.products[0].quantity, None);
}

#[tokio::test]
async fn in_stock_means_at_the_store_or_anywhere() {
    let test = TestDatabase::new().await;
    let (build, search) = (test.build().await, search(&test));
    let (one, two) = (build.store("One").await, build.store("Two").await);
    let (a, b) = (build.product("Tea A", "drinks", "1").await, build.product("Tea BB", "drinks", "1").await);
    let none = build.product("Tea CCC", "drinks", "1").await;
    build.stock(one, a, 1).await;
    build.stock(two, b, 1).await;
    build.stock(two, none, 0).await;
    let ids = async |store| {
        let query = search::Query { filters: Filters { in_stock: true, ..Filters::default() }, ..words("tea") };
        search.catch_up().await.unwrap();
        let answer = search.products(query, View { store, highlight: false }).await.unwrap();
        answer.products.iter().map(|product| product.id).collect::<Vec<i64>>()
    };
    assert_eq!(ids(Some(one)).await, [a]);
    assert_eq!(ids(Some(two)).await, [b]);
    assert_eq!(ids(None).await, [a, b]);
    build.stock(one, a, 0).await;
    assert_eq!(ids(None).await, [b]);
}

#[tokio::test]
async fn an_unknown_store_is_told() {
    let test = TestDatabase::new().await;
    let search = search(&test);
    for store in [1, -1, i64::MAX] {
        let view = View { store: Some(store), highlight: false };
        assert!(is_unknown_store(&search.products(words("tea"), view).await));
    }
}

#[tokio::test]
async fn advice_knows_about_stock() {
    let test = TestDatabase::new().await;
    let search = search(&test);
    test.build().await.product("Tea", "drinks", "1").await;
    let query = search::Query { filters: Filters { in_stock: true, ..Filters::default() }, ..words("tea") };
    search.catch_up().await.unwrap();
    let answer = search.products(query, View::default()).await.unwrap();
    assert_eq!(answer.advice.unwrap(), ["Without in_stock there would be 1 result."]);
}
