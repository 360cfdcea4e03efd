//! One attempt at one task: bounded in time, safe from panics, told in one line.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;
use tracing::Instrument;

use crate::lane::{Aside, Lane};
use crate::metrics;
use crate::registry::{Delivery, Registry, TaskError};
use crate::retry::Retry;

/// The longest that a task may take. Well below RabbitMQ's 30 minutes for an acknowledgement.
pub(crate) const LONGEST: Duration = Duration::from_secs(30);

/// What is to be done with the message or row that carried the task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It had its effect: away with it.
    Done,
    /// It failed, and comes again after `delay`.
    Again { delay: Duration, error: String },
    /// It was not tried: whoever has it tries again after `delay`.
    NotTried { delay: Duration, error: String },
    /// It is given up.
    Dead { error: String },
}

/// Runs tasks.
#[derive(Debug, Clone)]
pub(crate) struct Runner {
    registry: Arc<Registry>,
    retry: Retry,
}

impl Runner {
    pub(crate) fn new(registry: Arc<Registry>, retry: Retry) -> Self {
        Self { registry, retry }
    }

    /// Where an event waits.
    pub(crate) fn lane(&self, kind: &str, payload: &serde_json::Value) -> Lane {
        self.registry.lane(kind, payload)
    }

    /// The events that do not wait at [`Lane::Home`].
    pub(crate) fn asides(&self) -> &[Aside] {
        self.registry.asides()
    }

    /// When a task comes again that failed so often; none where it was given up.
    pub(crate) fn after(&self, failures: u32) -> Option<Duration> {
        self.retry.after(failures)
    }

    /// Between two attempts that do not count.
    pub(crate) fn pause(&self) -> Duration {
        self.retry.pause()
    }

    /// Makes the attempt and logs how it went. So many attempts have failed before.
    pub(crate) async fn run(&self, delivery: Delivery, failures: u32) -> Outcome {
        let Delivery { kind, event, request_id, traceparent, attempt, .. } = delivery.clone();
        let trace_id = traceparent.as_deref().and_then(trace_id);
        let Some(task) = self.registry.task(&kind) else {
            metrics::consumed("unknown", "dead");
            let error = "no task answers this kind of event";
            tracing::error!(kind, event, request_id, trace_id, outcome = "dead", "{error}");
            return Outcome::Dead { error: error.into() };
        };
        let began = Instant::now();
        // What the task logs of itself carries this along.
        let span = tracing::info_span!("task", task = task.name, event, request_id, trace_id, attempt);
        let result = within(LONGEST, tokio::spawn((task.handler)(delivery).instrument(span))).await;
        let elapsed = began.elapsed();
        let outcome = match result {
            Ok(()) => Outcome::Done,
            Err(TaskError::NotTried(error)) => Outcome::NotTried { delay: self.retry.pause(), error: chain(&*error) },
            Err(TaskError::Permanent(error)) => Outcome::Dead { error: chain(&*error) },
            Err(TaskError::Retry(error)) => match self.retry.after(failures + 1) {
                Some(delay) => Outcome::Again { delay, error: chain(&*error) },
                None => Outcome::Dead { error: chain(&*error) },
            },
        };
        metrics::consumed(task.name, outcome.name());
        metrics::took(task.name, elapsed);
        let (task, outcome_name, elapsed_ms) = (task.name, outcome.name(), elapsed.as_secs_f64() * 1e3);
        match &outcome {
            Outcome::Done => {
                tracing::info!(
                    task,
                    kind,
                    event,
                    request_id,
                    trace_id,
                    attempt,
                    outcome = outcome_name,
                    elapsed_ms,
                    "task done"
                );
            }
            Outcome::Again { error, .. } | Outcome::NotTried { error, .. } => {
                tracing::warn!(
                    task,
                    kind,
                    event,
                    request_id,
                    trace_id,
                    attempt,
                    outcome = outcome_name,
                    elapsed_ms,
                    error,
                    "task failed, and comes again"
                );
            }
            Outcome::Dead { error } => {
                tracing::error!(
                    task,
                    kind,
                    event,
                    request_id,
                    trace_id,
                    attempt,
                    outcome = outcome_name,
                    elapsed_ms,
                    error,
                    "task failed, and is given up"
                );
            }
        }
        outcome
    }
}

impl Outcome {
    fn name(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Again { .. } => "retry",
            Self::NotTried { .. } => "not_tried",
            Self::Dead { .. } => "dead",
        }
    }
}

/// The task's own word, unless it panics or takes too long. It is aborted then, which ends it at its next wait; a
/// transaction that it began ends by itself.
async fn within(limit: Duration, mut attempt: JoinHandle<Result<(), TaskError>>) -> Result<(), TaskError> {
    match tokio::time::timeout(limit, &mut attempt).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err(TaskError::retry("it panicked")),
        Err(_) => {
            attempt.abort();
            Err(TaskError::retry(format!("it took longer than {limit:?}")))
        }
    }
}

/// The trace's number in a `traceparent`.
fn trace_id(traceparent: &str) -> Option<&str> {
    traceparent.split('-').nth(1).filter(|id| id.len() == 32)
}

/// An error with everything that caused it.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |text, cause| {
        let cause = cause.to_string();
        // Transparent errors repeat their cause.
        if text.ends_with(&cause) { text } else { format!("{text}: {cause}") }
    })
}
