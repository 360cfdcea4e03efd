use testkit::TestDatabase;

#[tokio::test]
async fn prices_of_the_products_that_exist() {
    let test = TestDatabase::new().await;
    let build = test.build().await;
    let apple = build.product("Apple", "Fruit", "0.50").await;
    let pear = build.product("Pear", "Fruit", "12345678.90").await;
    build.product("Plum", "Fruit", "3").await;
    let conn = test.connection().await.unwrap();
    let prices = products::prices(&conn, &[pear, apple, apple, 999_999]).await.unwrap();
    let mut prices: Vec<(i64, String)> = prices.into_iter().map(|(id, price)| (id, price.to_string())).collect();
    prices.sort();
    assert_eq!(prices, [(apple, "0.50".to_owned()), (pear, "12345678.90".to_owned())]);
    assert!(products::prices(&conn, &[]).await.unwrap().is_empty());
}
