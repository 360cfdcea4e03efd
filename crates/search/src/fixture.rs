//! Snapshots for tests, without a database.

use chrono::{DateTime, TimeDelta};

use crate::find::Query;
use crate::queries::{CategoryRow, ProductRow};
use crate::ranking::Text;
use crate::snapshot::Snapshot;

/// Products as (title, category, description, price in cents), with ids from 1 and a second between them.
pub(crate) fn snapshot(products: &[(&str, &str, &str, i64)]) -> Snapshot {
    let mut names: Vec<&str> = products.iter().map(|product| product.1).collect();
    names.sort_unstable();
    names.dedup();
    let category_id = |name: &str| names.iter().position(|other| *other == name).map_or(0, |at| at as i64 + 1);
    let products = products.iter().enumerate().map(|(place, (title, category, description, cents))| ProductRow {
        id: place as i64 + 1,
        title: (*title).into(),
        description: (*description).into(),
        category_id: category_id(category),
        price: rust_decimal::Decimal::new(*cents, 2),
        created_at: DateTime::UNIX_EPOCH + TimeDelta::seconds(place as i64),
    });
    let categories = names.iter().map(|name| CategoryRow { id: category_id(name), name: (*name).into() });
    Snapshot::new(1, categories.collect(), products.collect())
}

/// Products of these titles.
pub(crate) fn titled(titles: &[&str]) -> Snapshot {
    let products: Vec<(&str, &str, &str, i64)> = titles.iter().map(|title| (*title, "other", "", 100)).collect();
    snapshot(&products)
}

/// Asks for these words, on one large page.
pub(crate) fn query(text: &str) -> Query {
    let text = (!text.is_empty()).then(|| text.to_owned());
    Query { text, filters: crate::Filters::default(), sort: None, page: 1, page_size: 100, facets: false }
}

/// Titles of what is found, in order.
pub(crate) fn found<'s>(snapshot: &'s Snapshot, query: &Query) -> Vec<&'s str> {
    let text = Text::read(query.text.as_deref(), snapshot);
    let found = crate::find::find(snapshot, &text, query, None).unwrap();
    let title = |id: &i64| snapshot.products[usize::try_from(*id).unwrap() - 1].title.as_str();
    found.ids.iter().map(title).collect()
}
