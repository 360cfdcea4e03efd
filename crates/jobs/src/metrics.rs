//! What is counted. Names and help texts in one place.

use std::time::Duration;

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

const PUBLISHED: &str = "jobs_published_total";
const CONFIRMED: &str = "jobs_confirmed_total";
const PUBLISH_DELAY: &str = "jobs_publish_delay_seconds";
const CONFIRM: &str = "jobs_confirm_seconds";
const RECALLED: &str = "jobs_recalled_total";
const CONSUMED: &str = "jobs_consumed_total";
const DURATION: &str = "jobs_task_duration_seconds";
const REDELIVERED: &str = "jobs_redelivered_total";
const REPEATED: &str = "jobs_repeated_total";
const CRASHED: &str = "jobs_crashed_total";
const SESSIONS_LOST: &str = "jobs_sessions_lost_total";
const BLOCKED: &str = "jobs_broker_blocked";

/// The sessions that may be lost, and the names of their loops.
pub(crate) const RELAY: &str = "relay";
pub(crate) const CONSUMER: &str = "consumer";

/// How an attempt may end.
const OUTCOMES: [&str; 4] = ["done", "retry", "not_tried", "dead"];

/// Tells the recorder what the numbers mean and that they begin at zero: of one that first appears at 1, nobody can tell
/// that it rose. Called after the recorder was installed.
pub(crate) fn describe(tasks: impl Iterator<Item = &'static str>) {
    describe_counter!(PUBLISHED, "Messages sent to the broker by the relay");
    describe_counter!(CONFIRMED, "Messages that the broker confirmed");
    describe_histogram!(PUBLISH_DELAY, "How long events waited in the outbox until a relay took them");
    describe_histogram!(CONFIRM, "How long the broker took to confirm a batch of messages");
    describe_counter!(RECALLED, "Events that were overdue and are published again, as the broker must have lost them");
    describe_counter!(CONSUMED, "Attempts at tasks, by task and outcome (done, retry, not_tried, dead)");
    describe_histogram!(DURATION, "How long an attempt at a task took");
    describe_counter!(REDELIVERED, "Messages that the broker delivered once more");
    describe_counter!(REPEATED, "Messages whose event was done already, so that nothing was left to do");
    describe_counter!(CRASHED, "Attempts that ended with the process of their worker");
    describe_counter!(SESSIONS_LOST, "Sessions with the broker that ended by a failure, by name");
    describe_gauge!(BLOCKED, "1 while the broker takes no messages because of an alarm");
    for name in [PUBLISHED, CONFIRMED, RECALLED, REDELIVERED, REPEATED, CRASHED] {
        counter!(name).increment(0);
    }
    for name in [RELAY, CONSUMER] {
        counter!(SESSIONS_LOST, "session" => name).increment(0);
    }
    for task in tasks.chain(["unknown"]) {
        for outcome in OUTCOMES {
            counter!(CONSUMED, "task" => task, "outcome" => outcome).increment(0);
        }
        _ = histogram!(DURATION, "task" => task);
    }
    _ = (histogram!(PUBLISH_DELAY), histogram!(CONFIRM));
    blocked(false);
}

/// So many messages were published, after so many seconds in the outbox.
pub(crate) fn published(waited: impl ExactSizeIterator<Item = f64>) {
    counter!(PUBLISHED).increment(waited.len() as u64);
    let delay = histogram!(PUBLISH_DELAY);
    waited.for_each(|seconds| delay.record(seconds));
}

pub(crate) fn confirmed(messages: usize, took: Duration) {
    counter!(CONFIRMED).increment(messages as u64);
    histogram!(CONFIRM).record(took);
}

pub(crate) fn recalled(events: usize) {
    counter!(RECALLED).increment(events as u64);
}

pub(crate) fn consumed(task: &'static str, outcome: &'static str) {
    counter!(CONSUMED, "task" => task, "outcome" => outcome).increment(1);
}

pub(crate) fn took(task: &'static str, elapsed: Duration) {
    histogram!(DURATION, "task" => task).record(elapsed);
}

pub(crate) fn redelivered() {
    counter!(REDELIVERED).increment(1);
}

pub(crate) fn repeated() {
    counter!(REPEATED).increment(1);
}

pub(crate) fn crashed() {
    counter!(CRASHED).increment(1);
}

pub(crate) fn session_lost(name: &'static str) {
    counter!(SESSIONS_LOST, "session" => name).increment(1);
}

pub(crate) fn blocked(blocked: bool) {
    gauge!(BLOCKED).set(if blocked { 1.0 } else { 0.0 });
}
