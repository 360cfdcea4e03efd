//! What can go wrong between us and PostgreSQL, sorted by what the caller can do about it.

mod bare;

pub(crate) use bare::with_source;

use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel_async::pooled_connection::deadpool::PoolError;

/// A failure of the database, or of the way to it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The connection broke, or the server takes no work. Another connection may help, trying later does.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// No connection is to be had, or the server says nothing: it is away, or all connections are in use. Whoever has
    /// waited for that answers instead of waiting again.
    #[error("the database cannot be reached: {0}")]
    Away(String),
    /// The work stood in the way of other work (deadlock, serialization failure). Trying again at once helps.
    #[error("the transaction was refused in favour of another: {0}")]
    Conflict(#[source] DieselError),
    /// A statement or a lock took longer than its limit. Trying later helps.
    #[error("the database took too long: {0}")]
    Timeout(#[source] DieselError),
    /// Anything else: a fault of ours.
    #[error(transparent)]
    Query(DieselError),
}

impl Error {
    /// Whether the same transaction may well succeed when run again right away.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Conflict(_))
    }

    /// Whether it was a lock that was waited for in vain, so that whoever holds it is the cause, and not how much was
    /// asked for at once.
    pub fn is_lock_timeout(&self) -> bool {
        match self {
            Self::Timeout(DieselError::DatabaseError(_, info)) => info.message().ends_with("due to lock timeout"),
            _ => false,
        }
    }

    /// The constraint that refused the write, if one did.
    pub fn constraint(&self) -> Option<&str> {
        match self {
            Self::Query(DieselError::DatabaseError(_, info)) => info.constraint_name(),
            _ => None,
        }
    }
}

/// diesel keeps no SQLSTATE for most errors, so the message tells; PostgreSQL's are in English unless its
/// `lc_messages` says otherwise.
impl From<DieselError> for Error {
    fn from(error: DieselError) -> Self {
        let DieselError::DatabaseError(kind, info) = &error else {
            return match error {
                DieselError::BrokenTransactionManager => Self::Unavailable("the connection broke".into()),
                other => Self::Query(other),
            };
        };
        let message = info.message();
        match kind {
            DatabaseErrorKind::ClosedConnection
            | DatabaseErrorKind::UnableToSendCommand
            | DatabaseErrorKind::ReadOnlyTransaction => Self::Unavailable(message.to_owned()),
            DatabaseErrorKind::SerializationFailure => Self::Conflict(error),
            _ if message == "deadlock detected" => Self::Conflict(error),
            _ if message.starts_with("canceling statement due to") => Self::Timeout(error),
            _ if says_unavailable(message) => Self::Unavailable(message.to_owned()),
            _ => Self::Query(error),
        }
    }
}

fn says_unavailable(message: &str) -> bool {
    ["terminating connection", "the database system is", "sorry, too many clients", "could not extend file"]
        .iter()
        .any(|start| message.starts_with(start))
        || message.contains("No space left on device")
}

impl From<PoolError> for Error {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Timeout(_) => Self::Away("no connection came free, or could be opened, in time".into()),
            other => Self::Away(other.to_string()),
        }
    }
}
