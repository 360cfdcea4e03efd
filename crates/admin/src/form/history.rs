//! What was done to an object so far.

use accounts::audit::{self, Entry};
use serde_json::Value;

use crate::desk::Desk;
use crate::fields::encoded;
use crate::render::moment;
use crate::trouble::Trouble;

/// Entries that an object's page shows.
const RECENT: i64 = 20;

/// One entry of the audit log, for people.
#[derive(Debug, Clone)]
pub(crate) struct Past {
    pub(crate) id: i64,
    pub(crate) at: String,
    pub(crate) who: String,
    pub(crate) action: String,
    /// Where more of the same object is listed.
    pub(crate) more: String,
    /// What changed: name, before, after.
    pub(crate) changes: Vec<(String, String, String)>,
}

impl From<Entry> for Past {
    fn from(entry: Entry) -> Self {
        let changes = changes(entry.before.as_ref(), entry.after.as_ref());
        let more = format!("/admin/audit/?kind={}&object={}", encoded(&entry.object_kind), encoded(&entry.object_id));
        Self { more, id: entry.id, at: moment(entry.created_at), who: entry.actor, action: entry.action, changes }
    }
}

/// The latest entries about an object, newest first. What the API did is among them.
///
/// # Errors
/// Those of the database.
pub(crate) async fn history(desk: &Desk, kind: &str, id: impl ToString) -> Result<Vec<Past>, Trouble> {
    let entries = audit::history(&*desk.connection().await?, kind, &id.to_string(), RECENT).await?;
    Ok(entries.into_iter().map(Past::from).collect())
}

/// Where the rest of a history is, if the page may not show all of it.
pub(crate) fn rest(history: &[Past]) -> Option<&str> {
    let is_full = i64::try_from(history.len()).is_ok_and(|shown| shown >= RECENT);
    history.first().filter(|_| is_full).map(|past| past.more.as_str())
}

/// The members of two objects that differ.
pub(crate) fn changes(before: Option<&Value>, after: Option<&Value>) -> Vec<(String, String, String)> {
    let names = [before, after].into_iter().flatten().filter_map(Value::as_object).flat_map(|object| object.keys());
    let mut names: Vec<&String> = names.collect();
    names.sort();
    names.dedup();
    let member =
        |object: Option<&Value>, name: &str| object.and_then(|object| object.get(name)).map_or(String::new(), words);
    let rows = names.into_iter().map(|name| (name.clone(), member(before, name), member(after, name)));
    rows.filter(|(_, before, after)| before != after).collect()
}

fn words(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
