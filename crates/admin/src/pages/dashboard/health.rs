//! How the parts of the system do.
//!
//! The gateway has no connection to RabbitMQ and knows no worker: of these it tells what the database does.

use db::Connection;
use outbox::{Backlog, Carriers};

use crate::desk::Desk;
use crate::list::Tone;
use crate::trouble::Trouble;

/// Seconds after which something waits for too long. As the alert rule has it.
const LATE: f64 = 60.0;

/// As many waiting as call for a look. As the alert rule has it.
const MANY: i64 = 10_000;

/// How a part of the system does.
pub(super) struct Part {
    pub(super) name: &'static str,
    pub(super) state: String,
    tone: Tone,
}

impl Part {
    /// A part whose state is a word that has a tone.
    fn new(name: &'static str, state: &str) -> Self {
        Self { name, state: state.to_owned(), tone: Tone::of(state) }
    }

    pub(super) fn class(&self) -> &'static str {
        self.tone.class()
    }
}

/// Every part.
pub(super) async fn parts(desk: &Desk, conn: &mut Connection) -> Result<Vec<Part>, Trouble> {
    let database = if desk.database()?.ping().await.is_ok() { "ok" } else { "unreachable" };
    let carriers = outbox::carriers(conn).await?;
    Ok(vec![
        Part::new("Database", database),
        Part::new("Search index", desk.search()?.state()),
        Part::new("Cache", desk.cache()?.check().await.as_str()),
        workers(&carriers),
        broker(&carriers),
    ])
}

fn workers(carriers: &Carriers) -> Part {
    let alive = carriers.workers;
    let (tone, state) = match carriers.seen_seconds {
        _ if alive == 0 => (Tone::Bad, "none is alive".to_owned()),
        Some(seconds) => (Tone::Good, format!("{alive} alive, seen {seconds:.0} s ago")),
        None => (Tone::Good, format!("{alive} alive")),
    };
    Part { name: "Workers", state, tone }
}

fn broker(carriers: &Carriers) -> Part {
    let (tone, state) = match (carriers.due_seconds, carriers.published_seconds) {
        (Some(due), _) if due > LATE => (Tone::Bad, format!("nothing published for {due:.0} s")),
        (Some(due), _) => (Tone::Good, format!("the next waits for {due:.0} s")),
        (None, Some(published)) => (Tone::Good, format!("published {published:.0} s ago")),
        (None, None) => (Tone::Quiet, "nothing to publish".to_owned()),
    };
    Part { name: "RabbitMQ", state, tone }
}

/// Whether somebody should look why so much waits.
pub(super) fn is_long(backlog: &Backlog) -> bool {
    backlog.waiting > MANY
}

/// Whether somebody should look why it waits for so long.
pub(super) fn is_late(backlog: &Backlog) -> bool {
    backlog.oldest_seconds > LATE
}
