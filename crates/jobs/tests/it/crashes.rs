//! Workers that die in the middle of a task, and tasks that kill their workers.
//!
//! A worker dies here with the runtime that drives it: its sockets close without a word, as those of a killed process.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jobs::{Config, Registry, TaskError, Worker};
use outbox::Event;
use testkit::eventually;
use tokio::runtime::Runtime;
use tokio::time::Instant;

use crate::bench::{Bench, Happened, SOON, number};

/// A worker that can be killed.
pub(crate) struct Mortal(Runtime);

impl Mortal {
    pub(crate) fn start(bench: &Bench, config: &Config, registry: Registry) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        {
            let _inside = runtime.enter();
            drop(Worker::start(config, &bench.worker_database(), registry));
        }
        Self(runtime)
    }

    pub(crate) fn kill(self) {
        self.0.shutdown_background();
    }
}

/// Tasks that are begun and never end.
pub(crate) fn endless(begun: &Arc<AtomicUsize>) -> Registry {
    let begun = begun.clone();
    Registry::new().on(Happened::KIND, "hang", move |_| {
        begun.fetch_add(1, Ordering::Relaxed);
        std::future::pending()
    })
}

#[tokio::test]
async fn what_a_killed_worker_had_is_redelivered_at_once_and_counts_one_crash() {
    let bench = Bench::new().await;
    let config = bench.config(bench.broker.url());
    let begun = Arc::new(AtomicUsize::new(0));
    let victim = Mortal::start(&bench, &config, endless(&begun));
    bench.record(0..5).await;
    eventually("it began them all", SOON, async || (begun.load(Ordering::Relaxed) == 5).then_some(())).await;
    let worker = bench.start(&config, bench.writer().registry());
    eventually("the other is ready", SOON, async || {
        worker.health().parts().iter().all(|part| part.ready).then_some(())
    })
    .await;
    let killed = Instant::now();
    victim.kill();
    bench.eventually_count("effects", 5).await;
    assert!(killed.elapsed() < Duration::from_secs(2), "{:?}", killed.elapsed());
    bench.eventually_idle().await;
    worker.stop().await;
    assert_eq!(bench.count("outbox").await, 0);
}

#[tokio::test]
async fn a_task_that_kills_its_worker_is_parked_after_three_and_takes_no_neighbour_with_it() {
    let bench = Bench::new().await;
    let config = bench.config(bench.broker.url());
    let begun = Arc::new(AtomicUsize::new(0));
    let beside = Arc::new(AtomicUsize::new(0));
    let registry = Registry::new().on(Happened::KIND, "write_down", {
        let (writer, begun, beside) = (bench.writer(), begun.clone(), beside.clone());
        move |delivery| {
            let (writer, begun, beside) = (writer.clone(), begun.clone(), beside.clone());
            async move {
                if number(&delivery) == 7 {
                    // From the second attempt on nothing may run beside it.
                    if delivery.attempt > 1 {
                        assert_eq!(beside.load(Ordering::Relaxed), 0);
                    }
                    begun.fetch_add(1, Ordering::Relaxed);
                    return std::future::pending().await;
                }
                if delivery.attempt == 1 {
                    return std::future::pending().await;
                }
                beside.fetch_add(1, Ordering::Relaxed);
                let written = writer.write(number(&delivery)).await;
                beside.fetch_sub(1, Ordering::Relaxed);
                written
            }
        }
    });
    bench.record(0..16).await;
    for death in 1..=3 {
        let victim = Mortal::start(&bench, &config, registry.clone());
        eventually("the killer is at it", SOON, async || (begun.load(Ordering::Relaxed) == death).then_some(())).await;
        if death == 1 {
            bench.eventually_count("outbox WHERE worker IS NOT NULL", 16).await;
        }
        victim.kill();
    }
    let worker = bench.start(&config, bench.writer().registry());
    bench.eventually_count("effects", 15).await;
    bench.eventually_parked(1).await;
    bench.eventually_idle().await;
    let parked = "SELECT crashes, failures, last_error FROM outbox";
    let row = bench.test.sql().await.query_one(parked, &[]).await.unwrap();
    assert_eq!((row.get::<_, i32>(0), row.get::<_, i32>(1)), (3, 0));
    assert!(row.get::<_, &str>(2).contains("died 3 times"));
    // Redriven after the cause is gone.
    let which = outbox::Which::default();
    let redriven = bench
        .test
        .transaction::<_, db::Error, _>(move |tx| Box::pin(async move { outbox::redrive(tx, &which, 10).await }));
    assert_eq!(redriven.await.unwrap().len(), 1);
    bench.eventually_count("effects", 16).await;
    bench.eventually_idle().await;
    worker.stop().await;
    assert_eq!(bench.count("outbox").await, 0);
}

#[tokio::test]
async fn a_connection_that_breaks_again_and_again_is_no_crash() {
    let bench = Bench::new().await;
    let proxy = testkit::Proxy::to(testkit::address_of(bench.broker.url())).await;
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let registry = Registry::new().on(Happened::KIND, "write_down", {
        let (writer, gate) = (bench.writer(), gate.clone());
        move |delivery| {
            let (writer, gate) = (writer.clone(), gate.clone());
            async move {
                let _pass = gate.acquire().await;
                writer.write(number(&delivery)).await
            }
        }
    });
    // Each runs in the one, and is delivered to the other when the connection of the first breaks.
    let first = bench.start(&bench.config(&bench.broker.url_through(&proxy)), registry.clone());
    bench.record(0..16).await;
    bench.eventually_count("outbox WHERE worker IS NOT NULL", 16).await;
    let second = bench.start(&bench.config(bench.broker.url()), registry);
    for _ in 0..4 {
        proxy.cut();
        bench.eventually_ready("tasks", 0).await;
        proxy.heal();
        eventually("it is back", SOON, async || first.health().parts().iter().all(|part| part.ready).then_some(()))
            .await;
    }
    assert_eq!(bench.count("outbox WHERE crashes > 0 OR parked_at IS NOT NULL").await, 0);
    gate.add_permits(1000);
    bench.eventually_count("effects", 16).await;
    bench.eventually_idle().await;
    first.stop().await;
    second.stop().await;
}

#[tokio::test]
async fn a_loop_that_has_work_and_does_nothing_is_told_on() {
    let bench = Bench::new().await;
    let config = Config { patience: Duration::from_secs(4), ..bench.config(bench.broker.url()) };
    let begun = Arc::new(AtomicUsize::new(0));
    let worker = bench.start(&config, endless(&begun));
    bench.record(0..40).await;
    let limit = Duration::from_secs(20);
    assert_eq!(tokio::time::timeout(limit, worker.stuck()).await.unwrap(), "consumer");
    let healthy = bench.start(
        &config,
        Registry::new().on(Happened::KIND, "fail", |_| async { Err::<(), _>(TaskError::not_tried("made up")) }),
    );
    let quiet = tokio::time::timeout(Duration::from_secs(6), healthy.stuck()).await;
    assert!(quiet.is_err(), "one that tries is not deaf");
}
