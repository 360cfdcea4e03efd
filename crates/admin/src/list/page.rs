//! A list as a page.

use askama::Template;

use super::{About, Asked, Cell, Choices, Kind, List, PAGE, place};
use crate::desk::Desk;
use crate::fields::{address, encoded, with};
use crate::render::{Answer, Frame, page};

#[derive(Template)]
#[template(path = "list.html")]
struct Page {
    frame: Frame,
    about: About,
    title: String,
    headings: Vec<Heading>,
    filters: Vec<Shown>,
    rows: Vec<Row>,
    /// The address of the list as it is, to come back to; and the same as a value in an address.
    here: String,
    back: String,
    export: String,
    previous: Option<String>,
    next: Option<String>,
    is_narrowed: bool,
    may_act: bool,
    /// The filters as they stand in an address, where actions can be taken on all rows that they let through.
    all: Option<String>,
    may_make: bool,
    /// The order, where somebody chose it.
    sort: Option<&'static str>,
    /// A sentence below the rows.
    note: Option<&'static str>,
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
    choices: Choices,
}

struct Row {
    id: String,
    cells: Vec<Cell>,
}

/// `GET` of a list.
pub(crate) async fn show<L: List>(desk: Desk) -> Answer {
    let about = L::ABOUT;
    let sorts = L::sorts(&desk.query);
    let asked = L::settle(&desk, Asked::read(sorts, &desk.query)).await?;
    let found = L::read(&desk, &asked, &place::seek(&desk.query), PAGE).await?;
    let query = asked.query(&about);
    let here = address(about.path, &query);
    let neighbour = |name: &str, key: place::Key| with(&here, name, &key.to_string());
    let mut filters = Vec::new();
    for filter in about.filters {
        let value = asked.fields.get(filter.name).to_owned();
        let choices = match filter.kind {
            Kind::Choice | Kind::One => L::choices(&desk, filter.name, &value).await?,
            _ => Choices::default(),
        };
        filters.push(Shown { name: filter.name, label: filter.label, kind: filter.kind, value, choices });
    }
    let may_act = desk.session.role >= about.actors && !about.actions.is_empty();
    let rows = found.rows.iter().map(|row| Row { id: L::id(row), cells: L::cells(row, &asked) });
    page(&Page {
        about,
        title: L::title(&desk, &asked).await?,
        headings: headings(&about, sorts, &asked),
        is_narrowed: filters.iter().any(|filter| filter.kind != Kind::One && !filter.value.is_empty()),
        filters,
        rows: rows.collect(),
        back: encoded(&here),
        export: address(&format!("{}export.csv", about.path), &query),
        previous: found.previous.map(|key| neighbour("before", key)),
        next: found.next.map(|key| if found.begins { here.clone() } else { neighbour("after", key) }),
        may_act,
        all: (may_act && L::ALL_AT_ONCE).then_some(query),
        note: found.note,
        may_make: about.new.is_some_and(|(_, least)| desk.session.role >= least),
        sort: asked.is_sorted.then_some(asked.sort),
        frame: Frame::new(&desk),
        here,
    })
}

fn headings(about: &About, sorts: &[&str], asked: &Asked) -> Vec<Heading> {
    let (by, descending) = asked.order();
    let heading = |column: &super::Column| {
        let is_sorted = column.sort == Some(by);
        let link = column.sort.and_then(|sort| {
            let both = [sort.to_owned(), format!("-{sort}")];
            let offered: Vec<&String> = both.iter().filter(|sort| sorts.contains(&sort.as_str())).collect();
            // The other direction where the list is sorted by this already.
            let wanted = offered.iter().find(|sort| ***sort != asked.sort).or(offered.first())?;
            let fields = asked.fields.clone().with("sort", wanted.as_str());
            let other = Asked { fields, sort: asked.sort, is_sorted: true };
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
