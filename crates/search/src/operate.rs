//! What operators ask for: build anew, tell how far the log and an index are, tell why a product ranks where it does.

use std::path::Path;

use cache::Cache;
use chrono::{DateTime, Utc};
use db::copy::BulkTx;
use db::{Connection, Database};
use diesel::dsl::{count_star, min};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::follow::{Position, source};
use crate::index::Home;
use crate::query::Text;
use crate::schema::{products, search_changes};
use crate::{Config, Error, Explanation, Query, Search, View};

/// How the catalogue, the log of its changes, and an index on disk stand to each other.
#[derive(Debug, Clone)]
pub struct Status {
    /// Products in the catalogue.
    pub products: i64,
    /// Changes in the log.
    pub changes: i64,
    /// When the oldest of them was made.
    pub oldest: Option<DateTime<Utc>>,
    /// The index in the folder, if there is one of this database.
    pub index: Option<IndexStatus>,
}

/// How an index on disk stands.
#[derive(Debug, Clone)]
pub struct IndexStatus {
    /// Products in it.
    pub products: usize,
    /// Bytes of its files.
    pub bytes: u64,
    /// Changes that it does not hold.
    pub behind: i64,
}

/// Asks every process to build its index anew, beside the one that serves meanwhile.
///
/// # Errors
/// Those of the database.
pub async fn request_rebuild(database: &Database) -> Result<(), Error> {
    database
        .transaction(|tx| {
            Box::pin(async move {
                let everything = search_changes::kind.eq("everything");
                diesel::insert_into(search_changes::table).values(everything).execute(&mut **tx).await?;
                Ok(())
            })
        })
        .await
}

/// The same, when the transaction ends well: after bulk work that the triggers did not see.
///
/// # Errors
/// Those of the database.
pub async fn everything_changed(tx: &BulkTx<'_>) -> Result<(), Error> {
    let everything = "INSERT INTO search_changes (kind) VALUES ('everything')";
    Ok(tx.batch_execute(everything).await.map_err(db::Error::from)?)
}

/// How things stand; with the index in `folder`, where one is given.
///
/// # Errors
/// Those of the database.
pub async fn status(database: &Database, folder: Option<&Path>) -> Result<Status, Error> {
    let mut conn = database.connection().await?;
    let products = products::table.count().get_result(&mut conn).await?;
    let (changes, oldest) =
        search_changes::table.select((count_star(), min(search_changes::created_at))).get_result(&mut conn).await?;
    let index = match folder {
        Some(folder) => index_status(&mut conn, folder.to_owned()).await?,
        None => None,
    };
    Ok(Status { products, changes, oldest, index })
}

/// How many products match, and why those of the page rank where they do; from an index in memory that is built for it.
///
/// # Errors
/// As those of [`Search::products`].
pub async fn explain(database: Database, query: Query) -> Result<(i64, Vec<Explanation>), Error> {
    let search = Search::new(database, Cache::local(), &Config::default())?;
    search.catch_up().await?;
    let text = Text::read(query.text.as_deref());
    let answer = search.products(query, View::default()).await?;
    let explanations = answer.products.into_iter().map(|product| Explanation::new(product, &text));
    Ok((answer.count, explanations.collect()))
}

async fn index_status(conn: &mut Connection, folder: std::path::PathBuf) -> Result<Option<IndexStatus>, Error> {
    let identity = source::identity(conn).await?;
    let looked = crate::compute(move || Home::look(&folder, &identity)).await?;
    let Some((stamp, products, bytes)) = looked else { return Ok(None) };
    let behind = match stamp.snapshot.parse::<Position>() {
        Ok(seen) => source::behind(conn, &seen).await?,
        Err(_) => return Ok(None),
    };
    Ok(Some(IndexStatus { products, bytes, behind }))
}
