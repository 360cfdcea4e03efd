use std::sync::Arc;
use std::time::{Duration, Instant};

use cache::{Cache, Outcome, State};
use deadpool_redis::redis::{Client, cmd};
use search::{Config, Error, Search};
use testkit::{Proxy, TestDatabase};

use crate::search;

async fn through_redis(test: &TestDatabase, url: String, prefix: &str) -> (Search, Cache) {
    let cache = Cache::new(&cache::Config::redis(url, prefix)).unwrap();
    let begun = Instant::now();
    while cache.state() != State::Ok {
        assert!(begun.elapsed() < Duration::from_secs(5));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    (Search::new(test.handle(), cache.clone(), &Config::default()).unwrap(), cache)
}

async fn suggest(search: &Search, query: &str) -> (Vec<String>, Outcome) {
    search.catch_up().await.unwrap();
    let (titles, outcome) = search.suggest(query).await.unwrap();
    (Arc::unwrap_or_clone(titles), outcome)
}

#[tokio::test]
async fn the_second_asker_hits_under_the_documented_key_for_five_minutes() {
    let test = TestDatabase::new().await;
    test.build().await.product("Crème Brûlée", "desserts", "1").await;
    let prefix = testkit::unique_name("search:");
    let (search, _) = through_redis(&test, testkit::redis_url(), &prefix).await;
    let wanted = vec!["Crème Brûlée".to_owned()];
    assert_eq!(suggest(&search, "  CREME ").await, (wanted.clone(), Outcome::Miss));
    assert_eq!(suggest(&search, "creme").await, (wanted.clone(), Outcome::Hit));
    let client = Client::open(testkit::redis_url()).unwrap();
    let mut redis = client.get_multiplexed_async_connection().await.unwrap();
    let left: i64 = cmd("TTL").arg(format!("{prefix}autocomplete:creme")).query_async(&mut redis).await.unwrap();
    assert!((295..=300).contains(&left), "{left} seconds left");
}

#[tokio::test]
async fn a_change_of_the_catalogue_makes_older_entries_misses() {
    let test = TestDatabase::new().await;
    let (build, sql) = (test.build().await, test.sql().await);
    build.product("Green Tea", "drinks", "1").await;
    let (search, _) = through_redis(&test, testkit::redis_url(), &testkit::unique_name("search:")).await;
    assert_eq!(suggest(&search, "green").await.0, ["Green Tea"]);
    assert_eq!(suggest(&search, "green").await.1, Outcome::Hit);
    sql.execute("UPDATE products SET title = 'Greenish Tea'", &[]).await.unwrap();
    assert_eq!(suggest(&search, "green").await, (vec!["Greenish Tea".to_owned()], Outcome::Miss));
    assert_eq!(suggest(&search, "green").await.1, Outcome::Hit);
}

#[tokio::test]
async fn emptying_the_catalogue_makes_all_entries_misses() {
    let test = TestDatabase::new().await;
    test.build().await.product("Green Tea", "drinks", "1").await;
    let (search, _) = through_redis(&test, testkit::redis_url(), &testkit::unique_name("search:")).await;
    assert_eq!(suggest(&search, "green").await.0, ["Green Tea"]);
    test.sql().await.batch_execute("TRUNCATE products CASCADE").await.unwrap();
    assert_eq!(suggest(&search, "green").await, (Vec::new(), Outcome::Miss));
}

#[tokio::test]
async fn without_redis_suggestions_come_all_the_same() {
    let test = TestDatabase::new().await;
    test.build().await.product("Green Tea", "drinks", "1").await;
    let url = testkit::redis_url();
    let proxy = Proxy::to(testkit::address_of(&url)).await;
    let prefix = testkit::unique_name("search:");
    let (search, cache) = through_redis(&test, testkit::through(&url, &proxy), &prefix).await;
    assert_eq!(suggest(&search, "green").await.1, Outcome::Miss);
    proxy.cut();
    assert_eq!(suggest(&search, "tea").await, (vec!["Green Tea".to_owned()], Outcome::Bypass));
    assert_eq!(suggest(&search, "tea").await.1, Outcome::Hit, "this process has it");
    assert_eq!(cache.state(), State::Degraded);
    let local = crate::search(&test);
    assert_eq!(suggest(&local, "green").await, (vec!["Green Tea".to_owned()], Outcome::Miss));
    assert_eq!(suggest(&local, "green").await.1, Outcome::Hit);
}

#[tokio::test]
async fn queries_have_a_least_and_a_most_length() {
    let test = TestDatabase::new().await;
    let title = "é".repeat(300);
    test.build().await.product(&title, "other", "1").await;
    let search = search(&test);
    for short in ["", "  ", "ab", " ab ", "éé", "🥛🥛"] {
        assert!(matches!(search.suggest(short).await, Err(Error::TooShort)), "{short}");
    }
    assert_eq!(suggest(&search, &"é".repeat(3)).await.0, std::slice::from_ref(&title));
    assert_eq!(suggest(&search, &format!(" {} ", "é".repeat(200))).await.0, [title]);
    assert_eq!(suggest(&search, &"é".repeat(201)).await, (Vec::new(), Outcome::Bypass));
}
