//! What the crate promises, at a modest size, or the full one where `TEST_SIZE` says so.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use db::Error;
use jobs::{Config, Registry, TaskError, operators};
use lapin::BasicProperties;
use outbox::{Event, Which};
use testkit::{eventually, size};
use tokio::time::Instant;

use crate::bench::{Bench, Happened, SOON, number};
use crate::crashes::{Mortal, endless};

#[tokio::test]
async fn load_a_broker_that_is_wiped_loses_nothing() {
    let bench = Bench::new().await;
    let events = size(200, 1_000) as i64;
    let config = Config { late: Duration::from_secs(1), ..bench.config(bench.broker.url()) };
    let begun = Arc::new(AtomicUsize::new(0));
    let victim = Mortal::start(&bench, &config, endless(&begun));
    bench.record(0..events).await;
    bench.eventually_published().await;
    eventually("it began some", SOON, async || (begun.load(Ordering::Relaxed) == 16).then_some(())).await;
    victim.kill();
    let all = u32::try_from(events).unwrap();
    bench.eventually_ready("tasks", all).await;
    // With everything that lies in them.
    for queue in ["tasks", "tasks.retry.100ms", "tasks.dead"] {
        bench.broker.delete(queue).await;
    }
    let returned = Instant::now();
    let worker = bench.start(&config, bench.writer().registry());
    let limit = Duration::from_secs(90);
    eventually("all are done", limit, async || (bench.count("effects").await == events).then_some(())).await;
    println!("{events} events of a wiped broker done after {:?}", returned.elapsed());
    bench.eventually_idle().await;
    worker.stop().await;
    assert_eq!((bench.count("runs").await, bench.count("outbox").await), (events, 0), "each once");
}

#[tokio::test]
async fn load_what_a_killed_worker_had_is_done_by_another_at_once() {
    let bench = Bench::new().await;
    let config = bench.config(bench.broker.url());
    let kills = size(5, 50) as i64;
    let mut took = Vec::new();
    for kill in 0..kills {
        let begun = Arc::new(AtomicUsize::new(0));
        let victim = Mortal::start(&bench, &config, endless(&begun));
        bench.record(kill..kill + 1).await;
        eventually("it began", SOON, async || (begun.load(Ordering::Relaxed) == 1).then_some(())).await;
        let other = bench.start(&config, bench.writer().registry());
        let health = other.health();
        eventually("the other is ready", SOON, async || health.parts().iter().all(|part| part.ready).then_some(()))
            .await;
        let killed = Instant::now();
        victim.kill();
        bench.eventually_count("effects", kill + 1).await;
        took.push(killed.elapsed());
        bench.eventually_idle().await;
        other.stop().await;
    }
    took.sort();
    let p99 = took[(took.len() * 99).div_ceil(100) - 1];
    println!("{kills} kills: p50 {:?}, p99 {p99:?}", took[took.len() / 2]);
    assert!(p99 < Duration::from_secs(1), "{took:?}");
}

#[tokio::test]
async fn load_a_killer_a_failing_one_and_one_that_is_no_task_are_parked_among_sound_ones() {
    let bench = Bench::new().await;
    let config = bench.config(bench.broker.url());
    let events = size(200, 1_000) as i64;
    let (killer, failing) = (events / 3, events / 2);
    let (deaths, is_mended) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let registry = Registry::new().on(Happened::KIND, "write_down", {
        let (writer, deaths, is_mended) = (bench.writer(), deaths.clone(), is_mended.clone());
        move |delivery| {
            let (writer, deaths, is_mended) = (writer.clone(), deaths.clone(), is_mended.clone());
            async move {
                let number = number(&delivery);
                if is_mended.load(Ordering::Relaxed) == 0 && number == killer {
                    deaths.fetch_add(1, Ordering::Relaxed);
                    return std::future::pending().await;
                }
                if is_mended.load(Ordering::Relaxed) == 0 && number == failing {
                    return Err(TaskError::retry("made up"));
                }
                writer.write(number).await
            }
        }
    });
    let began = Instant::now();
    bench.record(0..events).await;
    for death in 1..=3 {
        let victim = Mortal::start(&bench, &config, registry.clone());
        if death == 1 {
            eventually("the queue is there", SOON, async || bench.broker.ready("tasks").await).await;
            bench.broker.publish("tasks", b"?", BasicProperties::default()).await;
        }
        eventually("the killer is at it", SOON, async || (deaths.load(Ordering::Relaxed) == death).then_some(())).await;
        victim.kill();
    }
    let worker = bench.start(&config, registry);
    let limit = Duration::from_secs(30);
    let sent = async || (bench.count("effects").await == events - 2).then_some(());
    eventually("all sound ones are done", limit, sent).await;
    bench.eventually_parked(3).await;
    println!("{} sound ones done and 3 parked after {:?}", events - 2, began.elapsed());
    assert!(began.elapsed() < limit, "{:?}", began.elapsed());
    let parked = operators::parked(&bench.worker_database(), &Which::default(), 0, 10).await.unwrap();
    let tried: Vec<(&str, i32, i32)> =
        parked.iter().map(|event| (event.kind.as_str(), event.failures, event.crashes)).collect();
    for expected in [(Happened::KIND, 0, 3), (Happened::KIND, 8, 0), ("undecodable", 1, 0)] {
        assert!(tried.iter().any(|tried| (tried.0, tried.2) == (expected.0, expected.2)), "{tried:?}");
    }
    // Redriven after the cause is gone.
    is_mended.store(1, Ordering::Relaxed);
    let kind = Which { kind: Some(Happened::KIND.into()), ..Which::default() };
    let database = bench.worker_database();
    let redriven: Result<_, Error> =
        database.transaction(|tx| Box::pin(async move { operators::redrive(tx, &kind, 10).await })).await;
    assert_eq!(redriven.unwrap().len(), 2);
    bench.eventually_count("effects", events).await;
    bench.eventually_idle().await;
    worker.stop().await;
    assert_eq!(bench.count("outbox").await, 1, "what is no task stays until it is discarded");
}
