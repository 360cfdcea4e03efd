//! The task that follows.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use db::{Database, Tx};
use tokio::sync::{Notify, mpsc, watch};

use super::position::Position;
use super::source::{self, Change, Poll};
use super::{Current, FollowError};
use crate::compute;
use crate::index::{Categories, Entry, Home, Living, Stamp, Store, View, Volume};

/// Between looks at the log.
const POLL: Duration = Duration::from_millis(100);
/// Between tries while something is broken: from the first to the longest.
const RETRY: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(3));
/// Between prunings of the log, and between commits that only move the position on.
const UPKEEP: Duration = Duration::from_secs(60);
/// More changes than this and a quarter of the products are not followed: building anew is faster.
const WORTH_FOLLOWING: usize = 50_000;

pub(super) struct Task {
    database: Database,
    current: watch::Sender<Option<Arc<Current>>>,
    wake: Arc<Notify>,
    has_caught_up: Arc<AtomicBool>,
}

/// What the task holds between steps.
struct Following {
    store: Store,
    identity: String,
    upkeep: Instant,
    /// The position of the last commit.
    committed: Position,
    /// The connection that was followed on. On another one, the server may have crashed meanwhile, or be another.
    connection: Option<i32>,
}

impl Task {
    pub(super) fn new(
        database: Database,
        current: watch::Sender<Option<Arc<Current>>>,
        wake: Arc<Notify>,
        has_caught_up: Arc<AtomicBool>,
    ) -> Self {
        Self { database, current, wake, has_caught_up }
    }

    /// Follows for ever. What fails is tried again; the last good index serves meanwhile.
    pub(super) async fn run(self, folder: Option<PathBuf>) {
        let home = Arc::new(compute(move || Home::open(folder.as_deref())).await);
        let (mut following, mut pause, mut last_good) = (None, RETRY.0, Instant::now());
        loop {
            let woken = match self.step(&home, following.take()).await {
                Ok(next) => {
                    following = Some(next);
                    (pause, last_good) = (RETRY.0, Instant::now());
                    POLL
                }
                Err(Failed { error, keep }) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "the search index cannot follow: trying again"
                    );
                    metrics::counter!("search_failures_total").increment(1);
                    following = keep;
                    pause = (pause * 2).min(RETRY.1);
                    pause
                }
            };
            metrics::gauge!("search_behind_seconds").set(last_good.elapsed().as_secs_f64());
            _ = tokio::time::timeout(woken, self.wake.notified()).await;
        }
    }

    async fn step(&self, home: &Arc<Home>, following: Option<Following>) -> Result<Following, Failed> {
        match following {
            None => self.begin(home).await.map_err(Failed::anew),
            Some(following) => self.follow(home, following).await,
        }
    }

    /// Opens the index that is there, or builds one.
    async fn begin(&self, home: &Arc<Home>) -> Result<Following, FollowError> {
        let identity = source::identity(&mut self.database.connection().await?).await?;
        let begun = Instant::now();
        let (theirs, database) = (home.clone(), identity.clone());
        // An index that failed us is not opened again: what is served already is the newer one.
        let is_first = self.current.borrow().is_none();
        if is_first
            && let Some((store, stamp)) = compute(move || theirs.existing(&database)).await
            && let Ok(seen) = stamp.snapshot.parse::<Position>()
            && let Some(following) = self.resume(store, identity.clone(), &stamp, seen).await?
        {
            tracing::info!(elapsed = ?begun.elapsed(), "opened the search index");
            return Ok(following);
        }
        self.build(home).await
    }

    /// Goes on with an index that an earlier process left, unless it is ahead of the database or too far behind it.
    async fn resume(
        &self,
        mut store: Store,
        identity: String,
        stamp: &Stamp,
        seen: Position,
    ) -> Result<Option<Following>, FollowError> {
        let poll = source::poll(&mut self.database.connection().await?, &seen).await?;
        if !poll.position.covers(&seen) || poll.pruned_below > seen.least {
            return Ok(None);
        }
        let (store, segments) = compute(move || {
            let segments = store.segments();
            (store, segments)
        })
        .await;
        let read =
            self.database.transaction(|tx| Box::pin(async { Ok::<_, FollowError>(source::all_categories(tx).await?) }));
        // Perhaps younger than the documents: changes of categories are followed like all others.
        let categories = read.await?;
        let view = View { segments: segments?, categories: Arc::new(Categories::new(categories)) };
        self.show(view, stamp.generation, seen.clone());
        Ok(Some(Following { store, identity, upkeep: Instant::now(), committed: seen, connection: None }))
    }

    /// Looks for changes and applies them.
    async fn follow(&self, home: &Arc<Home>, following: Following) -> Result<Following, Failed> {
        let Some(current) = self.current.borrow().clone() else { return Err(Failed::anew(gone())) };
        let poll = match self.poll(&current.position).await {
            Ok(poll) => poll,
            Err(error) => return Err(Failed { error, keep: Some(following) }),
        };
        if poll.pruned_below > current.position.least {
            tracing::warn!("what the search index lacks is gone from the log: building it anew");
            return self.build(home).await.map_err(Failed::anew);
        }
        let is_in_doubt = following.connection != Some(poll.connection);
        if !poll.has_changes && !is_in_doubt {
            return self.idle(following, &current, poll.position).await;
        }
        let most = WORTH_FOLLOWING + current.view.products() / 4;
        let (seen, identity) = (current.clone(), is_in_doubt.then(|| following.identity.clone()));
        let read = self.database.transaction(move |tx| Box::pin(read_changes(tx, seen, identity, most))).await;
        match read {
            Err(error) => Err(Failed { error, keep: Some(following) }),
            Ok(None) => {
                tracing::info!("much has changed: building the search index anew");
                self.build(home).await.map_err(Failed::anew)
            }
            Ok(Some(changes)) => {
                let following = Following { connection: Some(poll.connection), ..following };
                match changes.is_empty() {
                    true => self.idle(following, &current, changes.position).await,
                    false => self.apply(following, &current, changes).await.map_err(Failed::anew),
                }
            }
        }
    }

    async fn poll(&self, seen: &Position) -> Result<Poll, FollowError> {
        Ok(source::poll(&mut self.database.connection().await?, seen).await?)
    }

    /// Nothing has changed: moves the position on, now and then in the folder too, and prunes the log.
    async fn idle(
        &self,
        mut following: Following,
        current: &Arc<Current>,
        position: Position,
    ) -> Result<Following, Failed> {
        self.has_caught_up.store(true, Ordering::Relaxed);
        if !current.position.covers(&position) {
            self.show(current.view.clone(), current.generation, position.clone());
        }
        if following.upkeep.elapsed() < UPKEEP {
            return Ok(following);
        }
        following.upkeep = Instant::now();
        if !following.committed.covers(&position) {
            let stamp = Stamp::new(following.identity.clone(), position.to_string(), current.generation);
            let (store, segments) = commit(following.store, stamp).await;
            // Perhaps some were merged meanwhile: the old ones are let go.
            let segments = segments.map_err(|error| Failed::anew(error.into()))?;
            let view = View { segments, categories: current.view.categories.clone() };
            self.show(view, current.generation, position.clone());
            following = Following { store, committed: position, ..following };
        }
        let pruned = self.database.transaction(|tx| Box::pin(async { Ok::<_, FollowError>(source::prune(tx).await?) }));
        match pruned.await {
            Ok(pruned) => {
                tracing::debug!(pruned, "pruned the log of changes");
                if pruned >= source::PRUNED {
                    following.upkeep = due();
                }
                Ok(following)
            }
            Err(error) => Err(Failed { error, keep: Some(following) }),
        }
    }

    async fn apply(&self, following: Following, current: &Current, changes: Changes) -> Result<Following, FollowError> {
        let Changes { position, generation, touched, entries, categories } = changes;
        let stamp = Stamp::new(following.identity.clone(), position.to_string(), generation);
        let store = following.store;
        let count = touched.len();
        let (store, segments) = compute(move || {
            touched.iter().for_each(|id| store.remove(*id));
            let added = entries.iter().try_for_each(|entry| store.add(entry));
            (store, added)
        })
        .await;
        segments?;
        let (store, segments) = commit(store, stamp).await;
        let categories = match categories {
            Some(categories) => Arc::new(Categories::new(categories)),
            None => current.view.categories.clone(),
        };
        let view = View { segments: segments?, categories };
        self.has_caught_up.store(true, Ordering::Relaxed);
        self.show(view, generation, position.clone());
        metrics::counter!("search_changes_applied_total").increment(count as u64);
        Ok(Following { store, committed: position, ..following })
    }

    /// Builds an index beside the one that serves, and swaps.
    async fn build(&self, home: &Arc<Home>) -> Result<Following, FollowError> {
        let mut conn = self.database.connection().await?;
        let identity = source::identity(&mut conn).await?;
        let volume = if source::are_many(&mut conn).await? { Volume::Many } else { Volume::Few };
        drop(conn);
        let at_home = home.clone();
        let fresh = compute(move || at_home.fresh(volume)).await.map_err(FollowError::from);
        let built = match fresh {
            Ok(store) => self.build_in(store, home, identity.clone()).await,
            Err(error) => Err(error),
        };
        match built {
            Err(FollowError::Index(error)) => {
                tracing::warn!(%error, "cannot write the search index to its folder: building it in memory");
                self.build_in(Store::create(None, volume)?, home, identity).await
            }
            built => built,
        }
    }

    async fn build_in(&self, store: Store, home: &Arc<Home>, identity: String) -> Result<Following, FollowError> {
        let begun = Instant::now();
        tracing::info!("building the search index");
        let (send, receive) = mpsc::channel(2);
        let taking_in = tokio::task::spawn_blocking(move || take_in(store, receive));
        let read = self.database.transaction(move |tx| Box::pin(read_everything(tx, send))).await;
        let (store, taken) = match taking_in.await {
            Ok(taken) => taken,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        };
        let (position, generation, categories) = read?;
        let products = taken?;
        let stamp = Stamp::new(identity.clone(), position.to_string(), generation);
        let (store, segments) = commit(store, stamp).await;
        let view = View { segments: segments?, categories: Arc::new(Categories::new(categories)) };
        self.has_caught_up.store(true, Ordering::Relaxed);
        self.show(view, generation, position.clone());
        let home = home.clone();
        let store = compute(move || {
            home.keep_only(&store);
            store.settle()
        })
        .await?;
        tracing::info!(products, elapsed = ?begun.elapsed(), "built the search index");
        Ok(Following { store, identity, upkeep: Instant::now(), committed: position, connection: None })
    }

    fn show(&self, view: View, generation: i64, position: Position) {
        metrics::gauge!("search_products").set(view.products() as f64);
        metrics::gauge!("search_segments").set(view.segments.len() as f64);
        self.current.send_replace(Some(Arc::new(Current { view, generation, position })));
    }
}

/// A step that failed, and what can still be gone on with.
struct Failed {
    error: FollowError,
    keep: Option<Following>,
}

impl Failed {
    /// Nothing can: begin anew.
    fn anew(error: FollowError) -> Self {
        Self { error, keep: None }
    }
}

/// What has changed, read at one moment.
struct Changes {
    position: Position,
    generation: i64,
    touched: Vec<i64>,
    entries: Vec<Entry>,
    categories: Option<Vec<(i64, String)>>,
}

impl Changes {
    fn is_empty(&self) -> bool {
        self.touched.is_empty() && self.categories.is_none()
    }
}

/// The changes that `seen` lacks; none where an index has to be built anew: for there being more than `most`, or changes
/// of everything, or another database.
///
/// With an `identity` it is in doubt whether this is still the database of that name, and whether it has crashed.
async fn read_changes(
    tx: &mut Tx,
    seen: Arc<Current>,
    identity: Option<String>,
    most: usize,
) -> Result<Option<Changes>, FollowError> {
    let position = source::freeze(tx).await?;
    let mut changes = source::changes(tx, &seen.position, i64::try_from(most).unwrap_or(i64::MAX)).await?;
    let is = |changes: &[Change], kind: &str| changes.iter().filter(|change| change.kind == kind).count();
    let mut generation = seen.generation + i64::try_from(is(&changes, "title")).unwrap_or(i64::MAX);
    if let Some(identity) = identity {
        if source::identity(tx).await? != identity {
            return Ok(None);
        }
        changes.extend(source::changes_in_doubt(tx, &seen.position).await?);
        generation = source::generation(tx).await?;
    }
    if changes.len() >= most || is(&changes, "everything") > 0 {
        return Ok(None);
    }
    let touched: HashSet<i64> = changes.iter().filter_map(|change| change.product_id).collect();
    let touched: Vec<i64> = touched.into_iter().collect();
    let entries = match touched.as_slice() {
        [] => Vec::new(),
        touched => source::products(tx, touched).await?,
    };
    let categories = match is(&changes, "category") {
        0 => None,
        _ => Some(source::all_categories(tx).await?),
    };
    Ok(Some(Changes { position, generation, touched, entries, categories }))
}

/// Sends every product on, and tells what else there is of the same moment.
async fn read_everything(
    tx: &mut Tx,
    send: mpsc::Sender<Vec<Entry>>,
) -> Result<(Position, i64, Vec<(i64, String)>), FollowError> {
    let position = source::freeze(tx).await?;
    let generation = source::generation(tx).await?;
    let categories = source::all_categories(tx).await?;
    let (mut after, mut read) = (i64::MIN, 0);
    while let Some((entries, last)) = source::products_after(tx, after).await? {
        (after, read) = (last, read + entries.len());
        tracing::info!(products = read, "reading products for the search index");
        if send.send(entries).await.is_err() {
            break;
        }
    }
    Ok((position, generation, categories))
}

/// Adds what is sent; how many there were.
fn take_in(store: Store, mut receive: mpsc::Receiver<Vec<Entry>>) -> (Store, Result<usize, FollowError>) {
    let mut count = 0;
    while let Some(entries) = receive.blocking_recv() {
        count += entries.len();
        if let Err(error) = entries.iter().try_for_each(|entry| store.add(entry)) {
            return (store, Err(error.into()));
        }
    }
    (store, Ok(count))
}

async fn commit(mut store: Store, stamp: Stamp) -> (Store, Result<Vec<Living>, tantivy::TantivyError>) {
    compute(move || {
        let segments = store.commit(&stamp);
        (store, segments)
    })
    .await
}

/// A moment since which it is time for upkeep.
fn due() -> Instant {
    Instant::now().checked_sub(UPKEEP).unwrap_or_else(Instant::now)
}

fn gone() -> FollowError {
    db::Error::Unavailable("the search index was never opened".into()).into()
}
