//! The use-cases against a real PostgreSQL and a real Redis.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]

mod catalogue;
mod following;
mod starting;
mod stock;
mod suggest;

use std::path::{Path, PathBuf};

use cache::Cache;
use search::{Answer, Config, Error, Filters, Query, Search, View};
use testkit::TestDatabase;

/// A search over the database, without Redis.
fn search(test: &TestDatabase) -> Search {
    Search::new(test.handle(), Cache::local(), &Config::default()).unwrap()
}

/// A folder for an index, which is not there yet.
fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(testkit::unique_name("index"))
}

/// The same, with its index in a folder.
fn search_in(test: &TestDatabase, folder: &Path) -> Search {
    let config = Config { index_folder: Some(folder.to_owned()), ..Config::default() };
    Search::new(test.handle(), Cache::local(), &config).unwrap()
}

/// Asks for these words.
fn words(text: &str) -> Query {
    let text = (!text.is_empty()).then(|| text.to_owned());
    Query { text, filters: Filters::default(), sort: None, page: 1, page_size: 20, facets: false }
}

/// Asks once everything that is committed now is known.
async fn ask(search: &Search, query: Query) -> Answer {
    search.catch_up().await.unwrap();
    search.products(query, View::default()).await.unwrap()
}

fn titles(answer: &Answer) -> Vec<&str> {
    answer.products.iter().map(|product| product.title.as_str()).collect()
}

/// Whether this is the error of an unknown store.
fn is_unknown_store(answer: &Result<Answer, Error>) -> bool {
    matches!(answer, Err(Error::UnknownStore(_)))
}
