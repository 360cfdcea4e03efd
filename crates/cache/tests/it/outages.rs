use std::time::Duration;

use cache::{Cache, Config, Outcome, State};
use testkit::Proxy;

use crate::{ask, connected, time, until};

/// What the first request of an outage may lose, with a little for the timer.
const FIRST: Duration = Duration::from_millis(50 + 10);
/// What a request may take that does not ask Redis at all, on a busy machine.
const LATER: Duration = Duration::from_millis(10);
/// Outages tried: on a busy machine a timer may be late once, not every time.
const OUTAGES: usize = 3;
const BACK: Duration = Duration::from_secs(2);

/// A cache that reaches Redis through a proxy.
async fn through_proxy() -> (Cache, Proxy) {
    let url = testkit::redis_url();
    let proxy = Proxy::to(testkit::address_of(&url)).await;
    let cache = connected(testkit::through(&url, &proxy), &testkit::unique_name("cache:")).await;
    (cache, proxy)
}

/// Asks during an outage that has just begun; says what the first request lost. The others lose nothing.
async fn ask_in_outage(cache: &Cache) -> Duration {
    let (outcome, first) = time(cache, "tea").await;
    assert_eq!((outcome, cache.state()), (Outcome::Bypass, State::Degraded));
    let mut later = Vec::new();
    for _ in 0..50 {
        let (outcome, took) = time(cache, "tea").await;
        assert_eq!(outcome, Outcome::Bypass);
        later.push(took);
    }
    later.sort();
    assert!(later[later.len() / 2] < LATER, "later requests lost {later:?}");
    first
}

/// Goes through several outages that `begin` brings about and `heal` ends.
async fn outages(begin: impl Fn(&Proxy)) {
    let (cache, proxy) = through_proxy().await;
    ask(&cache, "tea", 1, "green").await;
    let mut first = Vec::new();
    for _ in 0..OUTAGES {
        begin(&proxy);
        first.push(ask_in_outage(&cache).await);
        proxy.heal();
        until(BACK, || cache.state() == State::Ok).await;
        assert_eq!(ask(&cache, "tea", 1, "black").await, ("green".into(), Outcome::Hit));
    }
    assert!(first.iter().min() < Some(&FIRST), "first requests lost {first:?}");
}

#[tokio::test]
async fn a_redis_that_dies_costs_one_request_and_is_used_again_when_it_returns() {
    outages(Proxy::cut).await;
}

#[tokio::test]
async fn a_redis_that_hangs_costs_one_request_and_is_used_again_when_it_returns() {
    outages(Proxy::freeze).await;
}

#[tokio::test]
async fn a_probe_does_not_take_a_hanging_redis_for_a_sound_one() {
    let (cache, proxy) = through_proxy().await;
    proxy.freeze();
    time(&cache, "tea").await;
    tokio::time::sleep(Duration::from_millis(1200)).await;
    assert_eq!(cache.state(), State::Degraded);
}

#[tokio::test]
async fn requests_that_meet_the_hang_together_lose_no_more_than_one() {
    let (cache, proxy) = through_proxy().await;
    let mut worst = Vec::new();
    for _ in 0..OUTAGES {
        proxy.freeze();
        let crowd: Vec<_> = (0..50)
            .map(|number| {
                let cache = cache.clone();
                tokio::spawn(async move { time(&cache, &format!("tea {number}")).await })
            })
            .collect();
        let mut lost = Vec::new();
        for caller in crowd {
            let (outcome, took) = caller.await.unwrap();
            assert_eq!(outcome, Outcome::Bypass);
            lost.push(took);
        }
        worst.extend(lost.into_iter().max());
        proxy.heal();
        until(BACK, || cache.state() == State::Ok).await;
    }
    assert!(worst.iter().min() < Some(&FIRST), "the worst lost {worst:?}");
}

#[tokio::test]
async fn a_redis_that_is_away_at_the_start_is_found_later() {
    let url = testkit::redis_url();
    let proxy = Proxy::to(testkit::address_of(&url)).await;
    proxy.cut();
    let config = Config::redis(testkit::through(&url, &proxy), testkit::unique_name("cache:"));
    let cache = Cache::new(&config).unwrap();
    assert_eq!(cache.state(), State::Degraded);
    assert_eq!(ask(&cache, "tea", 1, "green").await.1, Outcome::Bypass);
    proxy.heal();
    until(BACK, || cache.state() == State::Ok).await;
    assert_eq!(ask(&cache, "tea", 1, "green").await.1, Outcome::Miss);
    assert_eq!(ask(&cache, "tea", 1, "black").await.1, Outcome::Hit);
}

#[tokio::test]
async fn an_address_that_is_none_is_refused() {
    assert!(Cache::new(&Config::redis("not a url", "")).is_err());
}

/// The web server's workers run a runtime each; one that is busy must not hold up the others' cache.
#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_worker_does_not_stall_the_connection() {
    let (cache, _proxy) = through_proxy().await;
    let first = cache.clone();
    let (done, asked) = std::sync::mpsc::channel();
    let worker = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            ask(&first, "tea", 1, "green").await;
            done.send(()).unwrap();
            std::thread::sleep(Duration::from_millis(500));
        });
    });
    tokio::task::spawn_blocking(move || asked.recv()).await.unwrap().unwrap();
    assert_eq!(ask(&cache, "tea", 1, "black").await, ("green".into(), Outcome::Hit));
    worker.join().unwrap();
}
