//! The list of confirmations.

use accounts::Role;
use db::Seek;
use orders::desk::{self, Told, WantedConfirmations as Wanted};

use super::bulk::Bulk;
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
            Column::number("Order"),
            Column::text("Store"),
            Column::text("State"),
            Column::number("Attempts"),
            Column::text("Sent (UTC)"),
            Column::text("Order placed (UTC)"),
        ],
        filters: &[Filter::new("state", "State", Kind::Choice), days()[0], days()[1]],
        sorts: &["-placed"],
        actions: &[Action { name: "resend", label: "Resend", question: "Their customers are told once more." }],
        new: None,
        actors: Role::Manager,
    };

    async fn read(desk: &Desk, asked: &Asked, seek: &Seek<Key>, size: usize) -> Result<Found<Told>, Trouble> {
        let wanted = match asked.given("state") {
            Some("unsent") => Wanted::Unsent,
            _ => Wanted::All,
        };
        let conn = desk.connection().await?;
        let rows = desk::confirmations(&conn, wanted, asked.from(), asked.before(), &seek_by_time(seek), size).await?;
        Ok(Found::new(rows, seek, |row| key(row.key())))
    }

    fn cells(row: &Told, _: &Asked) -> Vec<Cell> {
        vec![
            Cell::link(format!("/admin/orders/{}/", row.order_id), row.order_id.to_string()),
            Cell::link(format!("/admin/stores/{}/", row.store_id), &row.store),
            Cell::badge(row.state.as_str()),
            Cell::number(row.attempts),
            Cell::Moment(row.sent_at),
            Cell::Moment(Some(row.created_at)),
        ]
    }

    fn id(row: &Told) -> String {
        row.order_id.to_string()
    }

    async fn choices(_: &Desk, _: &str, given: &str) -> Result<Choices, Trouble> {
        Ok(Choices::of(vec![Choice::new("unsent", "not sent")], given))
    }
}

impl Bulk for Confirmations {
    async fn act(desk: &Desk, _: &str, id: &str) -> Result<(), Trouble> {
        let id = id.parse().map_err(|_| Trouble::nothing())?;
        Ok(desk.orders()?.resend_confirmation(id, &desk.actor()).await?)
    }
}
