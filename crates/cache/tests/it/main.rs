//! The cache against a real Redis, and without one.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]

mod flights;
mod local;
mod outages;
mod values;

use std::borrow::Cow;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cache::{Cache, Config, Key, Outcome, State};
use deadpool_redis::redis::Client;
use deadpool_redis::redis::aio::MultiplexedConnection;

/// A list of words that lives for five minutes.
struct Words(String);

impl Key for Words {
    const PREFIX: &'static str = "words:";
    const TIME_TO_LIVE: Duration = Duration::from_secs(300);
    type Value = Vec<String>;

    fn name(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.0)
    }
}

/// The same, kept in the process too.
struct Near(String);

impl Key for Near {
    const PREFIX: &'static str = "near:";
    const TIME_TO_LIVE: Duration = Duration::from_secs(300);
    const IN_PROCESS: bool = true;
    type Value = Vec<String>;

    fn name(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.0)
    }
}

/// A cache with a prefix that no other test has, and a bare connection beside it.
struct Test {
    cache: Cache,
    prefix: String,
    redis: MultiplexedConnection,
}

impl Test {
    async fn new() -> Self {
        let prefix = testkit::unique_name("cache:");
        let cache = connected(testkit::redis_url(), &prefix).await;
        let client = Client::open(testkit::redis_url()).unwrap();
        Self { cache, prefix, redis: client.get_multiplexed_async_connection().await.unwrap() }
    }

    fn name(&self, key: &str) -> String {
        format!("{}words:{key}", self.prefix)
    }
}

/// A cache that has found its Redis.
async fn connected(url: String, prefix: &str) -> Cache {
    let cache = Cache::new(&Config::redis(url, prefix)).unwrap();
    until(Duration::from_secs(5), || cache.state() == State::Ok).await;
    cache
}

/// Asks for `key`, giving `word` where it must be loaded.
async fn ask(cache: &Cache, key: &str, stamp: i64, word: &str) -> (String, Outcome) {
    ask_for(cache, Words(key.into()), stamp, word).await
}

async fn ask_for<K: Key<Value = Vec<String>>>(cache: &Cache, key: K, stamp: i64, word: &str) -> (String, Outcome) {
    let load = async { Ok::<_, Infallible>(vec![word.to_owned()]) };
    let (value, outcome): (Arc<Vec<String>>, _) = cache.get_or_load(&key, stamp, load).await.unwrap();
    (value.join(" "), outcome)
}

/// Asks as [`ask`] does and says how long it took.
async fn time(cache: &Cache, key: &str) -> (Outcome, Duration) {
    let asked = Instant::now();
    let (_, outcome) = ask(cache, key, 1, "x").await;
    (outcome, asked.elapsed())
}

/// Waits for a condition.
async fn until(limit: Duration, met: impl Fn() -> bool) {
    let begun = Instant::now();
    while !met() {
        assert!(begun.elapsed() < limit, "not met within {limit:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
