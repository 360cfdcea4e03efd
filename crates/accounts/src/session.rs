//! Staff who are signed in.

use chrono::{DateTime, TimeDelta, Utc};
use db::Tx;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use secrecy::{ExposeSecret, SecretString};

use crate::audit::{self, Action, Object};
use crate::schema::{sessions, staff};
use crate::{Accounts, Actor, Role, secret};

/// A session that nobody used for so long is over.
const IDLE: TimeDelta = TimeDelta::minutes(30);

/// So is one that began so long ago.
const LONGEST: TimeDelta = TimeDelta::hours(8);

/// How exactly its use is noted: not with every request.
const NOTED: TimeDelta = TimeDelta::minutes(1);

/// Somebody who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Id of the session.
    pub id: i64,
    /// Who it is.
    pub staff_id: i64,
    /// Their address.
    pub email: String,
    /// Their role, as it is now.
    pub role: Role,
    /// What every form of this session carries, so that no other site can send one.
    pub csrf_token: String,
}

/// A session that was just made.
#[derive(Debug)]
pub struct NewSession {
    /// What the browser presents from now on. Kept nowhere here.
    pub secret: SecretString,
    /// Whose it is.
    pub session: Session,
}

impl Session {
    /// Who acts.
    pub fn actor(&self) -> Actor {
        Actor::staff(self.staff_id, &self.email)
    }
}

impl Accounts {
    /// The session with this secret, unless it is over or its account disabled. Notes that it was used.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn session(&self, presented: &SecretString) -> Result<Option<Session>, db::Error> {
        let now = self.clock.now();
        let query = sessions::table
            .inner_join(staff::table)
            .filter(sessions::secret_hash.eq(secret::hash(presented.expose_secret())))
            .filter(sessions::last_used_at.gt(now - IDLE))
            .filter(sessions::created_at.gt(now - LONGEST))
            .filter(staff::disabled_at.is_null())
            .select((sessions::id, staff::id, staff::email, staff::role, sessions::last_used_at));
        let found: Option<(i64, i64, String, String, DateTime<Utc>)> = {
            let conn = self.database.connection().await?;
            query.first(&mut &*conn).await.optional()?
        };
        let Some((id, staff_id, email, role, last_used_at)) = found else { return Ok(None) };
        // The CHECK on the column knows the same names.
        let Ok(role) = role.parse() else { return Ok(None) };
        if now - last_used_at >= NOTED {
            self.note_use_of_session(id, now).await?;
        }
        let csrf_token = secret::derive(presented.expose_secret(), "csrf");
        Ok(Some(Session { id, staff_id, email, role, csrf_token }))
    }

    async fn note_use_of_session(&self, id: i64, now: DateTime<Utc>) -> Result<(), db::Error> {
        self.database
            .transaction(move |tx| {
                Box::pin(async move {
                    let mut conn: &AsyncPgConnection = tx;
                    let used = sessions::last_used_at.eq(now);
                    diesel::update(sessions::table.find(id)).set(used).execute(&mut conn).await?;
                    Ok(())
                })
            })
            .await
    }

    /// Ends a session.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn sign_out(&self, session: &Session) -> Result<(), db::Error> {
        let (id, actor, object) = (session.id, session.actor(), Object::new("staff", session.staff_id));
        self.database
            .transaction(move |tx| {
                Box::pin(async move {
                    let mut conn: &AsyncPgConnection = tx;
                    diesel::delete(sessions::table.find(id)).execute(&mut conn).await?;
                    audit::record(tx, &actor, Action::SignOut, object, None, None).await
                })
            })
            .await
    }
}

/// Begins a session for this member of staff; returns its id and secret.
///
/// # Errors
/// Those of the database.
pub(crate) async fn begin(tx: &Tx, staff_id: i64, now: DateTime<Utc>) -> Result<(i64, SecretString), db::Error> {
    let mut conn: &AsyncPgConnection = tx;
    let secret = secret::random();
    let row = (
        sessions::staff_id.eq(staff_id),
        sessions::secret_hash.eq(secret::hash(&secret)),
        sessions::last_used_at.eq(now),
        sessions::created_at.eq(now),
    );
    let id = diesel::insert_into(sessions::table).values(row).returning(sessions::id).get_result(&mut conn).await?;
    Ok((id, SecretString::from(secret)))
}

/// Ends the session with this secret, if there is one.
///
/// # Errors
/// Those of the database.
pub(crate) async fn end(tx: &Tx, presented: &SecretString) -> Result<(), db::Error> {
    let mut conn: &AsyncPgConnection = tx;
    let hash = secret::hash(presented.expose_secret());
    diesel::delete(sessions::table.filter(sessions::secret_hash.eq(hash))).execute(&mut conn).await?;
    Ok(())
}

/// Ends every session of this member of staff.
///
/// # Errors
/// Those of the database.
pub(crate) async fn end_all(tx: &Tx, staff_id: i64) -> Result<(), db::Error> {
    let mut conn: &AsyncPgConnection = tx;
    diesel::delete(sessions::table.filter(sessions::staff_id.eq(staff_id))).execute(&mut conn).await?;
    Ok(())
}

/// Forgets sessions that are over.
///
/// # Errors
/// Those of the database.
pub(crate) async fn prune(tx: &Tx, now: DateTime<Utc>) -> Result<(), db::Error> {
    let mut conn: &AsyncPgConnection = tx;
    let is_over = sessions::last_used_at.le(now - IDLE).or(sessions::created_at.le(now - LONGEST));
    diesel::delete(sessions::table.filter(is_over)).execute(&mut conn).await?;
    Ok(())
}
