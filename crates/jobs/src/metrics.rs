//! What is counted. Names and help texts in one place.

use std::time::Duration;

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

const PUBLISHED: &str = "jobs_published_total";
const CONFIRMED: &str = "jobs_confirmed_total";
const CONSUMED: &str = "jobs_consumed_total";
const DURATION: &str = "jobs_task_duration_seconds";
const SESSIONS_LOST: &str = "jobs_sessions_lost_total";
const BLOCKED: &str = "jobs_broker_blocked";
const WAITING: &str = "outbox_events";
const OLDEST: &str = "outbox_oldest_seconds";
const PARKED: &str = "outbox_parked_events";

/// Tells the recorder what the numbers mean. Called after the recorder was installed.
pub(crate) fn describe() {
    describe_counter!(PUBLISHED, "Messages sent to the broker by the relay");
    describe_counter!(CONFIRMED, "Messages that the broker confirmed");
    describe_counter!(CONSUMED, "Attempts at tasks, by task and outcome (done, retry, not_tried, dead)");
    describe_histogram!(DURATION, "How long an attempt at a task took");
    describe_counter!(SESSIONS_LOST, "Sessions with the broker that ended by a failure, by name");
    describe_gauge!(BLOCKED, "1 while the broker takes no messages because of an alarm");
    describe_gauge!(WAITING, "Events that wait in the outbox, counted up to 100,000");
    describe_gauge!(OLDEST, "Age of the oldest event that waits in the outbox");
    describe_gauge!(PARKED, "Events in the outbox that were given up, counted up to 100,000");
}

pub(crate) fn published(messages: usize) {
    counter!(PUBLISHED).increment(messages as u64);
}

pub(crate) fn confirmed(messages: usize) {
    counter!(CONFIRMED).increment(messages as u64);
}

pub(crate) fn consumed(task: &'static str, outcome: &'static str) {
    counter!(CONSUMED, "task" => task, "outcome" => outcome).increment(1);
}

pub(crate) fn took(task: &'static str, elapsed: Duration) {
    histogram!(DURATION, "task" => task).record(elapsed);
}

pub(crate) fn session_lost(name: &'static str) {
    counter!(SESSIONS_LOST, "session" => name).increment(1);
}

pub(crate) fn blocked(blocked: bool) {
    gauge!(BLOCKED).set(if blocked { 1.0 } else { 0.0 });
}

pub(crate) fn backlog(backlog: outbox::Backlog) {
    gauge!(WAITING).set(backlog.waiting as f64);
    gauge!(OLDEST).set(backlog.oldest_seconds);
    gauge!(PARKED).set(backlog.parked as f64);
}
