//! Lanes: tasks that wait for the same thing outside wait for each other, and keep no others waiting.
//!
//! A mail server that takes five seconds for each letter, or a receiver of webhooks that never answers, holds up all
//! that stands behind it. So each has a queue, steps of the ladder and slots of its own.

use serde_json::Value;

/// How many tasks of a lane run at once in a process, and how many of its messages the broker hands out ahead.
pub(crate) const SLOTS: u16 = 16;

/// What tasks wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Nothing but our own servers. Events that nobody put aside are here.
    Home,
    /// A mail server.
    Mail,
    /// Whoever is told by HTTP.
    Webhook,
}

impl Lane {
    /// All of them, in the order in which they may go first.
    pub(crate) const ALL: [Self; 3] = [Self::Home, Self::Mail, Self::Webhook];

    /// Its place in [`ALL`](Self::ALL).
    pub(crate) const fn place(self) -> usize {
        self as usize
    }

    /// What the name of its queue has after `tasks`.
    pub(crate) const fn suffix(self) -> &'static str {
        match self {
            Self::Home => "",
            Self::Mail => ".mail",
            Self::Webhook => ".webhook",
        }
    }
}

/// Events of a kind that are put aside: those whose payload has all members of `like`.
#[derive(Debug, Clone)]
pub(crate) struct Aside {
    pub(crate) lane: Lane,
    pub(crate) kind: &'static str,
    pub(crate) like: Value,
}

impl Aside {
    /// As PostgreSQL's `payload @> like` has it, for members that are no objects or lists themselves.
    pub(crate) fn takes(&self, kind: &str, payload: &Value) -> bool {
        let mut members = self.like.as_object().into_iter().flatten();
        self.kind == kind && members.all(|(name, value)| payload.get(name) == Some(value))
    }
}
