//! The accounts of those who run the stores.

use chrono::{DateTime, Utc};
use db::Tx;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::{Value, json};

use crate::audit::{self, Action, Object};
use crate::schema::{lower, staff, tokens};
use crate::{Accounts, Actor, Email, Error, Password, Role, hashing, session};

/// A member of staff.
#[derive(Debug, Clone, PartialEq, Eq, HasQuery)]
#[diesel(table_name = staff, check_for_backend(Pg))]
pub struct Staff {
    /// Id.
    pub id: i64,
    /// Address, which is also the name to sign in with.
    pub email: String,
    /// What they are there for.
    #[diesel(deserialize_as = String)]
    pub role: Role,
    /// Since when the account opens nothing; `None` while it does.
    pub disabled_at: Option<DateTime<Utc>>,
    /// When they last signed in.
    pub last_sign_in_at: Option<DateTime<Utc>>,
    /// When the account was made.
    pub created_at: DateTime<Utc>,
}

impl Staff {
    /// As the audit log shows an account.
    fn facts(&self) -> Value {
        json!({ "email": self.email, "role": self.role.as_str(), "disabled": self.disabled_at.is_some() })
    }

    /// What the account may now.
    pub fn standing(&self) -> Standing {
        Standing { role: self.role, is_disabled: self.disabled_at.is_some() }
    }

    fn object(&self) -> Object {
        Object::new("staff", self.id)
    }
}

/// What an account may, and whether it opens anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// What its owner is there for.
    pub role: Role,
    /// Whether it opens nothing.
    pub is_disabled: bool,
}

impl Accounts {
    /// Every account, by address.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn list_staff(&self) -> Result<Vec<Staff>, db::Error> {
        let conn = self.database.connection().await?;
        Ok(Staff::query().order_by(lower(staff::email)).load(&mut &*conn).await?)
    }

    /// The account of this address, in any case.
    ///
    /// # Errors
    /// [`Error::NoSuchStaff`], and those of the database.
    pub async fn find_staff(&self, email: &Email) -> Result<Staff, Error> {
        let conn = self.database.connection().await?;
        let found = Staff::query().filter(lower(staff::email).eq(lower(email.as_str())));
        found.first(&mut &*conn).await.optional()?.ok_or_else(|| Error::NoSuchStaff(email.as_str().into()))
    }

    /// Makes an account.
    ///
    /// # Errors
    /// [`Error::EmailTaken`], [`Error::Busy`], and those of the database.
    pub async fn add_staff(&self, actor: Actor, email: Email, role: Role, password: Password) -> Result<Staff, Error> {
        let (hash, now) = (hashing::hash(&password.0).await?, self.clock.now());
        self.database
            .transaction(move |tx| {
                Box::pin(async move {
                    let mut conn: &AsyncPgConnection = tx;
                    let row = (
                        staff::email.eq(email.as_str()),
                        staff::role.eq(role.as_str()),
                        staff::password_hash.eq(hash),
                        staff::created_at.eq(now),
                    );
                    let insert = diesel::insert_into(staff::table).values(row).returning(Staff::as_returning());
                    let added = insert.get_result(&mut conn).await.map_err(|error| match db::Error::from(error) {
                        error if error.constraint() == Some("staff_email_key") => {
                            Error::EmailTaken(email.as_str().into())
                        }
                        error => error.into(),
                    })?;
                    audit::record(tx, &actor, Action::Create, added.object(), None, Some(added.facts())).await?;
                    Ok(added)
                })
            })
            .await
    }

    /// Sets a password. Every session of the account ends.
    ///
    /// # Errors
    /// [`Error::NoSuchStaff`], [`Error::Busy`], and those of the database.
    pub async fn set_password(&self, actor: Actor, id: i64, password: Password) -> Result<(), Error> {
        let hash = hashing::hash(&password.0).await?;
        self.database
            .transaction(move |tx| {
                Box::pin(async move {
                    let mut conn: &AsyncPgConnection = tx;
                    let held = hold(tx, id).await?;
                    let kept = staff::password_hash.eq(hash);
                    diesel::update(staff::table.find(id)).set(kept).execute(&mut conn).await?;
                    session::end_all(tx, id).await?;
                    Ok(audit::record(tx, &actor, Action::ChangePassword, held.object(), None, None).await?)
                })
            })
            .await
    }

    /// Gives an account another role. Its sessions end; its tokens open what the new role does.
    ///
    /// # Errors
    /// [`Error::NoSuchStaff`], [`Error::LastOwner`], and those of the database.
    pub async fn set_role(&self, actor: Actor, id: i64, role: Role) -> Result<Staff, Error> {
        self.change(actor, id, move |staff| {
            staff.role = role;
            Ok(())
        })
        .await
    }

    /// Disables an account, from now on or not at all: its sessions end, its tokens are revoked.
    ///
    /// # Errors
    /// [`Error::NoSuchStaff`], [`Error::LastOwner`], and those of the database.
    pub async fn disable_staff(&self, actor: Actor, id: i64) -> Result<Staff, Error> {
        let now = self.clock.now();
        self.change(actor, id, move |staff| {
            staff.disabled_at = staff.disabled_at.or(Some(now));
            Ok(())
        })
        .await
    }

    /// Enables a disabled account again. What was revoked with it stays so.
    ///
    /// # Errors
    /// [`Error::NoSuchStaff`], and those of the database.
    pub async fn enable_staff(&self, actor: Actor, id: i64) -> Result<Staff, Error> {
        self.change(actor, id, |staff| {
            staff.disabled_at = None;
            Ok(())
        })
        .await
    }

    /// Gives an account the standing that somebody wants who saw it as `seen`: so a form that was opened before an
    /// account was disabled does not let it in again.
    ///
    /// # Errors
    /// [`Error::Stale`] where it is another by now, [`Error::NoSuchStaff`], [`Error::LastOwner`], and those of the
    /// database.
    pub async fn set_standing(&self, actor: Actor, id: i64, seen: Standing, wanted: Standing) -> Result<Staff, Error> {
        let now = self.clock.now();
        self.change(actor, id, move |staff| {
            if staff.standing() != seen {
                return Err(Error::Stale);
            }
            staff.role = wanted.role;
            staff.disabled_at = wanted.is_disabled.then(|| staff.disabled_at.unwrap_or(now));
            Ok(())
        })
        .await
    }

    async fn change(
        &self,
        actor: Actor,
        id: i64,
        change: impl FnOnce(&mut Staff) -> Result<(), Error> + Send + 'static,
    ) -> Result<Staff, Error> {
        self.database
            .transaction(move |tx| {
                Box::pin(async move {
                    let before = hold(tx, id).await?;
                    let mut after = before.clone();
                    change(&mut after)?;
                    if after == before {
                        return Ok(after);
                    }
                    if is_active_owner(&before) && !is_active_owner(&after) {
                        keep_an_owner(tx, id).await?;
                    }
                    store(tx, &after).await?;
                    let (old, new) = (Some(before.facts()), Some(after.facts()));
                    audit::record(tx, &actor, Action::Change, after.object(), old, new).await?;
                    Ok(after)
                })
            })
            .await
    }
}

fn is_active_owner(staff: &Staff) -> bool {
    staff.role == Role::Owner && staff.disabled_at.is_none()
}

/// Reads an account and locks it until the transaction ends.
async fn hold(tx: &Tx, id: i64) -> Result<Staff, Error> {
    let mut conn: &AsyncPgConnection = tx;
    let held = Staff::query().filter(staff::id.eq(id)).for_update().first(&mut conn).await.optional()?;
    held.ok_or_else(|| Error::NoSuchStaff(id.to_string()))
}

/// Fails if nobody but `id` is left to manage staff. The owners stay locked, so that two cannot leave at once.
async fn keep_an_owner(tx: &Tx, id: i64) -> Result<(), Error> {
    let mut conn: &AsyncPgConnection = tx;
    let owners: Vec<i64> = staff::table
        .filter(staff::role.eq(Role::Owner.as_str()).and(staff::disabled_at.is_null()))
        .select(staff::id)
        .order_by(staff::id)
        .for_update()
        .load(&mut conn)
        .await?;
    if owners.iter().any(|owner| *owner != id) { Ok(()) } else { Err(Error::LastOwner) }
}

async fn store(tx: &Tx, changed: &Staff) -> Result<(), Error> {
    let mut conn: &AsyncPgConnection = tx;
    diesel::update(staff::table.find(changed.id))
        .set((staff::role.eq(changed.role.as_str()), staff::disabled_at.eq(changed.disabled_at)))
        .execute(&mut conn)
        .await?;
    session::end_all(tx, changed.id).await?;
    if let Some(moment) = changed.disabled_at {
        let live = tokens::table.filter(tokens::staff_id.eq(changed.id)).filter(tokens::revoked_at.is_null());
        diesel::update(live).set(tokens::revoked_at.eq(moment)).execute(&mut conn).await?;
    }
    Ok(())
}
