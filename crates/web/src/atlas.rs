//! Pages of lists that are too long to be counted, row by row, for every page.
//!
//! Counting costs more the longer a list is, and so does coming to a page by its number. So of a long list a process
//! remembers how many rows it had and where every hundredth of them stood (a [`Survey`]), and reads on from there. A survey
//! is made in the background, once somebody has read of the list; and again, while it is being read of, as often as
//! that takes no more than a fiftieth of the time. What was added meanwhile the list itself tells exactly, where it
//! grows at one end ([`Growth`]). Short lists are counted each time.

use std::future::ready;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use db::{Database, Rows, Seek, Tx};
use moka::future::Cache;
use tokio::sync::Semaphore;

use crate::Spot;

/// Lists of so many rows are long.
pub const LONG: i64 = 10_000;

/// Rows from one landmark to the next.
pub const STEP: i64 = 100;

/// Landmarks that are remembered, of the lists that were last read of: some tens of MB where they are titles.
const MEMORY: u64 = 500_000;

/// After so long a survey is not relied on any more, however seldom the list is read.
const OLDEST: Duration = Duration::from_secs(600);

/// How long a survey may take.
const LIMIT: Duration = Duration::from_secs(30);

/// A list that may be long: of which rows, and in which order. Equal ones are the same list.
pub trait LongList: Clone + Eq + Hash + Send + Sync + 'static {
    /// A row's place in the order.
    type Place: Clone + Send + Sync + 'static;
    /// A row.
    type Row: Send;
    /// Why it cannot be read.
    type Error: From<db::Error> + Send;

    /// Whether rows are skipped fast enough for a far page to be read before there is a survey; else it waits for that.
    const SKIPS_FAST: bool = true;

    /// Reads a page, and counts the list where the spot does not know its length.
    fn read(
        &self,
        database: &Database,
        spot: &Spot<Self::Place>,
    ) -> impl Future<Output = Result<(i64, Rows<Self::Row>), Self::Error>>;

    /// Whether it is long to count, having `count` rows. More may have to be looked at than are counted.
    fn is_long(&self, _: &Database, count: i64) -> impl Future<Output = Result<bool, db::Error>> {
        ready(Ok(count >= LONG))
    }

    /// Counts it and notes its landmarks, however long that takes.
    fn survey(&self, tx: &Tx) -> impl Future<Output = Result<Survey<Self::Place>, db::Error>> + Send;

    /// How it has grown since, where that is told quickly.
    fn growth(&self, _: &Database, survey: &Survey<Self::Place>) -> impl Future<Output = Result<Growth, db::Error>> {
        ready(Ok(Growth { count: survey.count, before: 0 }))
    }
}

/// What is remembered of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey<K> {
    /// How many rows it had.
    pub count: i64,
    /// Place of the first row.
    pub first: Option<K>,
    /// Places of the rows number [`STEP`], twice that, and so on.
    pub landmarks: Vec<K>,
}

impl<K> Survey<K> {
    /// From the places of the first row and of every [`STEP`]th one, with their numbers, and the rows after the last.
    pub fn new(places: impl IntoIterator<Item = (i64, K)>, rest: i64) -> Self {
        let (mut first, mut landmarks) = (None, Vec::new());
        for (number, place) in places {
            match number {
                1 => first = Some(place),
                _ => landmarks.push(place),
            }
        }
        let count = i64::try_from(landmarks.len()).unwrap_or(i64::MAX).saturating_mul(STEP).saturating_add(rest);
        Self { count, first, landmarks }
    }
}

/// What a list has become since its survey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Growth {
    /// How many rows it has now.
    pub count: i64,
    /// How many of them come before the one that was the first.
    pub before: i64,
}

struct Known<K> {
    survey: Survey<K>,
    made: Instant,
    took: Duration,
    is_renewed: AtomicBool,
}

impl<K> Known<K> {
    fn is_old(&self) -> bool {
        self.made.elapsed() > (self.took * 50).max(Duration::from_secs(1))
    }
}

fn weight<L: LongList>(_: &L, known: &Arc<Known<L::Place>>) -> u32 {
    u32::try_from(known.survey.landmarks.len()).unwrap_or(u32::MAX).saturating_add(1)
}

/// What a process knows of its long lists. Cheap to clone; clones share it.
pub struct Atlas<L: LongList> {
    known: Cache<L, Arc<Known<L::Place>>>,
    /// One is surveyed at a time, so that the database is left to others.
    turn: Arc<Semaphore>,
}

impl<L: LongList> Clone for Atlas<L> {
    fn clone(&self) -> Self {
        Self { known: self.known.clone(), turn: self.turn.clone() }
    }
}

impl<L: LongList> Default for Atlas<L> {
    fn default() -> Self {
        Self {
            known: Cache::builder().max_capacity(MEMORY).weigher(weight).time_to_live(OLDEST).build(),
            turn: Arc::new(Semaphore::new(1)),
        }
    }
}

impl<L: LongList> Atlas<L> {
    /// A page of a list, and how many rows it has.
    ///
    /// # Errors
    /// Those of reading it.
    pub async fn page(
        &self,
        database: &Database,
        list: &L,
        spot: &Spot<L::Place>,
    ) -> Result<(i64, Rows<L::Row>), L::Error> {
        let Seek::Skip(skip) = spot.seek else { return list.read(database, spot).await };
        if let Some(known) = self.known.get(list).await {
            self.renew(database, list, &known);
            return follow(database, list, spot, skip, &known.survey).await;
        }
        if skip < STEP || L::SKIPS_FAST {
            let (count, rows) = list.read(database, spot).await?;
            if list.is_long(database, count).await? {
                let (this, database, list) = (self.clone(), database.clone(), list.clone());
                tokio::spawn(async move { this.survey(&database, &list).await });
            }
            return Ok((count, rows));
        }
        let (count, _) = list.read(database, &Spot::new(Seek::Skip(0), 1)).await?;
        let spot = Spot { count: Some(count), ..spot.clone() };
        if skip < count
            && list.is_long(database, count).await?
            && let Some(known) = self.survey(database, list).await
        {
            return follow(database, list, &spot, skip, &known.survey).await;
        }
        list.read(database, &spot).await
    }

    /// Surveys a list, unless that is done already or being done; `None` if it cannot be.
    async fn survey(&self, database: &Database, list: &L) -> Option<Arc<Known<L::Place>>> {
        let known = self.known.try_get_with(list.clone(), make(&self.turn, database, list)).await;
        known.inspect_err(|error| tracing::warn!(%error, "a long list was not surveyed")).ok()
    }

    /// Has a survey that is old made again, in the background.
    fn renew(&self, database: &Database, list: &L, known: &Arc<Known<L::Place>>) {
        if !known.is_old() || known.is_renewed.swap(true, Ordering::Relaxed) {
            return;
        }
        let (this, database, list, old) = (self.clone(), database.clone(), list.clone(), known.clone());
        tokio::spawn(async move {
            match make(&this.turn, &database, &list).await {
                Ok(new) => this.known.insert(list, new).await,
                Err(error) => {
                    tracing::warn!(%error, "a long list was not surveyed again");
                    old.is_renewed.store(false, Ordering::Relaxed);
                }
            }
        });
    }
}

async fn make<L: LongList>(turn: &Semaphore, database: &Database, list: &L) -> Result<Arc<Known<L::Place>>, db::Error> {
    let _turn = turn.acquire().await;
    let (begun, list) = (Instant::now(), list.clone());
    let survey = database.transaction::<_, db::Error, _>(move |tx| {
        Box::pin(async move {
            tx.limit_statements(LIMIT).await?;
            list.survey(tx).await
        })
    });
    let survey: Survey<L::Place> = survey.await?;
    Ok(Arc::new(Known { survey, made: Instant::now(), took: begun.elapsed(), is_renewed: AtomicBool::new(false) }))
}

/// Reads the page that begins after `skip` rows from the landmark before it on.
async fn follow<L: LongList>(
    database: &Database,
    list: &L,
    spot: &Spot<L::Place>,
    skip: i64,
    survey: &Survey<L::Place>,
) -> Result<(i64, Rows<L::Row>), L::Error> {
    let Growth { count, before } = list.growth(database, survey).await?;
    if skip >= count && count > 0 {
        return Ok((count, Rows { rows: Vec::new(), more: false }));
    }
    let behind = (skip - before).max(0);
    let passed = usize::try_from(behind / STEP).unwrap_or(usize::MAX).min(survey.landmarks.len());
    let Some(landmark) = passed.checked_sub(1).and_then(|last| survey.landmarks.get(last)) else {
        return list.read(database, &Spot { count: Some(count), ..spot.clone() }).await;
    };
    let between = behind - i64::try_from(passed).unwrap_or(i64::MAX).saturating_mul(STEP);
    if between > 4 * STEP {
        // So much has come since the survey that it is no help.
        return list.read(database, &Spot { count: Some(count), ..spot.clone() }).await;
    }
    let between = usize::try_from(between).unwrap_or_default();
    let from = Spot {
        seek: Seek::After(landmark.clone()),
        size: between.saturating_add(spot.size),
        count: Some(count),
        ..spot.clone()
    };
    let (_, mut found) = list.read(database, &from).await?;
    found.rows.drain(..between.min(found.rows.len()));
    Ok((count, found))
}
