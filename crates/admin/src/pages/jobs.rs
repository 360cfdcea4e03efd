//! The list of jobs that were given up.

use accounts::Role;
use accounts::audit::{self, Action as Done, Object};
use db::{Rows, Seek};
use outbox::{Parked, Which};
use serde_json::json;

use super::bulk::Bulk;
use crate::desk::Desk;
use crate::list::{About, Action, Asked, Cell, Column, Filter, Found, Key, Kind, List};
use crate::trouble::Trouble;

/// Jobs that were given up.
pub(crate) struct Jobs;

impl List for Jobs {
    type Row = Parked;

    const ABOUT: About = About {
        path: "/admin/jobs/",
        title: "Parked jobs",
        hint: "Background jobs that failed too often wait here until somebody has them tried again.",
        columns: &[
            Column::number("Job"),
            Column::text("Kind"),
            Column::text("About"),
            Column::number("Failures"),
            Column::number("Crashes"),
            Column::text("Last error"),
            Column::text("Parked (UTC)"),
        ],
        filters: &[Filter::new("kind", "Kind", Kind::Search)],
        sorts: &["id"],
        actions: &[
            Action { name: "redrive", label: "Redrive", question: "They are tried again from the beginning." },
            Action {
                name: "discard",
                label: "Discard",
                question: "They are deleted for good: what they were to do is not done.",
            },
        ],
        new: None,
        actors: Role::Manager,
    };

    async fn read(desk: &Desk, asked: &Asked, seek: &Seek<Key>, size: usize) -> Result<Found<Parked>, Trouble> {
        let which = Which { ids: None, kind: asked.given("kind").map(str::to_owned) };
        let after = if let Seek::After(key) = seek { key.id } else { i64::MIN };
        let limit = i64::try_from(size + 1).unwrap_or(i64::MAX);
        let fetched = outbox::parked(&mut desk.connection().await?, &which, after, limit).await?;
        let forward = Seek::After(Key::new(after, ""));
        let rows = Rows::new(fetched, size, &forward);
        Ok(Found { previous: None, ..Found::new(rows, &forward, |row| Key::new(row.id, "")) })
    }

    fn cells(row: &Parked, _: &Asked) -> Vec<Cell> {
        let about = match row.payload.get("order_id").and_then(serde_json::Value::as_i64) {
            Some(order) => Cell::link(format!("/admin/orders/{order}/"), format!("order {order}")),
            None => Cell::Text(row.payload.to_string().chars().take(80).collect()),
        };
        vec![
            Cell::number(row.id),
            Cell::Text(row.kind.clone()),
            about,
            Cell::number(row.failures),
            Cell::number(row.crashes),
            Cell::Text(row.last_error.clone().unwrap_or_default()),
            Cell::Moment(row.parked_at),
        ]
    }

    fn id(row: &Parked) -> String {
        row.id.to_string()
    }
}

impl Bulk for Jobs {
    async fn act(desk: &Desk, action: &str, id: &str) -> Result<(), Trouble> {
        let id: i64 = id.parse().map_err(|_| Trouble::nothing())?;
        let (actor, again) = (desk.actor(), action == "redrive");
        let found = desk
            .database()?
            .transaction(move |tx| {
                Box::pin(async move {
                    let which = Which { ids: Some(vec![id]), kind: None };
                    let ids = match again {
                        true => outbox::redrive(tx, &which, 1).await?,
                        false => outbox::discard(tx, &which, 1).await?,
                    };
                    if !ids.is_empty() {
                        let done = if again { Done::Redrive } else { Done::Discard };
                        let before = Some(json!({ "parked": true }));
                        audit::record(tx, &actor, done, Object::new("job", id), before, None).await?;
                    }
                    Ok::<_, db::Error>(!ids.is_empty())
                })
            })
            .await?;
        if found { Ok(()) } else { Err(Trouble::new(web::Code::Conflict, "It is no longer parked.")) }
    }
}
