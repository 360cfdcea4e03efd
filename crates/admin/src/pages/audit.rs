//! The log of what was changed, by whom.

use accounts::Role;
use accounts::audit::{self, Entry, Filter as Wanted};
use askama::Template;
use chrono::DateTime;
use db::Seek;
use serde_json::Value;

use super::choices;
use crate::desk::Desk;
use crate::form::Past;
use crate::list::{About, Asked, Cell, Choices, Column, Filter, Found, Key, Kind, List, days};
use crate::render::{Answer, Frame, page};
use crate::trouble::Trouble;

/// The audit log: what was done in this site, through the API and by commands.
pub(crate) struct Log;

const KINDS: [&str; 9] = ["category", "database", "inventory", "job", "order", "product", "staff", "store", "token"];
const ACTIONS: [&str; 13] = [
    "cancel",
    "change",
    "change password",
    "create",
    "delete",
    "discard",
    "import",
    "redrive",
    "resend",
    "revoke",
    "seed",
    "sign in",
    "sign out",
];

impl List for Log {
    type Row = Entry;

    const ABOUT: About = About {
        path: "/admin/audit/",
        title: "Audit log",
        hint: "What was changed in this site, through the API and by commands.",
        columns: &[
            Column::number("Entry").sorted("id"),
            Column::text("When (UTC)").sorted("id"),
            Column::text("Who"),
            Column::text("Action"),
            Column::text("Object"),
            Column::text("What changed"),
        ],
        filters: &[
            Filter::new("who", "Who", Kind::Search),
            Filter::new("action", "Action", Kind::Choice),
            Filter::new("kind", "Kind", Kind::Choice),
            Filter::new("object", "Id", Kind::Search),
            days()[0],
            days()[1],
        ],
        sorts: &["-id", "id"],
        actions: &[],
        new: None,
        actors: Role::Manager,
    };

    async fn read(desk: &Desk, asked: &Asked, seek: &Seek<Key>, size: usize) -> Result<Found<Entry>, Trouble> {
        let given = |name: &str| asked.given(name).map(str::to_owned);
        let wanted = Wanted {
            actor: given("who"),
            action: given("action"),
            kind: given("kind"),
            object: given("object"),
            from: asked.from(),
            before: asked.before(),
        };
        let place = |key: &Key| (DateTime::from_timestamp_micros(key.number()).unwrap_or_default(), key.id);
        let along = match seek {
            Seek::Skip(rows) => Seek::Skip(*rows),
            Seek::After(key) => Seek::After(place(key)),
            Seek::Before(key) => Seek::Before(place(key)),
        };
        let (_, descending) = asked.order();
        let conn = desk.connection().await?;
        let (rows, reached) = audit::browse(&conn, &wanted, !descending, &along, size).await?;
        let key = |at: DateTime<chrono::Utc>, id| Key::new(id, at.timestamp_micros().to_string());
        let reached = reached.map(|(at, id)| key(at, id));
        Ok(Found::stretch(rows, reached, seek, |entry| key(entry.created_at, entry.id)))
    }

    fn cells(entry: &Entry, _: &Asked) -> Vec<Cell> {
        let changes = crate::form::changes(entry.before.as_ref(), entry.after.as_ref());
        let names: Vec<&str> = changes.iter().map(|(name, _, _)| name.as_str()).collect();
        let object = format!("{} {}", entry.object_kind, entry.object_id);
        vec![
            Cell::link(format!("/admin/audit/{}/", entry.id), entry.id.to_string()),
            Cell::Moment(Some(entry.created_at)),
            Cell::Text(entry.actor.clone()),
            Cell::Text(entry.action.clone()),
            match address(&entry.object_kind, &entry.object_id) {
                Some(to) => Cell::link(to, object),
                None => Cell::Text(object),
            },
            Cell::Text(names.join(", ")),
        ]
    }

    const MORE: &[&str] = &["Before", "After", "Request"];

    fn more(entry: &Entry) -> Vec<String> {
        let json = |object: &Option<Value>| object.as_ref().map(Value::to_string).unwrap_or_default();
        vec![json(&entry.before), json(&entry.after), entry.request_id.clone().unwrap_or_default()]
    }

    fn id(entry: &Entry) -> String {
        entry.id.to_string()
    }

    async fn choices(_: &Desk, filter: &str, given: &str) -> Result<Choices, Trouble> {
        let words = if filter == "kind" { choices::words(KINDS) } else { choices::words(ACTIONS) };
        Ok(Choices::of(words, given))
    }
}

/// The page of an object, if it has one.
fn address(kind: &str, id: &str) -> Option<String> {
    let folder = match kind {
        "category" => "categories",
        "inventory" => "inventory",
        "order" => "orders",
        "product" => "products",
        "staff" => "staff",
        "store" => "stores",
        "token" => "tokens",
        _ => return None,
    };
    Some(format!("/admin/{folder}/{id}/"))
}

#[derive(Template)]
#[template(path = "entry.html")]
struct Page {
    frame: Frame,
    object: String,
    address: Option<String>,
    request_id: Option<String>,
    past: Past,
}

/// `GET /admin/audit/{id}/`
pub(crate) async fn entry(desk: Desk) -> Answer {
    let found = audit::entry(&*desk.connection().await?, desk.id("id")?).await?;
    let entry = found.ok_or_else(Trouble::nothing)?;
    page(&Page {
        frame: Frame::new(&desk),
        object: format!("{} {}", entry.object_kind, entry.object_id),
        address: address(&entry.object_kind, &entry.object_id),
        request_id: entry.request_id.clone(),
        past: entry.into(),
    })
}
