//! Which task answers which event.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use serde_json::Value;

use crate::lane::{Aside, Lane};

/// A task to do, once or once more.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// The event's kind, such as `order.confirmed`.
    pub kind: String,
    /// What happened, as the event was recorded.
    pub payload: Value,
    /// The event's number in the outbox; the same for every attempt.
    pub event: i64,
    /// The request that caused it, for the logs.
    pub request_id: Option<String>,
    /// The trace that it belongs to (W3C Trace Context), for the logs.
    pub traceparent: Option<String>,
    /// Which attempt this is, from 1.
    pub attempt: u32,
}

/// How a task failed, and what shall become of it. See [`Retry`](crate::Retry) for when "again" is.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// It may go better the next time. Counts as a failure.
    #[error("{0}")]
    Retry(#[source] Box<dyn Error + Send + Sync>),
    /// It will never go better. The task is given up at once.
    #[error("{0}")]
    Permanent(#[source] Box<dyn Error + Send + Sync>),
    /// It could not be tried, as something that every task needs is away, such as the database. Tried again until
    /// that is back; does not count as a failure.
    #[error("{0}")]
    NotTried(#[source] Box<dyn Error + Send + Sync>),
}

impl TaskError {
    /// [`TaskError::Retry`] for this reason.
    pub fn retry(reason: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Retry(reason.into())
    }

    /// [`TaskError::Permanent`] for this reason.
    pub fn permanent(reason: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Permanent(reason.into())
    }

    /// [`TaskError::NotTried`] for this reason.
    pub fn not_tried(reason: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::NotTried(reason.into())
    }
}

/// The database being away says nothing about the task. Whatever else it has to say (a statement that took too long, a
/// deadlock, a constraint) may lie with the task, and counts.
impl From<db::Error> for TaskError {
    fn from(error: db::Error) -> Self {
        match error {
            db::Error::Unavailable(_) | db::Error::Away(_) => Self::not_tried(error),
            _ => Self::retry(error),
        }
    }
}

pub(crate) type Attempt = Pin<Box<dyn Future<Output = Result<(), TaskError>> + Send>>;

#[derive(Clone)]
pub(crate) struct Task {
    pub(crate) name: &'static str,
    pub(crate) handler: Arc<dyn Fn(Delivery) -> Attempt + Send + Sync>,
}

/// The tasks that this process knows, by the kind of event that they answer.
#[derive(Clone, Default)]
pub struct Registry {
    tasks: HashMap<&'static str, Task>,
    asides: Vec<Aside>,
}

impl Registry {
    /// A registry that knows no task.
    pub fn new() -> Self {
        Self::default()
    }

    /// Has events of `kind` answered by the task `name`. The handler may be called more than once for one event, even
    /// at the same time in two processes, so its effect must be idempotent.
    ///
    /// # Panics
    /// When `kind` has a task already.
    #[must_use]
    pub fn on<H, F>(mut self, kind: &'static str, name: &'static str, handler: H) -> Self
    where
        H: Fn(Delivery) -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), TaskError>> + Send + 'static,
    {
        let task = Task { name, handler: Arc::new(move |delivery| Box::pin(handler(delivery))) };
        assert!(self.tasks.insert(kind, task).is_none(), "two tasks for {kind}");
        self
    }

    /// Has events of `kind` whose payload has all members of `like`, an object, wait in `lane`, where they keep none
    /// of another lane waiting. An event is to fit one lane at most.
    #[must_use]
    pub fn aside(mut self, lane: Lane, kind: &'static str, like: Value) -> Self {
        self.asides.push(Aside { lane, kind, like });
        self
    }

    /// Where an event waits.
    pub(crate) fn lane(&self, kind: &str, payload: &Value) -> Lane {
        self.asides.iter().find(|aside| aside.takes(kind, payload)).map_or(Lane::Home, |aside| aside.lane)
    }

    /// What the tasks are called.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.tasks.values().map(|task| task.name)
    }

    pub(crate) fn asides(&self) -> &[Aside] {
        &self.asides
    }

    pub(crate) fn task(&self, kind: &str) -> Option<&Task> {
        self.tasks.get(kind)
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.tasks.iter().map(|(kind, task)| (kind, task.name))).finish()
    }
}
