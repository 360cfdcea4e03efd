//! The log of bulk work, whose changes may be too many to pass through this process.

use db::Error;
use db::copy::BulkTx;
use serde_json::Value;

use super::{Action, Object};
use crate::Actor;

/// Makes a temporary table `audited (object_id text, before jsonb, after jsonb)` for a statement to put its changes
/// into, as rows that it returns. Empty, and again so when the transaction ends.
///
/// # Errors
/// Those of the database.
pub async fn stage(tx: &BulkTx<'_>) -> Result<(), Error> {
    let table = "CREATE TEMPORARY TABLE IF NOT EXISTS audited (object_id text, before jsonb, after jsonb) \
                 ON COMMIT DELETE ROWS";
    Ok(tx.batch_execute(table).await?)
}

/// Writes what was [staged](stage) into the log, as changes of objects of this kind.
///
/// # Errors
/// Those of the database.
pub async fn record_staged(tx: &BulkTx<'_>, actor: &Actor, action: Action, kind: &str) -> Result<(), Error> {
    let record = "INSERT INTO audit_log \
                      (actor, staff_id, token_id, request_id, action, object_kind, object_id, before, after) \
                  SELECT $1, $2::bigint, $3::bigint, $4, $5, $6, object_id, before, after FROM pg_temp.audited";
    let (name, request) = (actor.to_string(), actor.request_id());
    tx.execute(record, &[&name, &actor.staff_id, &actor.token_id, &request, &action.as_str(), &kind]).await?;
    Ok(tx.batch_execute("TRUNCATE pg_temp.audited").await?)
}

/// Writes one line about all of a bulk work into the log.
///
/// # Errors
/// Those of the database.
pub async fn record_once(
    tx: &BulkTx<'_>,
    actor: &Actor,
    action: Action,
    object: Object,
    after: Value,
) -> Result<(), Error> {
    stage(tx).await?;
    let one = "INSERT INTO pg_temp.audited (object_id, after) VALUES ($1, $2::text::jsonb)";
    tx.execute(one, &[&object.id, &after.to_string()]).await?;
    record_staged(tx, actor, action, object.kind).await
}
