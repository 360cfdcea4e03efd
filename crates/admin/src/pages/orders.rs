//! The list of orders.

use accounts::Role;
use db::Seek;
use orders::desk::{self, Browsed};
use orders::{Filter as Wanted, Status};

use super::bulk::Bulk;
use super::choices;
use crate::desk::Desk;
use crate::list::{About, Action, Asked, Cell, Choices, Column, Filter, Found, Key, Kind, List, days};
use crate::trouble::Trouble;

/// Orders of all stores, or of one.
pub(crate) struct Orders;

impl List for Orders {
    type Row = Browsed;

    const ABOUT: About = About {
        path: "/admin/orders/",
        title: "Orders",
        hint: "",
        columns: &[
            Column::number("Order").sorted("placed"),
            Column::text("Store"),
            Column::text("Status"),
            Column::text("Placed (UTC)").sorted("placed"),
            Column::number("Items"),
            Column::number("Total"),
            Column::text("Confirmation"),
        ],
        filters: &[
            Filter::new("q", "Order number", Kind::Search),
            Filter::new("store", "Store", Kind::Choice),
            Filter::new("status", "Status", Kind::Choice),
            days()[0],
            days()[1],
        ],
        sorts: &["-placed", "placed"],
        actions: &[
            Action {
                name: "cancel",
                label: "Cancel orders",
                question: "Their stock goes back to the stores. A cancelled order stays cancelled.",
            },
            Action { name: "resend", label: "Resend confirmations", question: "Their customers are told once more." },
        ],
        new: None,
        actors: Role::Manager,
    };

    async fn read(desk: &Desk, asked: &Asked, seek: &Seek<Key>, size: usize) -> Result<Found<Browsed>, Trouble> {
        if let Some(number) = asked.given("q") {
            let rows = find(desk, number).await?.into_iter().collect();
            return Ok(Found::all(rows));
        }
        let wanted = Wanted {
            status: Status::NAMES.iter().find(|(name, _)| Some(*name) == asked.given("status")).map(|(_, it)| *it),
            created_after: asked.from(),
            created_before: asked.before(),
        };
        let store = asked.given("store").map(|id| id.parse().unwrap_or(0));
        let (_, descending) = asked.order();
        let conn = desk.connection().await?;
        let (rows, reached) = desk::browse(&conn, store, &wanted, !descending, &seek_by_time(seek), size).await?;
        Ok(Found::stretch(rows, reached.map(key), seek, |row| key(row.key())))
    }

    fn cells(row: &Browsed, _: &Asked) -> Vec<Cell> {
        vec![
            Cell::link(format!("/admin/orders/{}/", row.id), row.id.to_string()),
            Cell::link(format!("/admin/stores/{}/", row.store_id), &row.store),
            Cell::badge(row.status.as_str()),
            Cell::Moment(Some(row.created_at)),
            Cell::number(row.total_items),
            Cell::money(row.total_price),
            row.confirmation.map_or(Cell::Text(String::new()), |state| Cell::badge(state.as_str())),
        ]
    }

    fn id(row: &Browsed) -> String {
        row.id.to_string()
    }

    async fn choices(desk: &Desk, filter: &str, given: &str) -> Result<Choices, Trouble> {
        match filter {
            "store" => choices::stores(desk, given).await,
            _ => Ok(Choices::of(choices::words(Status::NAMES.map(|(name, _)| name)), given)),
        }
    }

    async fn settle(desk: &Desk, asked: Asked) -> Result<Asked, Trouble> {
        choices::settle(desk, asked).await
    }
}

impl Bulk for Orders {
    async fn act(desk: &Desk, action: &str, id: &str) -> Result<(), Trouble> {
        let id = id.parse().map_err(|_| Trouble::nothing())?;
        match action {
            "cancel" => _ = desk.orders()?.cancel(id, &desk.actor()).await?,
            _ => desk.orders()?.resend_confirmation(id, &desk.actor()).await?,
        }
        Ok(())
    }
}

/// The order of this number, as the list shows it.
async fn find(desk: &Desk, number: &str) -> Result<Option<Browsed>, Trouble> {
    let Ok(id) = number.trim_start_matches('#').parse::<i64>() else { return Ok(None) };
    let Some((order, _)) = desk.orders()?.find(id).await? else { return Ok(None) };
    let place = (order.terms.created_at.timestamp_micros(), id - 1);
    let (store, all) = (Some(order.terms.store_id), Wanted::default());
    let (found, _) = desk::browse(&*desk.connection().await?, store, &all, true, &Seek::After(place), 1).await?;
    Ok(found.rows.into_iter().find(|row| row.id == id))
}

/// A moment in microseconds and a number, as a place in a list.
pub(crate) fn key((micros, id): (i64, i64)) -> Key {
    Key::new(id, micros.to_string())
}

/// And back.
pub(crate) fn seek_by_time(seek: &Seek<Key>) -> Seek<(i64, i64)> {
    match seek {
        Seek::Skip(rows) => Seek::Skip(*rows),
        Seek::After(key) => Seek::After((key.number(), key.id)),
        Seek::Before(key) => Seek::Before((key.number(), key.id)),
    }
}
