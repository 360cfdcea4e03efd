//! Small indexes in memory, without a database.

use chrono::DateTime;
use rust_decimal::Decimal;

use crate::index::{Categories, Entry, Stamp, Store, View, Volume};
use crate::query::{self, Found, Text};
use crate::{Error, Query, Shown};

pub(super) struct Catalogue {
    pub(super) products: Vec<Entry>,
    categories: Vec<(i64, String)>,
    view: View,
}

impl Catalogue {
    pub(super) fn find(&self, query: &Query) -> Result<Found, Error> {
        query::find(&self.view, &Text::read(query.text.as_deref()), query, None)
    }

    pub(super) fn suggest(&self, query: &str) -> Vec<String> {
        query::suggest(&self.view, query).unwrap()
    }

    /// The product as it would be shown.
    pub(super) fn shown(&self, product: &Entry) -> Shown {
        let category = self.categories.iter().find(|(id, _)| *id == product.category).unwrap().1.clone();
        Shown {
            id: product.id,
            title: product.title.clone(),
            description: product.description.clone(),
            price: Decimal::new(product.price, 2),
            category,
            created_at: DateTime::from_timestamp_micros(product.created).unwrap(),
            quantity: None,
        }
    }
}

/// Products as (title, category, description, price in cents), with ids from 1 and a second between them.
pub(super) fn snapshot(products: &[(&str, &str, &str, i64)]) -> Catalogue {
    let mut names: Vec<&str> = products.iter().map(|product| product.1).collect();
    names.sort_unstable();
    names.dedup();
    let category_id = |name: &str| names.iter().position(|other| *other == name).map_or(0, |at| at as i64 + 1);
    let products = (1..).zip(products).map(|(id, (title, category, description, price))| Entry {
        id,
        title: (*title).into(),
        description: (*description).into(),
        category: category_id(category),
        price: *price,
        created: id * 1_000_000,
        in_stock: Vec::new(),
    });
    let products: Vec<Entry> = products.collect();
    let categories: Vec<(i64, String)> = names.iter().map(|name| (category_id(name), (*name).to_owned())).collect();
    let mut store = Store::create(None, Volume::Few).unwrap();
    products.iter().for_each(|product| store.add(product).unwrap());
    let segments = store.commit(&Stamp::new("test", "1:1:", 0)).unwrap();
    let view = View { segments, categories: Categories::new(categories.iter().cloned()).into() };
    Catalogue { products, categories, view }
}

/// Products of these titles.
pub(super) fn titled(titles: &[&str]) -> Catalogue {
    let products: Vec<(&str, &str, &str, i64)> = titles.iter().map(|title| (*title, "other", "", 100)).collect();
    snapshot(&products)
}

/// Asks for these words, on one large page.
pub(super) fn query(text: &str) -> Query {
    let text = (!text.is_empty()).then(|| text.to_owned());
    Query { text, filters: crate::Filters::default(), sort: None, page: 1, page_size: 100, facets: false }
}

/// Titles of what is found, in order.
pub(super) fn found<'s>(snapshot: &'s Catalogue, query: &Query) -> Vec<&'s str> {
    let title = |id: &i64| snapshot.products[usize::try_from(*id).unwrap() - 1].title.as_str();
    snapshot.find(query).unwrap().ids.iter().map(title).collect()
}
