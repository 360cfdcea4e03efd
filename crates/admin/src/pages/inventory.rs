//! What a store has in stock.

use accounts::Role;
use db::{Connection, Seek};
use search::{DEEPEST, Filters, Query};
use stores::inventory::{self, Stocked};
use web::Code;

use super::choices;
use crate::desk::Desk;
use crate::fields::Fields;
use crate::list::{About, Asked, Cell, Choices, Column, Filter, Found, Key, Kind, List, PAGE};
use crate::trouble::Trouble;

/// The inventory of one store: the one asked for, or the first by name. It comes by title; what is searched comes in the
/// order of the search, from its first 10,000 results.
pub(crate) struct Inventory;

impl List for Inventory {
    /// The store, what it has, and the number of the latest adjustment of that.
    type Row = (i64, Stocked, i64);

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
            Filter::new("store", "Store", Kind::One),
            Filter::new("q", "Words or SKU", Kind::Search),
            Filter::new("category", "Category", Kind::Choice),
            Filter::new("most", "At most", Kind::Number),
        ],
        sorts: &["title"],
        actions: &[],
        new: None,
        actors: Role::Manager,
    };

    async fn read(desk: &Desk, asked: &Asked, seek: &Seek<Key>, size: usize) -> Result<Found<Self::Row>, Trouble> {
        let Some(store) = asked.fields.number("store") else { return Ok(Found::all(Vec::new())) };
        if let Some(text) = asked.given("q") {
            return searched(desk, asked, store, text, seek, size).await;
        }
        let conn = desk.connection().await?;
        let filter = inventory::Filter {
            q: None,
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
        let found = Found::stretch(rows, reached, seek, |row| Key::new(row.product_id, &row.title_key));
        let (rows, found) = found.part();
        Ok(Found { rows: with_last(&conn, store, rows).await?, ..found })
    }

    fn cells((store, row, last): &Self::Row, _: &Asked) -> Vec<Cell> {
        let product = row.product_id;
        vec![
            Cell::link(format!("/admin/products/{product}/"), &row.title),
            Cell::Text(row.sku.clone().unwrap_or_default()),
            Cell::Text(row.category.clone()),
            Cell::money(row.price),
            Cell::Stock { store: *store, product, quantity: row.quantity, last: *last, title: row.title.clone() },
            Cell::link(format!("/admin/inventory/{store}/{product}/"), "movements"),
        ]
    }

    fn id((_, row, _): &Self::Row) -> String {
        row.product_id.to_string()
    }

    /// What is searched comes in one order, the best first.
    fn sorts(query: &Fields) -> &'static [&'static str] {
        if query.given("q").is_some() { &["best"] } else { Self::ABOUT.sorts }
    }

    async fn choices(desk: &Desk, filter: &str, given: &str) -> Result<Choices, Trouble> {
        match filter {
            "store" => choices::stores(desk, given).await,
            _ => choices::categories(desk, given).await,
        }
    }

    async fn settle(desk: &Desk, asked: Asked) -> Result<Asked, Trouble> {
        let asked = choices::settle(desk, asked).await?;
        if asked.given("store").is_some() {
            return Ok(asked);
        }
        let first =
            stores::browse(&*desk.connection().await?, "", stores::Order::Name, false, &Seek::Skip(0), 1).await?;
        let id = first.rows.first().map(|store| store.id.to_string()).unwrap_or_default();
        Ok(Asked { fields: asked.fields.with("store", id), ..asked })
    }

    async fn title(desk: &Desk, asked: &Asked) -> Result<String, Trouble> {
        let store = match asked.fields.number("store") {
            Some(id) => stores::get(&*desk.connection().await?, id).await.ok(),
            None => None,
        };
        Ok(store.map_or_else(|| Self::ABOUT.title.to_owned(), |store| format!("Inventory of {}", store.name)))
    }
}

/// A page of what the search finds and the store carries; a product whose SKU is just what was typed comes first.
async fn searched(
    desk: &Desk,
    asked: &Asked,
    store: i64,
    text: &str,
    seek: &Seek<Key>,
    size: usize,
) -> Result<Found<(i64, Stocked, i64)>, Trouble> {
    let query = Query {
        text: Some(text.to_owned()),
        filters: Filters {
            categories: asked.given("category").map(str::to_owned).into_iter().collect(),
            ..Filters::default()
        },
        sort: None,
        page: 1,
        page_size: DEEPEST,
        facets: false,
    };
    let (mut ids, count) = desk.search()?.ids(query).await?;
    if size > PAGE && count > DEEPEST {
        let detail =
            format!("More than {DEEPEST} products of the catalogue match, which is more than a search can export.");
        return Err(Trouble::new(Code::Invalid, &detail));
    }
    let conn = desk.connection().await?;
    if let Some(meant) = products::with_sku(&conn, text).await?.filter(|meant| choices::is_of_category(asked, meant)) {
        ids.retain(|id| *id != meant.id);
        ids.insert(0, meant.id);
    }
    let along = match seek {
        Seek::Skip(rows) => Seek::Skip(*rows),
        Seek::After(key) => Seek::After(key.id),
        Seek::Before(key) => Seek::Before(key.id),
    };
    let (rows, reached) = inventory::among(&conn, store, &ids, asked.fields.number("most"), &along, size).await?;
    let key = |place: i64| Key::new(place, "");
    let (rows, found) = Found::stretch(rows, reached.map(key), seek, |row| key(row.place)).part();
    let note = (count > DEEPEST && found.next.is_none()).then_some(
        "More than 10,000 products of the catalogue match; the best 10,000 were looked at. Narrow the search.",
    );
    let rows = with_last(&conn, store, rows.into_iter().map(|row| row.stocked).collect()).await?;
    Ok(Found { rows, note, ..found })
}

/// The rows with their store and the number of the latest adjustment of each.
async fn with_last(conn: &Connection, store: i64, rows: Vec<Stocked>) -> Result<Vec<(i64, Stocked, i64)>, Trouble> {
    let ids: Vec<i64> = rows.iter().map(|row| row.product_id).collect();
    let last = inventory::last_adjustments(conn, store, &ids).await?;
    let with_last = |row: Stocked| {
        let last = last.get(&row.product_id).copied().unwrap_or_default();
        (store, row, last)
    };
    Ok(rows.into_iter().map(with_last).collect())
}
