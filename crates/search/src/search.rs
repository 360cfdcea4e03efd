//! The use-cases: search products, suggest titles.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cache::{Cache, Key, Outcome};
use db::Database;

use crate::facets::Facets;
use crate::find::{Query, find};
use crate::follower::Follower;
use crate::limit::{Limiter, Standing};
use crate::queries::{self, Shown};
use crate::ranking::Text;
use crate::{Config, Error, highlight, titles};

/// The longest query that titles are suggested for, in characters.
const LONGEST: usize = 200;

/// Searching the catalogue. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Search(Arc<Inner>);

struct Inner {
    database: Database,
    cache: Cache,
    catalogue: Follower,
    suggest_limit: Option<Limiter>,
}

/// One page of results.
#[derive(Debug)]
pub struct Answer {
    /// Results on all pages.
    pub count: i64,
    /// Pages, at least 1.
    pub total_pages: i64,
    /// Whether a page follows that can be had.
    pub has_next: bool,
    /// The page's products. Those deleted since they were found are left out.
    pub products: Vec<Shown>,
    /// For each product its title in HTML, what matched marked by `<em>`, where that was asked for.
    pub highlights: Option<Vec<String>>,
    /// Counts, where they were asked for.
    pub facets: Option<Facets>,
    /// What to relax, where nothing matches.
    pub advice: Option<Vec<String>>,
}

/// What is shown of each result besides its product.
#[derive(Debug, Clone, Copy, Default)]
pub struct View {
    /// The store whose quantities are shown, and whose stock counts as in stock.
    pub store: Option<i64>,
    /// Whether titles are marked.
    pub highlight: bool,
}

/// Suggested titles, kept for five minutes.
struct Autocomplete(String);

impl Key for Autocomplete {
    const PREFIX: &'static str = "autocomplete:";
    const TIME_TO_LIVE: Duration = Duration::from_secs(300);
    type Value = Vec<String>;

    fn name(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.0)
    }
}

impl Search {
    /// Over this database, with suggestions in this cache. Reads nothing yet: the first search does.
    pub fn new(database: Database, cache: Cache, config: &Config) -> Self {
        let catalogue = Follower::new(database.clone());
        let suggest_limit = config.suggest_rate_limit.map(Limiter::new);
        Self(Arc::new(Inner { database, cache, catalogue, suggest_limit }))
    }

    /// One page of what matches `query`.
    ///
    /// # Errors
    /// [`Error::UnknownStore`], [`Error::NoSuchPage`], [`Error::TooDeep`], and [`Error::Database`].
    pub async fn products(&self, query: Query, view: View) -> Result<Answer, Error> {
        let mut conn = self.0.database.connection().await?;
        if let Some(store) = view.store
            && !queries::store_exists(&mut conn, store).await?
        {
            return Err(Error::UnknownStore(store));
        }
        let in_stock = match query.filters.in_stock {
            true => Some(queries::in_stock(&mut conn, view.store).await?),
            false => None,
        };
        let generation = queries::generation(&mut conn).await?;
        drop(conn);
        let snapshot = self.0.catalogue.at(generation).await?;
        let (snapshot, text, found) = crate::compute(move || {
            let text = Text::read(query.text.as_deref(), &snapshot);
            let found = find(&snapshot, &text, &query, in_stock.as_ref());
            (snapshot, text, found)
        })
        .await;
        let found = found?;
        let products = match found.ids.as_slice() {
            [] => Vec::new(),
            ids => queries::shown(&mut self.0.database.connection().await?, ids, view.store).await?,
        };
        let highlights = view
            .highlight
            .then(|| products.iter().map(|shown| highlight::title(shown.id, &shown.title, &text, &snapshot)).collect());
        Ok(Answer {
            count: i64::try_from(found.count).unwrap_or(i64::MAX),
            total_pages: i64::try_from(found.total_pages).unwrap_or(i64::MAX),
            has_next: found.has_next,
            products,
            highlights,
            facets: found.facets,
            advice: found.advice,
        })
    }

    /// At most ten titles for what has been typed of a query, and whether the cache knew them. Never older than the
    /// catalogue at the time of the call.
    ///
    /// # Errors
    /// [`Error::TooShort`] under three characters, and [`Error::Database`].
    pub async fn suggest(&self, query: &str) -> Result<(Arc<Vec<String>>, Outcome), Error> {
        let query = query.trim();
        let length = query.chars().count();
        if length < titles::SHORTEST {
            return Err(Error::TooShort);
        }
        if length > LONGEST {
            return Ok((Arc::default(), Outcome::Bypass));
        }
        let generation = queries::generation(&mut self.0.database.connection().await?).await?;
        // The titles are those of the key, so that whoever asks under it gets the same.
        let key = Autocomplete(query.to_lowercase());
        let load = async {
            let snapshot = self.0.catalogue.at(generation).await?;
            let query = key.0.clone();
            Ok(crate::compute(move || titles::suggest(&snapshot, &query)).await)
        };
        self.0.cache.get_or_load(&key, generation, load).await
    }

    /// Counts a request for suggestions, where they are limited.
    pub(crate) fn count_request(&self, client: IpAddr) -> Option<Standing> {
        self.0.suggest_limit.as_ref().map(|limiter| limiter.count(client, Instant::now()))
    }
}
