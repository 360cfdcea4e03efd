//! The log of what was changed, by whom. A row commits with the change that it tells of, or not at all.

mod bulk;
mod read;

use db::{CachedDsl, Tx};
use diesel::sql_types::{Array, BigInt, Jsonb, Nullable, Text};
use diesel_async::RunQueryDsl;
use serde_json::Value;

use crate::Actor;

pub use bulk::{record_once, record_staged, stage};
pub use read::{Entry, Filter, Place, browse, entry, history};

/// What is done to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It was made.
    Create,
    /// It was changed.
    Change,
    /// It was deleted.
    Delete,
    /// An order was cancelled.
    Cancel,
    /// A member of staff signed in.
    SignIn,
    /// A member of staff signed out.
    SignOut,
    /// A password was changed.
    ChangePassword,
    /// A token was revoked.
    Revoke,
    /// It came out of a file, or was changed by one.
    Import,
    /// It was made up.
    Seed,
    /// A confirmation was sent once more.
    Resend,
    /// A job that was given up is tried again.
    Redrive,
    /// A job that was given up was thrown away.
    Discard,
}

impl Action {
    /// Its name, as stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Change => "change",
            Self::Delete => "delete",
            Self::Cancel => "cancel",
            Self::SignIn => "sign in",
            Self::SignOut => "sign out",
            Self::ChangePassword => "change password",
            Self::Revoke => "revoke",
            Self::Import => "import",
            Self::Seed => "seed",
            Self::Resend => "resend",
            Self::Redrive => "redrive",
            Self::Discard => "discard",
        }
    }
}

/// What was changed: kind and id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    kind: &'static str,
    id: String,
}

impl Object {
    /// An object of this kind (`category`, `product`, `store`, `order`, `staff`, `token`).
    pub fn new(kind: &'static str, id: i64) -> Self {
        Self { kind, id: id.to_string() }
    }

    /// Everything there is.
    pub fn everything() -> Self {
        Self { kind: "database", id: "all".to_owned() }
    }

    /// What a store has of a product.
    pub fn inventory(store_id: i64, product_id: i64) -> Self {
        Self { kind: "inventory", id: format!("{store_id}/{product_id}") }
    }
}

/// An object's change: before and after it. `None` where there was no object, or nothing is to be told.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// What was changed.
    pub object: Object,
    /// How it was.
    pub before: Option<Value>,
    /// How it is now.
    pub after: Option<Value>,
}

/// Writes one change into the log, in the caller's transaction.
///
/// # Errors
/// Those of the database.
pub async fn record(
    tx: &Tx,
    actor: &Actor,
    action: Action,
    object: Object,
    before: Option<Value>,
    after: Option<Value>,
) -> Result<(), db::Error> {
    record_all(tx, actor, action, vec![Change { object, before, after }]).await
}

/// Writes changes of the same kind into the log, with one statement whatever their number.
///
/// # Errors
/// Those of the database.
pub async fn record_all(tx: &Tx, actor: &Actor, action: Action, changes: Vec<Change>) -> Result<(), db::Error> {
    let (mut kinds, mut ids, mut before, mut after) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for change in changes {
        kinds.push(change.object.kind);
        ids.push(change.object.id);
        before.push(change.before);
        after.push(change.after);
    }
    diesel::sql_query(
        "INSERT INTO audit_log (actor, staff_id, token_id, action, request_id, object_kind, object_id, before, after) \
         SELECT $1, $2, $3, $4, $5, kind, id, before, after \
         FROM unnest($6, $7, $8, $9) AS change (kind, id, before, after)",
    )
    .bind::<Text, _>(actor.to_string())
    .bind::<Nullable<BigInt>, _>(actor.staff_id)
    .bind::<Nullable<BigInt>, _>(actor.token_id)
    .bind::<Text, _>(action.as_str())
    .bind::<Nullable<Text>, _>(actor.request_id())
    .bind::<Array<Text>, _>(kinds)
    .bind::<Array<Text>, _>(ids)
    .bind::<Array<Nullable<Jsonb>>, _>(before)
    .bind::<Array<Nullable<Jsonb>>, _>(after)
    .cached()
    .execute(&mut &***tx)
    .await?;
    Ok(())
}
