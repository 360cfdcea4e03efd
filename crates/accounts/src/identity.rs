//! From a token to whoever it speaks for.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use secrecy::{ExposeSecret, SecretString};
use web::{Code, Coded};

use crate::schema::{staff, tokens};
use crate::{Accounts, Role, Scope, secret};

/// How exactly a token's use is noted: not with every request.
const NOTED: TimeDelta = TimeDelta::minutes(1);

/// Whom a token speaks for, and what it opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Id of the token.
    pub token_id: i64,
    /// What its maker calls it.
    pub token_name: String,
    /// Who made it.
    pub staff_id: i64,
    /// The maker's address.
    pub email: String,
    /// What it opens now: what it was made for, as far as its maker's role goes.
    pub scopes: Vec<Scope>,
}

/// Why a token opens nothing.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// There is none where one should be, or more than one.
    #[error("The header Authorization must be there once, as Bearer <token>.")]
    Unreadable,
    /// There is no such token.
    #[error("This token is not known.")]
    Unknown,
    /// Its time is over.
    #[error("This token has expired.")]
    Expired,
    /// It was revoked.
    #[error("This token has been revoked.")]
    Revoked,
    /// Its maker's account is disabled.
    #[error("The account of this token's maker is disabled.")]
    Disabled,
    /// The database failed.
    #[error(transparent)]
    Database(#[from] db::Error),
}

impl Coded for TokenError {
    fn code(&self) -> Code {
        match self {
            Self::Database(error) => error.code(),
            _ => Code::Unauthorized,
        }
    }
}

#[derive(HasQuery)]
#[diesel(table_name = tokens, base_query = tokens::table.inner_join(staff::table), check_for_backend(diesel::pg::Pg))]
struct Found {
    id: i64,
    name: String,
    staff_id: i64,
    scopes: Vec<String>,
    expires_at: Option<DateTime<Utc>>,
    last_used_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
    #[diesel(select_expression = staff::email)]
    email: String,
    #[diesel(select_expression = staff::role, deserialize_as = String)]
    role: Role,
    #[diesel(select_expression = staff::disabled_at)]
    disabled_at: Option<DateTime<Utc>>,
}

impl Found {
    fn judge(self, now: DateTime<Utc>) -> Result<Identity, TokenError> {
        let Self { id, name, staff_id, scopes, email, role, .. } = self;
        if self.disabled_at.is_some() {
            return Err(TokenError::Disabled);
        }
        if self.revoked_at.is_some() {
            return Err(TokenError::Revoked);
        }
        if self.expires_at.is_some_and(|end| end <= now) {
            return Err(TokenError::Expired);
        }
        let scopes = role.scopes().filter(|scope| scopes.iter().any(|name| name == scope.as_str())).collect();
        Ok(Identity { token_id: id, token_name: name, staff_id, email, scopes })
    }
}

impl Accounts {
    /// Whom this token speaks for. Notes that it was used.
    ///
    /// # Errors
    /// As [`TokenError`] says.
    pub async fn identify(&self, token: &SecretString) -> Result<Identity, TokenError> {
        let now = self.clock.now();
        let found: Option<Found> = {
            let conn = self.database.connection().await?;
            let query = Found::query().filter(tokens::secret_hash.eq(secret::hash(token.expose_secret())));
            query.first(&mut &*conn).await.optional().map_err(db::Error::from)?
        };
        let found = found.ok_or(TokenError::Unknown)?;
        let is_noted = found.last_used_at.is_some_and(|used| now - used < NOTED);
        let identity = found.judge(now)?;
        if !is_noted {
            self.note_use_of_token(identity.token_id, now).await?;
        }
        Ok(identity)
    }

    async fn note_use_of_token(&self, id: i64, now: DateTime<Utc>) -> Result<(), db::Error> {
        self.database
            .transaction(move |tx| {
                Box::pin(async move {
                    let mut conn: &AsyncPgConnection = tx;
                    let used = tokens::last_used_at.eq(now);
                    diesel::update(tokens::table.find(id)).set(used).execute(&mut conn).await?;
                    Ok(())
                })
            })
            .await
    }
}
