//! Tasks that wait for somebody who does not answer, and those that must not wait with them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jobs::{Config, Lane, Registry};
use outbox::Event;
use serde_json::json;
use testkit::eventually;

use crate::bench::{Bench, Happened, SOON, number};
use crate::crashes::Mortal;

/// Those events wait for a receiver who never answers.
fn silent(number: i64) -> bool {
    number < 40
}

/// Of the silent events those that are `begun` hang; all others are written down.
fn registry(bench: &Bench, begun: &Arc<AtomicUsize>) -> Registry {
    let (writer, begun) = (bench.writer(), begun.clone());
    let registry = Registry::new().on(Happened::KIND, "write_down", move |delivery| {
        let (writer, begun) = (writer.clone(), begun.clone());
        async move {
            if silent(number(&delivery)) {
                begun.fetch_add(1, Ordering::Relaxed);
                return std::future::pending().await;
            }
            writer.write(number(&delivery)).await
        }
    });
    (0..40)
        .fold(registry, |registry, number| registry.aside(Lane::Webhook, Happened::KIND, json!({ "number": number })))
}

async fn a_silent_receiver_holds_up_its_own_lane_alone(bench: &Bench, config: &Config) {
    let begun = Arc::new(AtomicUsize::new(0));
    bench.record(0..40).await;
    let worker = bench.start(config, registry(bench, &begun));
    eventually("its lane is full", SOON, async || (begun.load(Ordering::Relaxed) == 16).then_some(())).await;
    bench.record(40..340).await;
    bench.eventually_count("effects", 300).await;
    assert_eq!(begun.load(Ordering::Relaxed), 16, "no more than its slots");
    drop(worker);
}

#[tokio::test]
async fn a_receiver_that_never_answers_keeps_no_other_task_waiting() {
    let bench = Bench::new().await;
    a_silent_receiver_holds_up_its_own_lane_alone(&bench, &bench.config(bench.broker.url())).await;
}

#[tokio::test]
async fn without_a_broker_too_a_receiver_that_never_answers_keeps_no_other_task_waiting() {
    let bench = Bench::new().await;
    a_silent_receiver_holds_up_its_own_lane_alone(&bench, &bench.direct()).await;
}

async fn what_was_left_behind_at_a_silent_receiver_stops_nothing_sound(bench: &Bench, config: &Config) {
    let begun = Arc::new(AtomicUsize::new(0));
    let victim = Mortal::start(bench, config, registry(bench, &begun));
    bench.record(0..16).await;
    eventually("its lane is full", SOON, async || (begun.load(Ordering::Relaxed) == 16).then_some(())).await;
    victim.kill();
    let worker = bench.start(config, registry(bench, &begun));
    // One of the sixteen, alone among those whose process died, and sound ones beside it.
    bench.eventually_count("outbox WHERE crashes > 0", 1).await;
    bench.record(40..140).await;
    bench.eventually_count("effects", 100).await;
    assert_eq!(bench.count("outbox WHERE crashes > 0").await, 1, "one at a time");
    drop(worker);
}

#[tokio::test]
async fn what_died_and_waits_again_keeps_no_sound_task_waiting() {
    let bench = Bench::new().await;
    what_was_left_behind_at_a_silent_receiver_stops_nothing_sound(&bench, &bench.config(bench.broker.url())).await;
}

#[tokio::test]
async fn without_a_broker_too_what_died_and_waits_again_keeps_no_sound_task_waiting() {
    let bench = Bench::new().await;
    what_was_left_behind_at_a_silent_receiver_stops_nothing_sound(&bench, &bench.direct()).await;
}

#[tokio::test]
async fn a_message_that_repeats_what_is_done_stops_no_other_task() {
    let bench = Bench::new().await;
    let begun = Arc::new(AtomicUsize::new(0));
    let registry = Registry::new().on(Happened::KIND, "write_down", {
        let (writer, begun) = (bench.writer(), begun.clone());
        move |delivery| {
            let (writer, begun) = (writer.clone(), begun.clone());
            async move {
                if number(&delivery) == 0 {
                    begun.fetch_add(1, Ordering::Relaxed);
                    return std::future::pending().await;
                }
                writer.write(number(&delivery)).await
            }
        }
    });
    let worker = bench.start(&bench.config(bench.broker.url()), registry);
    bench.record(0..1).await;
    eventually("one takes its time", SOON, async || (begun.load(Ordering::Relaxed) == 1).then_some(())).await;
    bench.publish(1_000_000, 1, "{}").await;
    bench.eventually_ready("tasks", 0).await;
    bench.record(1..101).await;
    bench.eventually_count("effects", 100).await;
    assert_eq!(begun.load(Ordering::Relaxed), 1);
    drop(worker);
}

#[tokio::test]
async fn copies_of_an_event_that_fails_do_not_use_up_its_attempts() {
    let bench = Bench::new().await;
    let writer = bench.writer();
    let registry = Registry::new().on(Happened::KIND, "write_down", move |delivery| {
        let writer = writer.clone();
        async move {
            writer.attempt(number(&delivery)).await?;
            Err(jobs::TaskError::retry("made up"))
        }
    });
    let mut config = bench.config(bench.broker.url());
    config.retry = jobs::Retry::new([Duration::from_millis(100), Duration::from_secs(3)]);
    // With its copies in the queue before it begins.
    let hung = Mortal::start(&bench, &config, Registry::new().on(Happened::KIND, "hang", |_| std::future::pending()));
    bench.record(0..1).await;
    bench.eventually_published().await;
    bench.eventually_count("outbox WHERE worker IS NOT NULL", 1).await;
    for _ in 0..4 {
        bench.publish_again(0..1).await;
    }
    hung.kill();
    bench.eventually_count("outbox WHERE worker IS NOT NULL", 1).await;
    bench.forget_crashes().await;
    let worker = bench.start(&config, registry);
    bench.eventually_count("runs", 2).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(
        (bench.count("runs").await, bench.count("outbox WHERE failures = 2").await),
        (2, 1),
        "as the ladder has it"
    );
    bench.eventually_count("runs", 3).await;
    worker.stop().await;
}
