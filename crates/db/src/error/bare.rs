//! Errors of the bare client, which bulk work uses. Unlike diesel it tells the SQLSTATE, so that decides.

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error as DieselError};
use tokio_postgres::error::{DbError, SqlState};

use super::Error;

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(refusal) = error.as_db_error() else {
            let lost = error.is_closed()
                || std::error::Error::source(&error).is_some_and(|source| source.is::<std::io::Error>());
            return if lost {
                Self::Unavailable(with_source(&error))
            } else {
                Self::Query(DieselError::QueryBuilderError(with_source(&error).into()))
            };
        };
        let state = refusal.code().clone();
        let diesel = |kind| DieselError::DatabaseError(kind, Box::new(Information(refusal.clone())));
        match state {
            SqlState::T_R_SERIALIZATION_FAILURE | SqlState::T_R_DEADLOCK_DETECTED => {
                Self::Conflict(diesel(DatabaseErrorKind::SerializationFailure))
            }
            SqlState::LOCK_NOT_AVAILABLE | SqlState::QUERY_CANCELED => {
                Self::Timeout(diesel(DatabaseErrorKind::Unknown))
            }
            SqlState::UNIQUE_VIOLATION => Self::Query(diesel(DatabaseErrorKind::UniqueViolation)),
            SqlState::FOREIGN_KEY_VIOLATION => Self::Query(diesel(DatabaseErrorKind::ForeignKeyViolation)),
            SqlState::CHECK_VIOLATION => Self::Query(diesel(DatabaseErrorKind::CheckViolation)),
            SqlState::NOT_NULL_VIOLATION => Self::Query(diesel(DatabaseErrorKind::NotNullViolation)),
            state if is_unavailable(state.code()) => Self::Unavailable(refusal.message().to_owned()),
            _ => Self::Query(diesel(DatabaseErrorKind::Unknown)),
        }
    }
}

/// Connection exceptions (08), insufficient resources (53), an operator's intervention such as a shutdown (57P), and
/// what keeps one from getting in: a wrong password (28) or name of the database (3D).
fn is_unavailable(code: &str) -> bool {
    ["08", "53", "57P", "28", "3D"].iter().any(|class| code.starts_with(class))
}

/// The client's own messages name the step; the cause lies behind them.
pub(crate) fn with_source(error: &tokio_postgres::Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

struct Information(DbError);

impl DatabaseErrorInformation for Information {
    fn message(&self) -> &str {
        self.0.message()
    }

    fn details(&self) -> Option<&str> {
        self.0.detail()
    }

    fn hint(&self) -> Option<&str> {
        self.0.hint()
    }

    fn table_name(&self) -> Option<&str> {
        self.0.table()
    }

    fn column_name(&self) -> Option<&str> {
        self.0.column()
    }

    fn constraint_name(&self) -> Option<&str> {
        self.0.constraint()
    }

    fn statement_position(&self) -> Option<i32> {
        None
    }
}
