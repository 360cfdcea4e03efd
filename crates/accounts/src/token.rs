//! Keys to the API, made by staff for programs.

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use secrecy::SecretString;
use serde_json::json;

use crate::audit::{self, Action, Object};
use crate::schema::{staff, tokens};
use crate::{Accounts, Actor, Error, Role, Scope, secret};

/// How every token begins, so that people and leak scanners know one when they see it.
const MARK: &str = "sr_";

/// A token, as far as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, HasQuery)]
#[diesel(table_name = tokens, base_query = tokens::table.inner_join(staff::table), check_for_backend(Pg))]
pub struct Token {
    /// Id.
    pub id: i64,
    /// Who made it.
    pub staff_id: i64,
    /// The maker's address.
    #[diesel(select_expression = staff::email)]
    pub email: String,
    /// What its maker calls it.
    pub name: String,
    /// How it begins.
    pub prefix: String,
    /// Names of the scopes that it was made for.
    pub scopes: Vec<String>,
    /// When it ends; `None` for never.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// A token to be made.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// Who makes it.
    pub staff_id: i64,
    /// What to call it: 1 to 100 characters.
    pub name: String,
    /// What for: at least one, none beyond the maker's role.
    pub scopes: Vec<Scope>,
    /// When it ends; `None` for never.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A token that was just made.
#[derive(Debug)]
pub struct MadeToken {
    /// Its id.
    pub id: i64,
    /// The token itself, to be shown once.
    pub secret: SecretString,
}

impl Accounts {
    /// Makes a token.
    ///
    /// # Errors
    /// [`Error::TokenName`], [`Error::NoScopes`], [`Error::Expired`], [`Error::TooWide`], [`Error::NoSuchStaff`],
    /// [`Error::Disabled`], and those of the database.
    pub async fn make_token(&self, actor: Actor, token: NewToken) -> Result<MadeToken, Error> {
        let now = self.clock.now();
        let name = token.name.trim().to_owned();
        if !(1..=100).contains(&name.chars().count()) || name.contains(char::is_control) {
            return Err(Error::TokenName);
        }
        if token.scopes.is_empty() {
            return Err(Error::NoScopes);
        }
        if token.expires_at.is_some_and(|end| end <= now) {
            return Err(Error::Expired);
        }
        self.database
            .transaction(move |tx| {
                Box::pin(async move {
                    may_make(tx, token.staff_id, &token.scopes).await?;
                    let secret = format!("{MARK}{}", secret::random());
                    let mut scopes: Vec<&str> = token.scopes.iter().map(|scope| scope.as_str()).collect();
                    scopes.sort_unstable();
                    scopes.dedup();
                    let row = (
                        tokens::staff_id.eq(token.staff_id),
                        tokens::name.eq(&name),
                        tokens::prefix.eq(&secret[..MARK.len() + 8]),
                        tokens::secret_hash.eq(secret::hash(&secret)),
                        tokens::scopes.eq(&scopes),
                        tokens::expires_at.eq(token.expires_at),
                        tokens::created_at.eq(now),
                    );
                    let mut conn: &AsyncPgConnection = tx;
                    let insert = diesel::insert_into(tokens::table).values(row).returning(tokens::id);
                    let id: i64 = insert.get_result(&mut conn).await?;
                    let facts = json!({ "name": name, "scopes": scopes, "expires_at": token.expires_at });
                    audit::record(tx, &actor, Action::Create, Object::new("token", id), None, Some(facts)).await?;
                    Ok(MadeToken { id, secret: secret.into() })
                })
            })
            .await
    }

    /// Every token, newest first: all, or those of one maker.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn list_tokens(&self, staff_id: Option<i64>) -> Result<Vec<Token>, db::Error> {
        let conn = self.database.connection().await?;
        let query = Token::query().order_by(tokens::id.desc()).into_boxed();
        let query = match staff_id {
            Some(id) => query.filter(tokens::staff_id.eq(id)),
            None => query,
        };
        Ok(query.load(&mut &*conn).await?)
    }

    /// Revokes a token: it opens nothing from now on. One that is revoked already stays so.
    ///
    /// # Errors
    /// [`Error::NoSuchToken`], and those of the database.
    pub async fn revoke_token(&self, actor: Actor, id: i64) -> Result<(), Error> {
        let now = self.clock.now();
        self.database
            .transaction(move |tx| {
                Box::pin(async move {
                    let mut conn: &AsyncPgConnection = tx;
                    let held = tokens::table.find(id).select(tokens::revoked_at).for_update();
                    let revoked: Option<Option<DateTime<Utc>>> = held.first(&mut conn).await.optional()?;
                    match revoked {
                        None => return Err(Error::NoSuchToken(id)),
                        Some(Some(_)) => return Ok(()),
                        Some(None) => {}
                    }
                    diesel::update(tokens::table.find(id)).set(tokens::revoked_at.eq(now)).execute(&mut conn).await?;
                    Ok(audit::record(tx, &actor, Action::Revoke, Object::new("token", id), None, None).await?)
                })
            })
            .await
    }
}

/// Fails unless this member of staff may make a token with these scopes. The account stays as it is until the
/// transaction ends, so that nobody is disabled between the look and the token.
async fn may_make(tx: &db::Tx, staff_id: i64, scopes: &[Scope]) -> Result<(), Error> {
    let mut conn: &AsyncPgConnection = tx;
    let maker = staff::table.find(staff_id).select((staff::role, staff::disabled_at)).for_share();
    let maker: Option<(String, Option<DateTime<Utc>>)> = maker.first(&mut conn).await.optional()?;
    let (role, disabled_at) = maker.ok_or_else(|| Error::NoSuchStaff(staff_id.to_string()))?;
    if disabled_at.is_some() {
        return Err(Error::Disabled);
    }
    let role: Role = role.parse().unwrap_or(Role::Viewer);
    match scopes.iter().find(|scope| scope.least_role() > role) {
        Some(scope) => Err(Error::TooWide { role, scope: *scope }),
        None => Ok(()),
    }
}
