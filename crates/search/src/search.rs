//! The use-cases: search products, suggest titles.

use std::borrow::Cow;
use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cache::{Cache, Key, Outcome};
use db::Database;

use crate::facets::Facets;
use crate::find::Query;
use crate::follow::{Current, Follower};
use crate::limit::{Limiter, Standing};
use crate::queries::{self, Shown};
use crate::query::{self, SHORTEST, Text};
use crate::{Config, Error, highlight};

/// The longest query that titles are suggested for, in characters.
const LONGEST: usize = 200;

/// How long a request waits for an index that is still being opened, or catches up with what came while nobody followed.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often a page is looked for that lost products a moment ago, before it is shown without them.
const ROUNDS: u32 = 4;

/// Searching the catalogue. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Search(Arc<Inner>);

struct Inner {
    database: Database,
    cache: Cache,
    follower: Follower,
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
    /// The page's products, as they are now.
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
    const IN_PROCESS: bool = true;
    type Value = Vec<String>;

    fn name(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.0)
    }
}

impl Search {
    /// Over this database, with suggestions in this cache. Begins to open or build the index, on the current runtime.
    ///
    /// # Errors
    /// As [`Database::apart`].
    pub fn new(database: Database, cache: Cache, config: &Config) -> Result<Self, db::Error> {
        let follower = Follower::start(&database, config.index_folder.clone())?;
        let suggest_limit = config.suggest_rate_limit.map(Limiter::new);
        Ok(Self(Arc::new(Inner { database, cache, follower, suggest_limit })))
    }

    /// One page of what matches `query`.
    ///
    /// # Errors
    /// [`Error::UnknownStore`], [`Error::NoSuchPage`], [`Error::TooDeep`], [`Error::Starting`], and [`Error::Database`].
    pub async fn products(&self, query: Query, view: View) -> Result<Answer, Error> {
        let query = Arc::new(query);
        let mut gone = Vec::new();
        for round in 0..ROUNDS {
            let (answer, missing) = self.look(&query, view, gone.clone()).await?;
            if missing.is_empty() {
                return Ok(answer);
            }
            // Deleted a moment ago. Once the index knows that, too, it fills the page up; of what goes even then, it is
            // told here.
            match round {
                0 => _ = tokio::time::timeout(PATIENCE, self.0.follower.follow_up()).await,
                _ => gone.extend(missing),
            }
        }
        Ok(self.look(&query, view, gone).await?.0)
    }

    /// The ids on one page of what matches `query`, as the index has them now, and how many match in all. What a store
    /// has or is called is not looked at.
    ///
    /// # Errors
    /// [`Error::NoSuchPage`], [`Error::TooDeep`], [`Error::Starting`], and [`Error::Database`].
    pub async fn ids(&self, query: Query) -> Result<(Vec<i64>, usize), Error> {
        let current = self.current().await?;
        let text = Text::read(query.text.as_deref());
        let found = crate::compute(move || query::find(&current.view, &text, &query, None)).await?;
        Ok((found.ids, found.count))
    }

    /// The page as the index has it now but for what is known to be `gone`, without those products that are gone as well,
    /// and which these are.
    async fn look(&self, query: &Arc<Query>, view: View, gone: Vec<i64>) -> Result<(Answer, Vec<i64>), Error> {
        let current = self.current().await?;
        let (text, asked) = (Text::read(query.text.as_deref()), query.clone());
        let (text, found) = crate::compute(move || {
            let found = match gone.as_slice() {
                [] => query::find(&current.view, &text, &asked, view.store),
                gone => query::find(&current.view.without(gone), &text, &asked, view.store),
            };
            (text, found)
        })
        .await;
        let ids = found.as_ref().map_or(&[][..], |found| &found.ids);
        let products = self.shown(ids, view.store).await?;
        let found = found?;
        let missing = missing(&found.ids, &products);
        let count = found.count - missing.len();
        let highlights = view.highlight.then(|| products.iter().map(|shown| highlight::title(shown, &text)).collect());
        let answer = Answer {
            count: i64::try_from(count).unwrap_or(i64::MAX),
            total_pages: i64::try_from(count.div_ceil(query.page_size.max(1)).max(1)).unwrap_or(i64::MAX),
            has_next: found.has_next,
            products,
            highlights,
            facets: found.facets,
            advice: found.advice,
        };
        Ok((answer, missing))
    }

    /// The products with these ids, as they are now. One statement answers whether the store exists, too, unless nothing
    /// is found.
    async fn shown(&self, ids: &[i64], store: Option<i64>) -> Result<Vec<Shown>, Error> {
        if ids.is_empty() && store.is_none() {
            return Ok(Vec::new());
        }
        let mut conn = self.0.database.connection().await?;
        let products = match ids {
            [] => Vec::new(),
            ids => queries::shown(&mut conn, ids, store).await?,
        };
        match store {
            Some(store) if products.is_empty() && !queries::store_exists(&mut conn, store).await? => {
                Err(Error::UnknownStore(store))
            }
            _ => Ok(products),
        }
    }

    /// At most ten titles for what has been typed of a query, and whether the cache knew them. Never older than the
    /// index.
    ///
    /// # Errors
    /// [`Error::TooShort`] under three characters, and [`Error::Database`].
    pub async fn suggest(&self, query: &str) -> Result<(Arc<Vec<String>>, Outcome), Error> {
        if is_too_short(query) {
            return Err(Error::TooShort);
        }
        let query = query.trim();
        if query.chars().count() > LONGEST {
            return Ok((Arc::default(), Outcome::Bypass));
        }
        let current = self.current().await?;
        let generation = current.generation;
        // The titles are those of the key, so that whoever asks under it gets the same.
        let key = Autocomplete(query.to_lowercase());
        // What this generation changed may be what the index does not know.
        if current.is_outdated {
            let titles = crate::compute(move || query::suggest(&current.view, &key.0)).await?;
            return Ok((Arc::new(titles), Outcome::Bypass));
        }
        let load = async {
            let query = key.0.clone();
            Ok(crate::compute(move || query::suggest(&current.view, &query)).await?)
        };
        self.0.cache.get_or_load(&key, generation, load).await
    }

    /// `ok`; `building`, while there is no index to answer from; or `behind`, while one that an earlier process left
    /// catches up.
    pub fn state(&self) -> &'static str {
        match (self.0.follower.current(), self.0.follower.has_caught_up()) {
            (None, _) => "building",
            (Some(_), false) => "behind",
            (Some(_), true) => "ok",
        }
    }

    /// Waits until everything that is committed now can be found.
    ///
    /// # Errors
    /// [`Error::Database`] when the database cannot say where it is.
    pub async fn catch_up(&self) -> Result<(), Error> {
        Ok(self.0.follower.catch_up().await?)
    }

    /// The index; after a start only once it has held everything, or does not within a while.
    async fn current(&self) -> Result<Arc<Current>, Error> {
        if !self.0.follower.has_caught_up() {
            self.0.follower.wait(PATIENCE).await;
        }
        self.0.follower.current().ok_or(Error::Starting)
    }

    /// Counts a request for suggestions, where they are limited.
    pub(crate) fn count_request(&self, client: IpAddr) -> Option<Standing> {
        self.0.suggest_limit.as_ref().map(|limiter| limiter.count(client, Instant::now()))
    }
}

/// Those of the ids found that no product has any more.
fn missing(found: &[i64], products: &[Shown]) -> Vec<i64> {
    if found.len() == products.len() {
        return Vec::new();
    }
    let there: HashSet<i64> = products.iter().map(|product| product.id).collect();
    found.iter().copied().filter(|id| !there.contains(id)).collect()
}

/// Whether too little was typed to suggest anything.
pub(crate) fn is_too_short(query: &str) -> bool {
    query.trim().chars().count() < SHORTEST
}
