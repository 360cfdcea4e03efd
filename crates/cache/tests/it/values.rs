use cache::Outcome;
use deadpool_redis::redis::cmd;
use metrics_exporter_prometheus::PrometheusBuilder;

use crate::{Near, Test, ask, ask_for, connected};

#[tokio::test]
async fn the_second_asker_hits() {
    let test = Test::new().await;
    assert_eq!(ask(&test.cache, "tea", 1, "green").await, ("green".into(), Outcome::Miss));
    assert_eq!(ask(&test.cache, "tea", 1, "black").await, ("green".into(), Outcome::Hit));
}

#[tokio::test]
async fn another_process_hits_too_unless_its_prefix_differs() {
    let test = Test::new().await;
    ask(&test.cache, "tea", 1, "green").await;
    let same = connected(testkit::redis_url(), &test.prefix).await;
    assert_eq!(ask(&same, "tea", 1, "black").await, ("green".into(), Outcome::Hit));
    let other = connected(testkit::redis_url(), &testkit::unique_name("cache:")).await;
    assert_eq!(ask(&other, "tea", 1, "black").await, ("black".into(), Outcome::Miss));
}

#[tokio::test]
async fn the_key_is_prefix_family_name_and_lives_as_long_as_the_family_says() {
    let mut test = Test::new().await;
    ask(&test.cache, "tea", 1, "green").await;
    let left: i64 = cmd("TTL").arg(test.name("tea")).query_async(&mut test.redis).await.unwrap();
    assert!((295..=300).contains(&left), "{left} seconds left");
}

#[tokio::test]
async fn a_value_of_another_stamp_is_a_miss_and_is_overwritten() {
    let test = Test::new().await;
    ask(&test.cache, "tea", 1, "green").await;
    assert_eq!(ask(&test.cache, "tea", 2, "black").await, ("black".into(), Outcome::Miss));
    assert_eq!(ask(&test.cache, "tea", 2, "white").await, ("black".into(), Outcome::Hit));
    assert_eq!(ask(&test.cache, "tea", 1, "red").await, ("red".into(), Outcome::Miss));
}

#[tokio::test]
async fn garbage_is_a_miss_is_counted_and_is_overwritten() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _counting = metrics::set_default_local_recorder(&recorder);
    let mut test = Test::new().await;
    let garbage: [&[u8]; 7] = [
        b"",
        b"\0\xff\xfe",
        b"null",
        b"{\"stamp\":1}",
        b"{\"stamp\":1,\"value\":{\"a\":1}}",
        b"{\"stamp\":1,\"value\":[1,2]}",
        b"{\"stamp\":1e400,\"value\":[]}",
    ];
    for (number, bytes) in garbage.into_iter().enumerate() {
        let name = test.name(&number.to_string());
        cmd("SET").arg(name).arg(bytes).query_async::<()>(&mut test.redis).await.unwrap();
        assert_eq!(ask(&test.cache, &number.to_string(), 1, "new").await, ("new".into(), Outcome::Miss), "{bytes:?}");
        assert_eq!(ask(&test.cache, &number.to_string(), 1, "newer").await, ("new".into(), Outcome::Hit), "{bytes:?}");
    }
    let name = test.name("list");
    cmd("RPUSH").arg(name).arg("an element").query_async::<()>(&mut test.redis).await.unwrap();
    assert_eq!(ask(&test.cache, "list", 1, "new").await, ("new".into(), Outcome::Miss));
    assert_eq!(ask(&test.cache, "list", 1, "newer").await, ("new".into(), Outcome::Hit));
    let counted = recorder.handle().render();
    assert!(counted.contains("cache_garbage_total{key=\"words:\"} 8"), "{counted}");
}

#[tokio::test]
async fn a_failed_load_is_the_callers_and_keeps_nothing() {
    let test = Test::new().await;
    let key = crate::Words("tea".into());
    let failed = test.cache.get_or_load(&key, 1, async { Err::<Vec<String>, _>("no tea") }).await;
    assert_eq!(failed.unwrap_err(), "no tea");
    assert_eq!(ask(&test.cache, "tea", 1, "green").await, ("green".into(), Outcome::Miss));
}

#[tokio::test]
async fn a_family_that_is_kept_in_the_process_asks_redis_once() {
    let mut test = Test::new().await;
    let other = connected(testkit::redis_url(), &test.prefix).await;
    let near = || Near("tea".into());
    assert_eq!(ask_for(&test.cache, near(), 1, "green").await, ("green".into(), Outcome::Miss));
    assert_eq!(ask_for(&other, near(), 1, "black").await, ("green".into(), Outcome::Hit));
    let () = cmd("DEL").arg(format!("{}near:tea", test.prefix)).query_async(&mut test.redis).await.unwrap();
    for cache in [&test.cache, &other] {
        assert_eq!(ask_for(cache, near(), 1, "black").await, ("green".into(), Outcome::Hit));
    }
    assert_eq!(ask_for(&test.cache, near(), 2, "black").await, ("black".into(), Outcome::Miss));
    assert_eq!(ask_for(&other, near(), 2, "white").await, ("black".into(), Outcome::Hit));
}
