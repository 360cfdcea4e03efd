//! The first answers after a restart.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use search::View;
use testkit::TestDatabase;

use crate::{ask, folder, search_in, words};

/// Keeps indexes from reading what has changed, and nobody from showing it.
const LOCK: &str = "BEGIN; LOCK TABLE inventory IN ACCESS EXCLUSIVE MODE";

/// An index that was kept before the second tea came.
async fn kept(test: &TestDatabase) -> PathBuf {
    let (build, folder) = (test.build().await, folder());
    build.product("Green Tea", "drinks", "3.50").await;
    let search = search_in(test, &folder);
    assert_eq!(ask(&search, words("tea")).await.count, 1);
    drop(search);
    build.product("Black Tea", "drinks", "3.50").await;
    folder
}

#[tokio::test]
async fn the_first_answers_know_what_came_while_nobody_followed() {
    let test = TestDatabase::new().await;
    let (folder, lock) = (kept(&test).await, test.sql().await);
    lock.batch_execute(LOCK).await.unwrap();
    let search = search_in(&test, &folder);
    let release = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        lock.batch_execute("COMMIT").await.unwrap();
    };
    let (found, suggested, ()) =
        tokio::join!(search.products(words("tea"), View::default()), search.suggest("black"), release);
    assert_eq!(found.unwrap().count, 2);
    assert_eq!(*suggested.unwrap().0, ["Black Tea"]);
}

#[tokio::test]
async fn an_index_that_stays_behind_answers_all_the_same() {
    let test = TestDatabase::new().await;
    let (folder, lock) = (kept(&test).await, test.sql().await);
    lock.batch_execute(LOCK).await.unwrap();
    let search = search_in(&test, &folder);
    let begun = Instant::now();
    assert_eq!(search.products(words("tea"), View::default()).await.unwrap().count, 1);
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    assert_eq!(search.state(), "behind");
    lock.batch_execute("COMMIT").await.unwrap();
    assert_eq!(ask(&search, words("tea")).await.count, 2);
    assert_eq!(search.state(), "ok");
}
