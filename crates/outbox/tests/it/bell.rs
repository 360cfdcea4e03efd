use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use db::Role;
use outbox::{Bell, listen};
use testkit::{TestDatabase, eventually};

const SOON: Duration = Duration::from_secs(10);

/// Somebody who listens, and how often it was woken.
async fn listener(test: &TestDatabase) -> Arc<AtomicUsize> {
    let woken = Arc::new(AtomicUsize::new(0));
    let counted = woken.clone();
    tokio::spawn(listen(test.as_role(Role::Worker), move || _ = counted.fetch_add(1, Ordering::Relaxed)));
    eventually_more_than(&woken, 0).await;
    woken
}

async fn eventually_more_than(woken: &AtomicUsize, before: usize) {
    eventually("it is woken", SOON, async || (woken.load(Ordering::Relaxed) > before).then_some(())).await;
}

#[tokio::test]
async fn everybody_who_listens_hears_the_bell_and_rings_in_quick_succession_are_few() {
    let test = TestDatabase::new().await;
    let listeners = [listener(&test).await, listener(&test).await];
    let bell = Bell::hang(&test).unwrap();
    for _ in 0..10_000 {
        bell.ring();
        tokio::task::yield_now().await;
    }
    for woken in &listeners {
        eventually_more_than(woken, 1).await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    // The first of all is that of beginning to listen.
    for woken in &listeners {
        assert!(woken.load(Ordering::Relaxed) < 1_000, "{woken:?}");
    }
}

#[tokio::test]
async fn the_last_ring_is_heard() {
    let test = TestDatabase::new().await;
    let woken = listener(&test).await;
    let bell = Bell::hang(&test).unwrap();
    for pause in [0, 10, 60, 5] {
        bell.ring();
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let before = woken.load(Ordering::Relaxed);
    bell.ring();
    drop(bell);
    eventually_more_than(&woken, before).await;
}

#[tokio::test]
async fn a_listener_that_is_cut_off_listens_again_and_looks_at_what_it_may_have_missed() {
    let test = TestDatabase::new().await;
    let woken = listener(&test).await;
    let bell = Bell::hang(&test).unwrap();
    let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
               WHERE datname = current_database() AND query = 'LISTEN outbox'";
    assert_eq!(test.sql().await.query_one(cut, &[]).await.unwrap().get::<_, i64>(0), 1);
    eventually_more_than(&woken, 1).await;
    let before = woken.load(Ordering::Relaxed);
    bell.ring();
    eventually_more_than(&woken, before).await;
}
