//! The outbox as numbers, for every process that watches it: should all workers be dead, the gateways still tell.

use std::time::Duration;

use db::Database;
use metrics::{describe_gauge, gauge};

use crate::Backlog;
use crate::backlog::backlog;

const WAITING: &str = "outbox_events";
const PUBLISHED: &str = "outbox_published_events";
const OLDEST: &str = "outbox_oldest_seconds";
const RETRYING: &str = "outbox_retrying_events";
const PARKED: &str = "outbox_parked_events";

/// How often it is measured.
const EVERY: Duration = Duration::from_secs(5);

/// Measures the outbox from now on, sets the gauges, and has `seen` look at each measurement. Ends never; says nothing
/// of a database that is away, since whoever needs it does.
pub async fn watch(database: Database, seen: impl Fn(&Backlog)) {
    describe_gauge!(WAITING, "Events that wait to be published, counted up to 100,000");
    describe_gauge!(PUBLISHED, "Events that the broker or a worker has, counted up to 100,000");
    describe_gauge!(OLDEST, "Age of the oldest event whose task is not done and has not failed yet");
    describe_gauge!(RETRYING, "Events whose task failed and comes again");
    describe_gauge!(PARKED, "Events that were given up, counted up to 100,000");
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let measured = async { backlog(&mut database.connection().await?).await };
        if let Ok(Ok(backlog)) = tokio::time::timeout(EVERY, measured).await {
            gauge!(WAITING).set(backlog.waiting as f64);
            gauge!(PUBLISHED).set(backlog.published as f64);
            gauge!(OLDEST).set(backlog.oldest_seconds);
            gauge!(RETRYING).set(backlog.retrying as f64);
            gauge!(PARKED).set(backlog.parked as f64);
            seen(&backlog);
        }
    }
}
