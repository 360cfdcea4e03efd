//! Pages of lists that are too long to be counted, row by row, for every page.
//!
//! Counting costs more the longer a list is, and so does coming to a page by its number. So of a long list a process
//! remembers how many rows it had and where every hundredth of them stood (a [`Survey`]), and reads on from there. A survey
//! is made in the background, once somebody has read of the list; and again, while it is being read of, as often as
//! that takes no more than a tenth of the time. What was added meanwhile the list itself tells exactly where it can
//! ([`Growth`]); where it cannot, a survey is believed for a while that grows with what it costs, and never longer than
//! [`OLDEST`]. Short lists are counted each time, and nothing is remembered of them.

use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use db::{Database, Rows, Seek, Tx};
use moka::future::Cache;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::Spot;

/// Lists of so many rows are long.
pub const LONG: i64 = 10_000;

/// Rows from one landmark to the next.
pub const STEP: i64 = 100;

/// Landmarks that are remembered, of the lists that were last read of: some tens of MB where they are titles.
const MEMORY: u64 = 500_000;

/// After so long a survey is not believed any more, whatever it cost.
const OLDEST: Duration = Duration::from_secs(60);

/// Every survey is believed for so long.
const YOUNG: Duration = Duration::from_secs(2);

/// After so long a survey that nobody has read of is forgotten.
const KEPT: Duration = Duration::from_secs(600);

/// How long a survey may take.
const LIMIT: Duration = Duration::from_secs(30);

/// How long one waits for its turn; then it is not made, and whoever reads next asks for it again.
const QUEUE: Duration = Duration::from_secs(2);

/// How long a reader waits for a survey where reading without it costs little.
const PATIENCE: Duration = Duration::from_millis(250);

/// And where it costs as much as the survey itself.
const PATIENCE_AT_MOST: Duration = Duration::from_secs(4);

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

    /// Counts it and notes its landmarks, however long that takes.
    fn survey(&self, tx: &Tx) -> impl Future<Output = Result<Survey<Self::Place>, db::Error>> + Send;

    /// What became of it since, as far as that is told quickly; `None` where the survey is no help any more. `until` is
    /// how many rows there are to the end of the page that is wanted.
    fn growth(
        &self,
        database: &Database,
        survey: &Survey<Self::Place>,
        until: i64,
    ) -> impl Future<Output = Result<Option<Growth>, db::Error>>;
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
    /// How many rows were looked at to make it, where those are more.
    pub looked_at: i64,
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
        Self { count, first, landmarks, looked_at: count }
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
    /// When it was begun: it knows of nothing that came later.
    made: Instant,
    took: Duration,
    is_renewed: AtomicBool,
}

impl<K> Known<K> {
    /// Whether it is time for another.
    fn is_old(&self) -> bool {
        self.made.elapsed() > (self.took * 10).max(YOUNG / 2)
    }

    /// Whether it is still believed.
    fn is_believed(&self) -> bool {
        self.made.elapsed() <= (self.took * 20).clamp(YOUNG, OLDEST)
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
            known: Cache::builder().max_capacity(MEMORY).weigher(weight).time_to_idle(KEPT).build(),
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
        let known = self.known.get(list).await;
        if let Some(known) = &known {
            if let Some(found) = follow(database, list, spot, skip, known).await? {
                self.renew(database, list, known);
                return Ok(found);
            }
            self.known.invalidate(list).await;
        }
        if skip < STEP || known.is_none() && L::SKIPS_FAST {
            let (count, rows) = list.read(database, spot).await?;
            if count >= LONG {
                drop(self.survey(database, list));
            }
            return Ok((count, rows));
        }
        let (count, _) = list.read(database, &Spot::new(Seek::Skip(0), 1)).await?;
        let spot = Spot { count: Some(count), ..spot.clone() };
        if skip < count && count >= LONG {
            let patience = if L::SKIPS_FAST { PATIENCE } else { PATIENCE_AT_MOST };
            let made = tokio::time::timeout(patience, self.survey(database, list)).await;
            if let Ok(Ok(Some(known))) = made
                && let Some(found) = follow(database, list, &spot, skip, &known).await?
            {
                return Ok(found);
            }
        }
        list.read(database, &spot).await
    }

    /// Surveys a list in the background, unless that is done already or being done; `None` if it cannot be.
    fn survey(&self, database: &Database, list: &L) -> JoinHandle<Option<Arc<Known<L::Place>>>> {
        let (this, database, list) = (self.clone(), database.clone(), list.clone());
        tokio::spawn(async move {
            let known = this.known.try_get_with(list.clone(), make(&this.turn, &database, &list)).await;
            known.inspect_err(|error| tracing::warn!(%error, "a long list was not surveyed")).ok()
        })
    }

    /// Has a survey that is old made again, in the background.
    fn renew(&self, database: &Database, list: &L, known: &Arc<Known<L::Place>>) {
        if !known.is_old() || known.is_renewed.swap(true, Relaxed) {
            return;
        }
        let (this, database, list, old) = (self.clone(), database.clone(), list.clone(), known.clone());
        tokio::spawn(async move {
            match make(&this.turn, &database, &list).await {
                Ok(new) => this.known.insert(list, new).await,
                Err(error) => {
                    tracing::warn!(%error, "a long list was not surveyed again");
                    old.is_renewed.store(false, Relaxed);
                }
            }
        });
    }
}

async fn make<L: LongList>(turn: &Semaphore, database: &Database, list: &L) -> Result<Arc<Known<L::Place>>, db::Error> {
    let Ok(_turn) = tokio::time::timeout(QUEUE, turn.acquire()).await else {
        return Err(db::Error::Unavailable("other lists are being surveyed".into()));
    };
    let (made, list) = (Instant::now(), list.clone());
    let survey = database.transaction::<_, db::Error, _>(move |tx| {
        Box::pin(async move {
            tx.limit_statements(LIMIT).await?;
            list.survey(tx).await
        })
    });
    let survey: Survey<L::Place> = survey.await?;
    Ok(Arc::new(Known { survey, made, took: made.elapsed(), is_renewed: AtomicBool::new(false) }))
}

/// Reads the page that begins after `skip` rows from the landmark before it on; `None` if what is known is no help.
async fn follow<L: LongList>(
    database: &Database,
    list: &L,
    spot: &Spot<L::Place>,
    skip: i64,
    known: &Known<L::Place>,
) -> Result<Option<(i64, Rows<L::Row>)>, L::Error> {
    let survey = &known.survey;
    let until = skip.saturating_add(i64::try_from(spot.size).unwrap_or(i64::MAX));
    if !known.is_believed() {
        return Ok(None);
    }
    let growth = list.growth(database, survey, until).await?.filter(|growth| growth.count >= LONG);
    let Some(Growth { count, before }) = growth else { return Ok(None) };
    if skip >= count {
        return Ok(Some((count, Rows { rows: Vec::new(), more: false })));
    }
    let spot = Spot { count: Some(count), ..spot.clone() };
    let behind = (skip - before).max(0);
    let passed = usize::try_from(behind / STEP).unwrap_or(usize::MAX).min(survey.landmarks.len());
    let Some(landmark) = passed.checked_sub(1).and_then(|last| survey.landmarks.get(last)) else {
        return Ok(Some(list.read(database, &spot).await?));
    };
    let between = behind - i64::try_from(passed).unwrap_or(i64::MAX).saturating_mul(STEP);
    if between > 4 * STEP {
        // So much has come since the survey that it is no help.
        return Ok(Some(list.read(database, &spot).await?));
    }
    let between = usize::try_from(between).unwrap_or_default();
    let from = Spot { seek: Seek::After(landmark.clone()), size: between.saturating_add(spot.size), ..spot };
    let (_, mut found) = list.read(database, &from).await?;
    found.rows.drain(..between.min(found.rows.len()));
    Ok(Some((count, found)))
}
