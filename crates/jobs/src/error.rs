//! What ends a session with the broker.

use std::time::Duration;

/// Why a session was thrown away. The supervisor logs it and begins a new one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Lapse {
    #[error(transparent)]
    Amqp(#[from] lapin::Error),
    #[error("the broker's address cannot be reached: {0}")]
    Address(#[from] std::io::Error),
    #[error("{0} took longer than {1:?}")]
    Late(&'static str, Duration),
    #[error("the broker took a message that no queue received")]
    Unroutable,
    #[error("the broker refused a message")]
    Refused,
    #[error("the broker takes no messages for now (an alarm of memory or disk)")]
    Blocked,
    #[error("there is no session to publish on")]
    NoSession,
    #[error("the broker ended the consumer")]
    ConsumerEnded,
    #[error("an acknowledgement was not accepted")]
    NotAcknowledged,
    #[error("the worker stops")]
    Stopping,
    #[error("a message was left without its confirm, or the connection broke")]
    Broken,
}

/// `step`, which must be done within `limit`.
pub(crate) async fn bounded<T, E: Into<Lapse>>(
    what: &'static str,
    limit: Duration,
    step: impl Future<Output = Result<T, E>>,
) -> Result<T, Lapse> {
    match tokio::time::timeout(limit, step).await {
        Ok(result) => result.map_err(Into::into),
        Err(_) => Err(Lapse::Late(what, limit)),
    }
}
