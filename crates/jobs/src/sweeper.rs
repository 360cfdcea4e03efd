//! Events that the broker lost, published again.
//!
//! An event stays in the outbox until its task is done, and says when something is to happen to it next. One that is
//! overdue while no queue of tasks holds any was lost on the way: the broker was wiped, or restored from an older copy.
//! While the queues are not empty an event may well be waiting its turn, so it has to be overdue for long, and more have
//! to be so than there are messages.

use std::time::Duration;

use db::Database;

use crate::metrics;

/// How often to look.
pub(crate) const EVERY: Duration = Duration::from_secs(5);

/// How overdue an event has to be while there are messages in the queue.
const BEHIND_OTHERS: Duration = Duration::from_secs(600);

const BATCH: i64 = 1_000;

/// Has events published again that are overdue by `late`, where so many messages lie ready in the queues of tasks.
/// Returns how many.
pub(crate) async fn sweep(database: &Database, ready: u32, late: Duration) -> Result<usize, db::Error> {
    let late = if ready == 0 { late } else { BEHIND_OTHERS.max(late) };
    if ready > 0 {
        // As many as there are messages may all be waiting their turn. Publishing them again would make the queue
        // longer each time.
        let overdue = outbox::count_overdue(&mut database.connection().await?, late).await?;
        if overdue <= i64::from(ready) {
            return Ok(0);
        }
    }
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
