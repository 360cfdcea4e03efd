//! A list as a page.

use askama::Template;

use super::{About, Asked, Cell, Choice, Kind, List, PAGE, place};
use crate::desk::Desk;
use crate::fields::{address, encoded};
use crate::render::{Answer, Frame, page};

#[derive(Template)]
#[template(path = "list.html")]
struct Page {
    frame: Frame,
    about: About,
    headings: Vec<Heading>,
    filters: Vec<Shown>,
    rows: Vec<Row>,
    /// The filters and the sort as they stand in an address, to come back to; and the same as a value there.
    query: String,
    back: String,
    export: String,
    previous: Option<String>,
    next: Option<String>,
    is_narrowed: bool,
    may_act: bool,
    may_make: bool,
    sort: &'static str,
}

/// The heading of a column.
struct Heading {
    name: &'static str,
    is_number: bool,
    /// Where it sorts by this column.
    link: Option<String>,
    /// `ascending` or `descending`, where the list is sorted by this column.
    sorted: &'static str,
}

/// A filter, with what is filled in.
struct Shown {
    name: &'static str,
    label: &'static str,
    kind: Kind,
    value: String,
    choices: Vec<Choice>,
}

struct Row {
    id: String,
    cells: Vec<Cell>,
}

/// `GET` of a list.
pub(crate) async fn show<L: List>(desk: Desk) -> Answer {
    let about = L::ABOUT;
    let asked = Asked::read(&about, &desk.query);
    let found = L::read(&desk, &asked, &place::seek(&desk.query), PAGE).await?;
    let query = asked.query(&about);
    let neighbour = |name: &str, key: place::Key| {
        let place = format!("{name}={}", encoded(&key.to_string()));
        address(about.path, &if query.is_empty() { place } else { format!("{query}&{place}") })
    };
    let mut filters = Vec::new();
    for filter in about.filters {
        let choices = if filter.kind == Kind::Choice { L::choices(&desk, filter.name).await? } else { Vec::new() };
        let value = asked.fields.get(filter.name).to_owned();
        filters.push(Shown { name: filter.name, label: filter.label, kind: filter.kind, value, choices });
    }
    let rows = found.rows.iter().map(|row| Row { id: L::id(row), cells: L::cells(row, &asked) });
    page(&Page {
        about,
        headings: headings(&about, &asked),
        is_narrowed: filters.iter().any(|filter| !filter.value.is_empty()),
        filters,
        rows: rows.collect(),
        back: encoded(&query),
        export: address(&format!("{}export.csv", about.path), &query),
        previous: found.previous.map(|key| neighbour("before", key)),
        next: found.next.map(|key| neighbour("after", key)),
        may_act: desk.session.role >= about.actors && !about.actions.is_empty(),
        query,
        may_make: about.new.is_some_and(|(_, least)| desk.session.role >= least),
        sort: asked.sort,
        frame: Frame::new(&desk),
    })
}

fn headings(about: &About, asked: &Asked) -> Vec<Heading> {
    let (by, descending) = asked.order();
    let heading = |column: &super::Column| {
        let is_sorted = column.sort == Some(by);
        let link = column.sort.and_then(|sort| {
            let both = [sort.to_owned(), format!("-{sort}")];
            let offered: Vec<&String> = both.iter().filter(|sort| about.sorts.contains(&sort.as_str())).collect();
            // The other direction where the list is sorted by this already.
            let wanted = offered.iter().find(|sort| ***sort != asked.sort).or(offered.first())?;
            let other = Asked { fields: asked.fields.clone().with("sort", wanted.as_str()), sort: asked.sort };
            Some(address(about.path, &other.query(about)))
        });
        let sorted = match (is_sorted, descending) {
            (false, _) => "",
            (true, false) => "ascending",
            (true, true) => "descending",
        };
        Heading { name: column.name, is_number: column.is_number, link, sorted }
    };
    about.columns.iter().map(heading).collect()
}
