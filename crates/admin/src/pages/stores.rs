//! The list of stores.

use accounts::Role;
use db::Seek;
use stores::{Order, Store};

use crate::desk::Desk;
use crate::list::{About, Asked, Cell, Column, Filter, Found, Key, Kind, List};
use crate::trouble::Trouble;

/// Who sells.
pub(crate) struct Stores;

impl List for Stores {
    type Row = Store;

    const ABOUT: About = About {
        path: "/admin/stores/",
        title: "Stores",
        hint: "",
        columns: &[
            Column::number("Id").sorted("id"),
            Column::text("Name").sorted("name"),
            Column::text("Location"),
            Column::text("Stock"),
            Column::text("Orders"),
            Column::text("Made (UTC)"),
        ],
        filters: &[Filter::new("q", "Part of name or location", Kind::Search)],
        sorts: &["name", "-name", "id", "-id"],
        actions: &[],
        new: Some(("New store", Role::Manager)),
        actors: Role::Manager,
    };

    async fn read(desk: &Desk, asked: &Asked, seek: &Seek<Key>, size: usize) -> Result<Found<Store>, Trouble> {
        let place = |key: &Key| (key.text.clone(), key.id);
        let along = match seek {
            Seek::Skip(rows) => Seek::Skip(*rows),
            Seek::After(key) => Seek::After(place(key)),
            Seek::Before(key) => Seek::Before(place(key)),
        };
        let part = asked.given("q").unwrap_or_default();
        let (by, descending) = asked.order();
        let order = if by == "id" { Order::Id } else { Order::Name };
        let rows = stores::browse(&*desk.connection().await?, part, order, descending, &along, size).await?;
        Ok(Found::new(rows, seek, |store| Key::new(store.id, &store.name_key)))
    }

    fn cells(store: &Store, _: &Asked) -> Vec<Cell> {
        vec![
            Cell::number(store.id),
            Cell::link(format!("/admin/stores/{}/", store.id), &store.name),
            Cell::Text(store.location.clone()),
            Cell::link(format!("/admin/inventory/?store={}", store.id), "show"),
            Cell::link(format!("/admin/orders/?store={}", store.id), "show"),
            Cell::Moment(Some(store.created_at)),
        ]
    }

    fn id(store: &Store) -> String {
        store.id.to_string()
    }
}
