//! The list of products.

use accounts::Role;
use db::Seek;
use products::{Order, Product};
use search::{DEEPEST, Error, Filters, Query, Sort, View};
use web::Code;

use super::bulk::Bulk;
use super::{choices, product};
use crate::desk::Desk;
use crate::fields::Fields;
use crate::list::{About, Action, Asked, Cell, Choices, Column, Filter, Found, Key, Kind, List, PAGE, number};
use crate::trouble::Trouble;

/// The catalogue. It comes from the database, along an index; what is searched comes from the search, whose first 10,000
/// results can be paged through.
pub(crate) struct Products;

impl List for Products {
    type Row = Product;

    const ABOUT: About = About {
        path: "/admin/products/",
        title: "Products",
        hint: "",
        columns: &[
            Column::number("Id").sorted("id"),
            Column::text("Title").sorted("title"),
            Column::text("SKU"),
            Column::text("Category"),
            Column::number("Price").sorted("price"),
            Column::text("Made (UTC)").sorted("made"),
            Column::text("Changed (UTC)"),
        ],
        filters: &[
            Filter::new("q", "Words or SKU", Kind::Search),
            Filter::new("category", "Category", Kind::Choice),
            Filter::new("from", "Made from", Kind::Day),
            Filter::new("to", "Made to", Kind::Day),
        ],
        sorts: &["-id", "id", "title", "-title", "price", "-price", "-made", "made"],
        actions: &[Action {
            name: "delete",
            label: "Delete products",
            question: "They are deleted with what stores have of them. Those that orders refer to stay.",
        }],
        new: Some(("New product", Role::Manager)),
        actors: Role::Manager,
    };

    async fn read(desk: &Desk, asked: &Asked, seek: &Seek<Key>, size: usize) -> Result<Found<Product>, Trouble> {
        if asked.given("q").is_some() {
            if asked.from().or(asked.before()).is_some() {
                return Err(Trouble::new(Code::Invalid, "The search knows no days. Leave out the words, or the days."));
            }
            return searched(desk, asked, seek, size).await;
        }
        let category = asked.given("category").map(|id| id.parse().unwrap_or(0));
        let (by, descending) = asked.order();
        let order = match by {
            "title" => Order::Title,
            "price" => Order::Price,
            "made" => Order::Made { from: asked.from(), before: asked.before() },
            _ => Order::Id,
        };
        let place = |key: &Key| (key.text.clone(), key.id);
        let along = match seek {
            Seek::Skip(rows) => Seek::Skip(*rows),
            Seek::After(key) => Seek::After(place(key)),
            Seek::Before(key) => Seek::Before(place(key)),
        };
        let conn = desk.connection().await?;
        let rows = products::browse(&conn, category, order, descending, &along, size).await?;
        let key = |product: &Product| match order {
            Order::Title => Key::new(product.id, &product.title),
            Order::Price => Key::new(product.id, product.price.to_string()),
            Order::Made { .. } => Key::new(product.id, product.created_at.timestamp_micros().to_string()),
            Order::Id => Key::new(product.id, ""),
        };
        Ok(Found::new(rows, seek, key))
    }

    fn cells(product: &Product, _: &Asked) -> Vec<Cell> {
        vec![
            Cell::number(product.id),
            Cell::link(format!("/admin/products/{}/", product.id), &product.title),
            Cell::Text(product.sku.clone().unwrap_or_default()),
            Cell::Text(product.category.clone()),
            Cell::money(product.price),
            Cell::Moment(Some(product.created_at)),
            Cell::Moment(Some(product.updated_at)),
        ]
    }

    fn id(product: &Product) -> String {
        product.id.to_string()
    }

    async fn choices(desk: &Desk, _: &str, given: &str) -> Result<Choices, Trouble> {
        choices::categories(desk, given).await
    }

    /// What is searched comes in the orders that the search knows, the best first; what was made on some days by the
    /// moment when it was.
    fn sorts(query: &Fields) -> &'static [&'static str] {
        let of_days = query.given("from").or(query.given("to")).is_some();
        match query.given("q") {
            Some(_) => &["best", "-id", "price", "-price"],
            None if of_days => &["-made", "made"],
            None => Self::ABOUT.sorts,
        }
    }

    async fn settle(desk: &Desk, asked: Asked) -> Result<Asked, Trouble> {
        choices::settle(desk, asked).await
    }
}

impl Bulk for Products {
    async fn act(desk: &Desk, _: &str, id: &str) -> Result<(), Trouble> {
        Ok(product::remove(desk.database()?, desk.actor(), id.parse().map_err(|_| Trouble::nothing())?).await?)
    }
}

/// A page of what the search finds; a product whose SKU is just what was typed comes first.
async fn searched(desk: &Desk, asked: &Asked, seek: &Seek<Key>, size: usize) -> Result<Found<Product>, Trouble> {
    let (text, page) = (asked.given("q"), number(seek));
    let sort = match asked.sort {
        "price" => Sort::Price,
        "-price" => Sort::PriceDescending,
        "-id" => Sort::Newest,
        _ => Sort::Relevance,
    };
    let query = Query {
        text: text.map(str::to_owned),
        filters: Filters {
            categories: asked.given("category").map(str::to_owned).into_iter().collect(),
            ..Filters::default()
        },
        sort: Some(sort),
        page,
        page_size: size,
        facets: false,
    };
    let (ids, more, ends): (Vec<i64>, _, _) = match desk.search()?.products(query, View::default()).await {
        Ok(answer) if size > PAGE && answer.count > DEEPEST as i64 => {
            let detail = format!("More than {DEEPEST} products match, which is more than a search can export.");
            return Err(Trouble::new(Code::Invalid, &detail));
        }
        Ok(answer) => {
            let ends = !answer.has_next && answer.count > DEEPEST as i64;
            (answer.products.iter().map(|product| product.id).collect(), answer.has_next, ends)
        }
        Err(Error::NoSuchPage) => (Vec::new(), false, false),
        Err(Error::TooDeep) => (Vec::new(), false, true),
        Err(error) => return Err(error.into()),
    };
    let conn = desk.connection().await?;
    let mut rows = products::several(&conn, &ids).await?;
    if let (Some(sku), 1) = (text, page)
        && let Some(meant) = products::with_sku(&conn, sku).await?.filter(|meant| choices::is_of_category(asked, meant))
    {
        rows.retain(|product| product.id != meant.id);
        rows.insert(0, meant);
    }
    let note = ends.then_some("A search shows its first 10,000 results. Narrow it to see others.");
    Ok(Found { note, ..Found::numbered(rows, page, more) })
}
