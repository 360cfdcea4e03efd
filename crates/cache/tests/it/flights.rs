use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cache::{Cache, Config, Outcome};

use crate::{Test, Words, ask};

/// A hundred callers for one key; how often it was loaded.
async fn crowd(cache: &Cache) -> usize {
    let loads = Arc::new(AtomicUsize::new(0));
    let callers: Vec<_> = (0..100)
        .map(|_| {
            let (cache, loads) = (cache.clone(), Arc::clone(&loads));
            tokio::spawn(async move {
                let load = async {
                    loads.fetch_add(1, Ordering::SeqCst);
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    Ok::<_, Infallible>(vec!["green".to_owned()])
                };
                cache.get_or_load(&Words("tea".into()), 1, load).await.unwrap().0
            })
        })
        .collect();
    for caller in callers {
        assert_eq!(*caller.await.unwrap(), ["green"]);
    }
    loads.load(Ordering::SeqCst)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_loads_once() {
    assert_eq!(crowd(&Test::new().await.cache).await, 1);
    assert_eq!(crowd(&Cache::new(&Config::local()).unwrap()).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_loads_once_while_redis_is_away() {
    let nobody = Cache::new(&Config::redis("redis://127.0.0.1:9/", "")).unwrap();
    assert_eq!(crowd(&nobody).await, 1);
}

#[tokio::test]
async fn a_leader_that_goes_away_is_replaced() {
    let test = Test::new().await;
    let leading = test.cache.clone();
    let leader = tokio::spawn(async move {
        let load = std::future::pending::<Result<Vec<String>, Infallible>>();
        leading.get_or_load(&Words("tea".into()), 1, load).await
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    let waiting = test.cache.clone();
    let follower = tokio::spawn(async move { ask(&waiting, "tea", 1, "green").await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!follower.is_finished(), "it waits for the leader");
    leader.abort();
    assert_eq!(follower.await.unwrap(), ("green".into(), Outcome::Miss));
}

#[tokio::test]
async fn callers_of_another_stamp_do_not_share() {
    let test = Test::new().await;
    let (old, new) = tokio::join!(ask(&test.cache, "tea", 1, "old"), ask(&test.cache, "tea", 2, "new"));
    assert_eq!((old.0.as_str(), new.0.as_str()), ("old", "new"));
}
