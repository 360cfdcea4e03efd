//! Events that the broker lost, published again.
//!
//! An event stays in the outbox until its task is done, and says when something is to happen to it next. One that is
//! overdue while the queue of tasks is empty was lost on the way: the broker was wiped, or restored from an older copy.
//! While the queue is not empty an event may well be waiting its turn, so it has to be overdue for long.

use std::time::Duration;

use db::Database;

use crate::metrics;

/// How often to look.
pub(crate) const EVERY: Duration = Duration::from_secs(5);

/// How overdue an event has to be while there are messages in the queue.
const BEHIND_OTHERS: Duration = Duration::from_secs(600);

const BATCH: i64 = 1_000;

/// Has events published again that are overdue by `late`, where so many messages lie ready in the queue of tasks.
/// Returns how many.
pub(crate) async fn sweep(database: &Database, ready: u32, late: Duration) -> Result<usize, db::Error> {
    let late = if ready == 0 { late } else { BEHIND_OTHERS.max(late) };
    let mut recalled = 0;
    loop {
        let batch =
            database.transaction::<_, db::Error, _>(move |tx| Box::pin(outbox::recall(tx, late, BATCH))).await?;
        recalled += batch;
        if i64::try_from(batch) != Ok(BATCH) {
            break;
        }
    }
    if recalled > 0 {
        metrics::recalled(recalled);
        tracing::warn!(events = recalled, "events were overdue, and are published again");
    }
    Ok(recalled)
}
