//! What a store has in stock.

use accounts::Role;
use db::Seek;
use stores::inventory::{self, Stocked};

use super::choices;
use crate::desk::Desk;
use crate::list::{About, Asked, Cell, Choice, Column, Filter, Found, Key, Kind, List};
use crate::trouble::Trouble;

/// The inventory of one store: the one asked for, or the first by name.
pub(crate) struct Inventory;

impl List for Inventory {
    type Row = (i64, Stocked);

    const ABOUT: About = About {
        path: "/admin/inventory/",
        title: "Inventory",
        hint: "",
        columns: &[
            Column::text("Product").sorted("title"),
            Column::text("SKU"),
            Column::text("Category"),
            Column::number("Price"),
            Column::number("In stock"),
            Column::text("Ledger"),
        ],
        filters: &[
            Filter::new("store", "Store", Kind::Choice),
            Filter::new("q", "Part of the title", Kind::Search),
            Filter::new("category", "Category", Kind::Choice),
            Filter::new("most", "At most", Kind::Number),
        ],
        sorts: &["title"],
        actions: &[],
        new: None,
        actors: Role::Manager,
    };

    async fn read(desk: &Desk, asked: &Asked, seek: &Seek<Key>, size: usize) -> Result<Found<Self::Row>, Trouble> {
        let conn = desk.connection().await?;
        let store = match asked.given("store") {
            Some(id) => id.parse().ok(),
            None => stores::browse(&conn, "", &Seek::Skip(0), 1).await?.rows.first().map(|store| store.id),
        };
        let Some(store) = store else { return Ok(Found { rows: Vec::new(), next: None, previous: None }) };
        let filter = inventory::Filter {
            q: asked.given("q").map(str::to_owned),
            category: asked.given("category").map(str::to_owned),
            in_stock: false,
            low_stock: asked.fields.number("most"),
        };
        let place = |key: &Key| (key.text.clone(), key.id);
        let along = match seek {
            Seek::Skip(rows) => Seek::Skip(*rows),
            Seek::After(key) => Seek::After(place(key)),
            Seek::Before(key) => Seek::Before(place(key)),
        };
        let (rows, reached) = inventory::browse(&conn, store, &filter, &along, size).await?;
        let reached = reached.map(|(title, id)| Key::new(id, title));
        let key = |(_, row): &(i64, Stocked)| Key::new(row.product_id, &row.title_key);
        Ok(Found::stretch(rows.map(|row| (store, row)), reached, seek, key))
    }

    fn cells((store, row): &Self::Row, _: &Asked) -> Vec<Cell> {
        let product = row.product_id;
        vec![
            Cell::link(format!("/admin/products/{product}/"), &row.title),
            Cell::Text(row.sku.clone().unwrap_or_default()),
            Cell::Text(row.category.clone()),
            Cell::money(row.price),
            Cell::Stock { store: *store, product, quantity: row.quantity, title: row.title.clone() },
            Cell::link(format!("/admin/inventory/{store}/{product}/"), "movements"),
        ]
    }

    fn id((_, row): &Self::Row) -> String {
        row.product_id.to_string()
    }

    async fn choices(desk: &Desk, filter: &str) -> Result<Vec<Choice>, Trouble> {
        match filter {
            "store" => choices::stores(desk).await,
            _ => choices::categories(desk).await,
        }
    }
}
