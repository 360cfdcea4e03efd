use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jobs::{Registry, Retry, TaskError};
use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};
use testkit::eventually;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::bench::{Bench, Happened, SOON, number};
use outbox::Event;

#[tokio::test]
async fn five_hundred_events_each_have_their_effect_exactly_once() {
    let bench = Bench::new().await;
    let worker = bench.start(&bench.config(bench.broker.url()), bench.writer().registry());
    bench.record(0..500).await;
    bench.eventually_count("effects", 500).await;
    bench.eventually_idle().await;
    worker.stop().await;
    assert_eq!(bench.count("runs").await, 500, "nothing failed, so nothing ran twice");
    assert_eq!(bench.count("outbox").await, 0);
}

#[tokio::test]
async fn two_workers_share_the_work() {
    let bench = Bench::new().await;
    let config = bench.config(bench.broker.url());
    let shares = [Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0))];
    let workers = shares.clone().map(|share| {
        let writer = bench.writer();
        let registry = Registry::new().on(Happened::KIND, "write_down", move |delivery| {
            share.fetch_add(1, Ordering::Relaxed);
            let writer = writer.clone();
            async move { writer.write(number(&delivery)).await }
        });
        bench.start(&config, registry)
    });
    for worker in &workers {
        let health = worker.health();
        eventually("both are connected", SOON, async || health.parts().iter().all(|part| part.ready).then_some(()))
            .await;
    }
    bench.record(0..300).await;
    bench.eventually_count("effects", 300).await;
    bench.eventually_idle().await;
    for worker in workers {
        worker.stop().await;
    }
    assert_eq!(bench.count("runs").await, 300);
    let shares = shares.map(|share| share.load(Ordering::Relaxed));
    assert!(shares.iter().all(|share| *share > 0), "{shares:?}");
}

#[tokio::test]
async fn what_no_task_answers_and_what_is_no_task_is_parked_at_once() {
    let bench = Bench::new().await;
    let worker = bench.start(&bench.config(bench.broker.url()), bench.writer().registry());
    eventually("the queues exist", SOON, async || bench.broker.ready("tasks").await).await;
    bench.record_unheard().await;
    let of_kind = |kind: &str| BasicProperties::default().with_type(kind.into());
    // Twice, as of a message whose acknowledgement was lost.
    for _ in 0..2 {
        bench.broker.publish("tasks", b"{}", BasicProperties::default()).await;
        bench.eventually_ready("tasks", 0).await;
        bench.eventually_count("outbox WHERE kind = 'undecodable'", 1).await;
    }
    bench.broker.publish("tasks", b"{}", of_kind(Happened::KIND)).await;
    let addressed = of_kind(Happened::KIND).with_message_id("1".into()).with_headers({
        let mut headers = FieldTable::default();
        headers.insert("store".into(), AMQPValue::LongLongInt(1));
        headers
    });
    bench.broker.publish("tasks", b"\xffnot \0 json", addressed).await;
    bench.record(0..50).await;
    bench.eventually_count("effects", 50).await;
    bench.eventually_parked(4).await;
    bench.eventually_idle().await;
    worker.stop().await;
    let rows = "SELECT kind, last_error FROM outbox ORDER BY 1, 2";
    let rows = bench.test.sql().await.query(rows, &[]).await.unwrap();
    let parked: Vec<(&str, &str)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(
        parked,
        [
            ("test.unheard", "no task answers this kind of event"),
            ("undecodable", "it does not say which event of which store it is"),
            ("undecodable", "it has no type"),
            ("undecodable", "its body is not JSON"),
        ]
    );
}

/// Which PostgreSQL's text and JSON do not know.
#[tokio::test]
async fn a_nul_keeps_nothing_from_being_parked() {
    let bench = Bench::new().await;
    let fail = |_| async { Err(TaskError::permanent("made\0 up")) };
    let worker = bench.start(&bench.config(bench.broker.url()), Registry::new().on(Happened::KIND, "fail", fail));
    eventually("the queues exist", SOON, async || bench.broker.ready("tasks").await).await;
    let named = BasicProperties::default().with_type("no\0 kind".into()).with_message_id("no\0 number".into());
    bench.broker.publish("tasks", b"{}", named).await;
    bench.record(0..1).await;
    bench.eventually_parked(2).await;
    bench.eventually_idle().await;
    worker.stop().await;
    let rows = "SELECT last_error, payload->>'type', payload->>'message_id' FROM outbox ORDER BY 1";
    let rows = bench.test.sql().await.query(rows, &[]).await.unwrap();
    let parked: Vec<(&str, Option<&str>, Option<&str>)> =
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
    let no_key = "it does not say which event of which store it is";
    assert_eq!(parked, [(no_key, Some("no kind"), Some("no number")), ("made up", None, None)]);
}

#[tokio::test]
async fn a_task_that_fails_comes_again_and_holds_up_nobody() {
    let bench = Bench::new().await;
    let (writer, attempts) = (bench.writer(), Arc::new(AtomicUsize::new(0)));
    let registry = Registry::new().on(Happened::KIND, "write_down", {
        let attempts = attempts.clone();
        move |delivery| {
            let (writer, attempts) = (writer.clone(), attempts.clone());
            async move {
                assert_eq!(delivery.request_id.as_deref(), Some("request-1"), "also on a repetition");
                if number(&delivery) == 0 {
                    assert_eq!(attempts.fetch_add(1, Ordering::Relaxed) + 1, delivery.attempt as usize);
                    match delivery.attempt {
                        1 => return Err(TaskError::retry("made up")),
                        2 => panic!("on purpose"),
                        _ => {}
                    }
                }
                writer.write(number(&delivery)).await
            }
        }
    });
    let mut config = bench.config(bench.broker.url());
    config.retry = Retry::new([Duration::from_millis(100), Duration::from_secs(3)]);
    let worker = bench.start(&config, registry);
    bench.record(0..1).await;
    eventually("the first attempt", SOON, async || (attempts.load(Ordering::Relaxed) > 0).then_some(())).await;
    let failed = Instant::now();
    bench.record(1..101).await;
    bench.eventually_count("effects", 100).await;
    assert_eq!(bench.count("effects WHERE number = 0").await, 0, "the others did not wait for it");
    bench.eventually_count("effects", 101).await;
    assert!(failed.elapsed() > Duration::from_secs(3), "two delays: {:?}", failed.elapsed());
    bench.eventually_idle().await;
    worker.stop().await;
    assert_eq!(attempts.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn eight_failures_or_a_permanent_one_give_a_task_up() {
    let bench = Bench::new().await;
    let writer = bench.writer();
    let registry = Registry::new().on(Happened::KIND, "write_down", move |delivery| {
        let writer = writer.clone();
        async move {
            writer.attempt(number(&delivery)).await?;
            match number(&delivery) {
                0 => Err(TaskError::retry("made up")),
                1 => Err(TaskError::permanent("made up")),
                2 if delivery.attempt == 1 && writer.runs(2).await < 12 => Err(TaskError::not_tried("made up")),
                _ => writer.write(number(&delivery)).await,
            }
        }
    });
    let worker = bench.start(&bench.config(bench.broker.url()), registry);
    bench.record(0..4).await;
    bench.eventually_count("effects", 2).await;
    bench.eventually_parked(2).await;
    bench.eventually_idle().await;
    worker.stop().await;
    let runs = async |number: i64| bench.count(&format!("runs WHERE number = {number}")).await;
    assert_eq!((runs(0).await, runs(1).await), (8, 1));
    assert!(runs(2).await >= 12, "what was not tried does not count as a failure");
}

#[tokio::test]
async fn stopping_lets_running_tasks_end_and_leaves_the_rest() {
    let bench = Bench::new().await;
    let (writer, gate, begun) = (bench.writer(), Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
    let registry = Registry::new().on(Happened::KIND, "write_down", {
        let (gate, begun) = (gate.clone(), begun.clone());
        move |delivery| {
            let (writer, gate) = (writer.clone(), gate.clone());
            begun.fetch_add(1, Ordering::Relaxed);
            async move {
                let _pass = gate.acquire().await;
                if number(&delivery) == 3 {
                    return Err(TaskError::retry("made up"));
                }
                writer.write(number(&delivery)).await
            }
        }
    });
    let worker = bench.start(&bench.config(bench.broker.url()), registry);
    bench.record(0..40).await;
    eventually("as many as may run at once", SOON, async || (begun.load(Ordering::Relaxed) == 16).then_some(())).await;
    bench.eventually_published().await;
    let stopping = tokio::spawn(worker.stop());
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!stopping.is_finished(), "it waits for the tasks");
    gate.add_permits(1000);
    let limit = tokio::time::timeout(Duration::from_secs(3), stopping);
    limit.await.expect("it stops once the tasks have ended").unwrap();
    assert_eq!(begun.load(Ordering::Relaxed), 16, "no new task was begun");
    assert_eq!((bench.count("effects").await, bench.count("runs").await), (15, 15));
    // 24 that were not begun, and the one that failed while stopping, which came back by way of the retry queue.
    bench.eventually_ready("tasks", 25).await;
    assert_eq!(bench.count("outbox WHERE worker IS NULL").await, 25, "nothing counts as crashed");
}
