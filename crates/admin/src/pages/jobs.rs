//! The list of jobs that were given up.

use accounts::Role;
use accounts::audit::{self, Action as Done, Change, Object};
use chrono::{DateTime, Utc};
use db::Seek;
use outbox::{Parked, Which};
use serde_json::json;

use super::bulk::Bulk;
use crate::desk::Desk;
use crate::list::{About, Action, Asked, Cell, Column, Filter, Found, Key, Kind, List};
use crate::trouble::Trouble;

/// Jobs of one transaction.
const BATCH: usize = 500;

/// Jobs that were given up.
pub(crate) struct Jobs;

impl List for Jobs {
    type Row = Parked;

    const ALL_AT_ONCE: bool = true;

    const ABOUT: About = About {
        path: "/admin/jobs/",
        title: "Parked jobs",
        hint: "Background jobs that failed too often wait here until somebody has them tried again.",
        columns: &[
            Column::number("Job").sorted("id"),
            Column::text("Kind"),
            Column::text("About"),
            Column::number("Failures"),
            Column::number("Crashes"),
            Column::text("Last error"),
            Column::text("Parked (UTC)"),
        ],
        filters: &[
            Filter::new("kind", "Kind", Kind::Search),
            Filter::new("from", "Parked from", Kind::Day),
            Filter::new("to", "Parked to", Kind::Day),
        ],
        sorts: &["id", "-id"],
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
        let along = match seek {
            Seek::Skip(rows) => Seek::Skip(*rows),
            Seek::After(key) => Seek::After(key.id),
            Seek::Before(key) => Seek::Before(key.id),
        };
        let (_, descending) = asked.order();
        let conn = desk.connection().await?;
        let (rows, reached) = outbox::browse_parked(&conn, &which(asked), descending, &along, size).await?;
        let key = |id| Key::new(id, "");
        Ok(Found::stretch(rows, reached.map(key), seek, |row| key(row.id)))
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

/// What the filters let through.
fn which(asked: &Asked) -> Which {
    let kind = asked.given("kind").map(str::to_owned);
    Which { kind, from: asked.from(), before: asked.before(), ..Which::default() }
}

impl Bulk for Jobs {
    async fn act(desk: &Desk, action: &str, id: &str) -> Result<(), Trouble> {
        let id: i64 = id.parse().map_err(|_| Trouble::nothing())?;
        let one = Which { ids: Some(vec![id]), ..Which::default() };
        match some(desk, action, one, 1).await? {
            0 => Err(Trouble::new(web::Code::Conflict, "It is no longer parked.")),
            _ => Ok(()),
        }
    }

    async fn count(desk: &Desk, asked: &Asked, most: usize) -> Result<(usize, DateTime<Utc>), Trouble> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        Ok(outbox::count_which(&*desk.connection().await?, &which(asked), most).await?)
    }

    /// What is given up once more meanwhile was given up after `seen`, so this comes to an end.
    async fn act_on_all(
        desk: &Desk,
        action: &str,
        asked: &Asked,
        seen: DateTime<Utc>,
        most: usize,
    ) -> Result<usize, Trouble> {
        let wanted = which(asked);
        let wanted = Which { before: Some(wanted.before.map_or(seen, |before| before.min(seen))), ..wanted };
        let mut done = 0;
        while done < most {
            let batch = some(desk, action, wanted.clone(), BATCH.min(most - done)).await?;
            if batch == 0 {
                break;
            }
            done += batch;
        }
        Ok(done)
    }
}

/// Redrives or discards up to `most` of these, and writes so into the audit log; how many those were.
async fn some(desk: &Desk, action: &str, which: Which, most: usize) -> Result<usize, Trouble> {
    let (actor, again) = (desk.actor(), action == "redrive");
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let work = desk.database()?.transaction(move |tx| {
        Box::pin(async move {
            let (ids, done) = match again {
                true => (outbox::redrive(tx, &which, most).await?, Done::Redrive),
                false => (orders::desk::discard(tx, &which, most).await?, Done::Discard),
            };
            let change = |id: &i64| Change {
                object: Object::new("job", *id),
                before: Some(json!({ "parked": true })),
                after: None,
            };
            audit::record_all(tx, &actor, done, ids.iter().map(change).collect()).await?;
            Ok::<_, db::Error>(ids.len())
        })
    });
    Ok(work.await?)
}
