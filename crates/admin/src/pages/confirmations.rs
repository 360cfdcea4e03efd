//! The list of confirmations.

use accounts::Role;
use db::Seek;
use orders::ConfirmationState;
use orders::desk::{self, Outcome, Told, WantedConfirmations as Wanted};

use super::bulk::Bulk;
use super::choices;
use super::orders::{key, seek_by_time};
use crate::desk::Desk;
use crate::list::{About, Action, Asked, Cell, Choice, Choices, Column, Filter, Found, Key, Kind, List, days};
use crate::trouble::Trouble;

/// Whether customers were told.
pub(crate) struct Confirmations;

impl List for Confirmations {
    type Row = Told;

    const ABOUT: About = About {
        path: "/admin/confirmations/",
        title: "Confirmations",
        hint: "Every confirmed order is confirmed to its customer in the background, once.",
        columns: &[
            Column::number("Order").sorted("placed"),
            Column::text("Store"),
            Column::text("State"),
            Column::number("Attempts"),
            Column::text("Sent (UTC)"),
            Column::text("Order placed (UTC)").sorted("placed"),
        ],
        filters: &[
            Filter::new("q", "Order number", Kind::Search),
            Filter::new("state", "State", Kind::Choice),
            days()[0],
            days()[1],
        ],
        sorts: &["-placed", "placed"],
        actions: &[Action { name: "resend", label: "Resend", question: "Their customers are told once more." }],
        new: None,
        actors: Role::Manager,
    };

    async fn read(desk: &Desk, asked: &Asked, seek: &Seek<Key>, size: usize) -> Result<Found<Told>, Trouble> {
        let given = asked.given("state");
        let outcome = match ConfirmationState::NAMES.iter().find(|(name, _)| Some(*name) == given) {
            Some((_, state)) => Outcome::Only(*state),
            None if given == Some("unsent") => Outcome::Unsent,
            None => Outcome::Any,
        };
        let (_, descending) = asked.order();
        let wanted = Wanted { outcome, from: asked.from(), before: asked.before(), oldest_first: !descending };
        let conn = desk.connection().await?;
        if let Some(number) = asked.given("q") {
            let Ok(id) = number.trim_start_matches('#').parse() else { return Ok(Found::all(Vec::new())) };
            let found = desk::confirmation(&conn, id).await?.filter(|told| wanted.includes(told));
            return Ok(Found::all(found.into_iter().collect()));
        }
        let (rows, reached) = desk::confirmations(&conn, &wanted, &seek_by_time(seek), size).await?;
        Ok(Found::stretch(rows, reached.map(key), seek, |row| key(row.key())))
    }

    fn cells(row: &Told, _: &Asked) -> Vec<Cell> {
        vec![
            Cell::link(format!("/admin/orders/{}/", row.order_id), row.order_id.to_string()),
            Cell::link(format!("/admin/stores/{}/", row.store_id), &row.store),
            Cell::badge(row.state.as_str()),
            Cell::Text(row.sent_at.map(|_| row.attempts.to_string()).unwrap_or_default()),
            Cell::Moment(row.sent_at),
            Cell::Moment(Some(row.created_at)),
        ]
    }

    fn id(row: &Told) -> String {
        row.order_id.to_string()
    }

    async fn choices(_: &Desk, _: &str, given: &str) -> Result<Choices, Trouble> {
        let mut all = vec![Choice::new("unsent", "not sent")];
        all.extend(choices::words(ConfirmationState::NAMES.map(|(name, _)| name)));
        Ok(Choices::of(all, given))
    }
}

impl Bulk for Confirmations {
    async fn act(desk: &Desk, _: &str, id: &str) -> Result<(), Trouble> {
        let id = id.parse().map_err(|_| Trouble::nothing())?;
        Ok(desk.orders()?.resend_confirmation(id, &desk.actor()).await?)
    }
}
