//! The task that follows.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use db::Database;
use tokio::sync::{Notify, watch};

use super::build::{self, Building, Built};
use super::changes::{Changes, read_changes};
use super::position::Position;
use super::source::{self, Asked, Poll};
use super::{Current, FollowError};
use crate::compute;
use crate::index::{Categories, Home, Living, Stamp, Store, View};

/// Between looks at the log.
const POLL: Duration = Duration::from_millis(100);
/// Between moments at which it is told how far the index is behind.
const TELL: Duration = Duration::from_millis(250);
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
    has_caught_up: watch::Sender<bool>,
}

/// What the task holds between steps.
struct Following {
    store: Store,
    identity: String,
    upkeep: Instant,
    /// The position that the last commit bears, and how often titles had changed by then.
    committed: (Position, i64),
    /// What was followed.
    asked: Option<Asked>,
    /// What takes this one's place when it is complete.
    building: Option<Building>,
}

impl Task {
    pub(super) fn new(
        database: Database,
        current: watch::Sender<Option<Arc<Current>>>,
        wake: Arc<Notify>,
        has_caught_up: watch::Sender<bool>,
    ) -> Self {
        Self { database, current, wake, has_caught_up }
    }

    /// Follows for ever. What fails is tried again; the last good index serves meanwhile.
    pub(super) async fn run(self, folder: Option<PathBuf>) {
        failures().increment(0);
        let home = Arc::new(compute(move || Home::open(folder.as_deref())).await);
        let (mut following, mut pause) = (None, RETRY.0);
        let (good, last_good) = watch::channel(Instant::now());
        // Also while a step takes long.
        tokio::spawn(tell(last_good));
        loop {
            let begun = Instant::now();
            let woken = match self.step(&home, following.take()).await {
                Ok(next) => {
                    following = Some(next);
                    good.send_replace(begun);
                    pause = RETRY.0;
                    POLL
                }
                // Whoever started us is gone, and perhaps the runtime is going: no failure.
                Err(_) if self.current.is_closed() => return,
                Err(Failed { error, keep }) => {
                    complain(&error, "the search index cannot follow: trying again");
                    following = keep;
                    pause = (pause * 2).min(RETRY.1);
                    pause
                }
            };
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
        let current = Current { view, generation: stamp.generation, position: seen, is_outdated: false };
        let following = Following::new(store, identity, &current);
        self.show(current);
        Ok(Some(following))
    }

    /// Looks for changes and applies them.
    async fn follow(&self, home: &Arc<Home>, following: Following) -> Result<Following, Failed> {
        let Some(current) = self.current.borrow().clone() else { return Err(Failed::anew(gone())) };
        let mut following = following;
        if let Some(building) = following.building.take_if(|building| building.is_finished()) {
            match self.change_over(home, building).await {
                Ok(following) => return Ok(following),
                Err(error) => {
                    complain(&error, "cannot build the search index anew: trying again");
                    following.building = Some(Building::begin(&self.database, home, RETRY.1));
                }
            }
        }
        let poll = match self.poll(&current.position).await {
            Ok(poll) => poll,
            Err(error) => return Err(Failed { error, keep: Some(following) }),
        };
        if poll.pruned_below > current.position.least {
            tracing::warn!("what the search index lacks is gone from the log: building it anew");
            return self.build(home).await.map_err(Failed::anew);
        }
        let is_in_doubt = following.asked != Some(poll.asked);
        if !poll.has_changes && !is_in_doubt {
            return self.idle(following, &current, poll.position).await;
        }
        let most = most_followed(&current.view);
        let (seen, identity) = (current.clone(), is_in_doubt.then(|| following.identity.clone()));
        let read = self.database.transaction(move |tx| Box::pin(read_changes(tx, seen, identity, most))).await;
        match read {
            Err(error) => Err(Failed { error, keep: Some(following) }),
            Ok(None) => {
                tracing::info!("much has changed: building the search index anew");
                self.build(home).await.map_err(Failed::anew)
            }
            Ok(Some(changes)) => {
                let following = Following { asked: Some(poll.asked), ..following };
                let following = self.note_everything(home, following, &changes);
                if changes.is_empty() {
                    return self.idle(following, &current, changes.position).await;
                }
                let (following, current) = apply(following, &current, changes).await.map_err(Failed::anew)?;
                self.show(current);
                self.note_caught_up();
                Ok(following)
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
        self.note_caught_up();
        if !current.position.covers(&position) {
            let (view, generation) = (current.view.clone(), current.generation);
            let is_outdated = following.building.is_some();
            self.show(Current { view, generation, position: position.clone(), is_outdated });
        }
        if following.upkeep.elapsed() < UPKEEP {
            return Ok(following);
        }
        following.upkeep = Instant::now();
        if following.building.is_none() && !following.committed.0.covers(&position) {
            let stamp = following.stamp(&position, current.generation);
            let (store, segments) = commit(following.store, stamp).await;
            // Perhaps some were merged meanwhile: the old ones are let go.
            let segments = segments.map_err(|error| Failed::anew(error.into()))?;
            let view = View { segments, categories: current.view.categories.clone() };
            self.show(Current { view, generation: current.generation, position, is_outdated: false });
            following = Following { store, ..following };
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

    /// Builds an index beside the one that serves, if any, and swaps. Nothing is followed meanwhile.
    async fn build(&self, home: &Arc<Home>) -> Result<Following, FollowError> {
        let Built { store, identity, current } = build::build(&self.database, home).await?;
        let following = Following::new(store, identity, &current);
        Ok(self.move_in(home, following, current).await)
    }

    /// Shows an index that was built beside the one that serves, once it holds what has changed since.
    async fn change_over(&self, home: &Arc<Home>, building: Building) -> Result<Following, FollowError> {
        let Built { store, identity, current } = building.finish().await?;
        let following = Following::new(store, identity.clone(), &current);
        let (most, seen) = (most_followed(&current.view), Arc::new(current));
        let (from, identity) = (seen.clone(), Some(identity));
        let read = self.database.transaction(move |tx| Box::pin(read_changes(tx, from, identity, most))).await?;
        let Some(changes) = read else { return self.build(home).await };
        let following = self.note_everything(home, following, &changes);
        let (following, current) = apply(following, &seen, changes).await?;
        Ok(self.move_in(home, following, current).await)
    }

    /// Shows a new index, and lets the old ones go.
    async fn move_in(&self, home: &Arc<Home>, following: Following, current: Current) -> Following {
        self.show(current);
        self.note_caught_up();
        let home = home.clone();
        compute(move || {
            home.keep_only(&following.store);
            following
        })
        .await
    }

    /// Where everything is said to have changed, has an index built beside the one that is followed.
    fn note_everything(&self, home: &Arc<Home>, mut following: Following, changes: &Changes) -> Following {
        if changes.is_everything && following.building.is_none() {
            following.building = Some(Building::begin(&self.database, home, Duration::ZERO));
        }
        following
    }

    /// What is shown holds everything: whoever waits for that need not wait any longer.
    fn note_caught_up(&self) {
        self.has_caught_up.send_if_modified(|has_caught_up| !std::mem::replace(has_caught_up, true));
    }

    fn show(&self, current: Current) {
        metrics::gauge!("search_products").set(current.view.products() as f64);
        metrics::gauge!("search_segments").set(current.view.segments.len() as f64);
        self.current.send_replace(Some(Arc::new(current)));
    }
}

impl Following {
    /// With an index that holds what `current` says.
    fn new(store: Store, identity: String, current: &Current) -> Self {
        let committed = (current.position.clone(), current.generation);
        Self { store, identity, upkeep: Instant::now(), committed, asked: None, building: None }
    }

    /// What a commit of what `current` says bears. While an index is built because everything has changed, that of the
    /// commit before: a process that ends meanwhile has to learn of it again.
    fn stamp(&mut self, position: &Position, generation: i64) -> Stamp {
        if self.building.is_none() {
            self.committed = (position.clone(), generation);
        }
        Stamp::new(self.identity.clone(), self.committed.0.to_string(), self.committed.1)
    }
}

/// Says how long ago the index held everything, for as long as somebody follows.
async fn tell(last_good: watch::Receiver<Instant>) {
    while last_good.has_changed().is_ok() {
        metrics::gauge!("search_behind_seconds").set(last_good.borrow().elapsed().as_secs_f64());
        tokio::time::sleep(TELL).await;
    }
}

/// More changes than this are not followed.
fn most_followed(view: &View) -> usize {
    WORTH_FOLLOWING + view.products() / 4
}

/// Takes changes into the index.
async fn apply(
    mut following: Following,
    current: &Current,
    changes: Changes,
) -> Result<(Following, Current), FollowError> {
    let Changes { position, generation, touched, entries, categories, .. } = changes;
    let categories = match categories {
        Some(categories) => Arc::new(Categories::new(categories)),
        None => current.view.categories.clone(),
    };
    let is_outdated = following.building.is_some();
    if touched.is_empty() {
        let view = View { segments: current.view.segments.clone(), categories };
        return Ok((following, Current { view, generation, position, is_outdated }));
    }
    let stamp = following.stamp(&position, generation);
    let (store, count) = (following.store, touched.len());
    let (store, added) = compute(move || {
        touched.iter().for_each(|id| store.remove(*id));
        let added = entries.iter().try_for_each(|entry| store.add(entry));
        (store, added)
    })
    .await;
    added?;
    let (store, segments) = commit(store, stamp).await;
    let view = View { segments: segments?, categories };
    metrics::counter!("search_changes_applied_total").increment(count as u64);
    Ok((Following { store, ..following }, Current { view, generation, position, is_outdated }))
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

pub(super) async fn commit(mut store: Store, stamp: Stamp) -> (Store, Result<Vec<Living>, tantivy::TantivyError>) {
    compute(move || {
        let segments = store.commit(&stamp);
        (store, segments)
    })
    .await
}

fn complain(error: &FollowError, what: &str) {
    tracing::warn!(error = error as &dyn std::error::Error, "{what}");
    failures().increment(1);
}

/// Counted from zero on: of a number that first appears at 1, nobody can tell that it rose.
fn failures() -> metrics::Counter {
    metrics::counter!("search_failures_total")
}

/// A moment since which it is time for upkeep.
fn due() -> Instant {
    Instant::now().checked_sub(UPKEEP).unwrap_or_else(Instant::now)
}

fn gone() -> FollowError {
    db::Error::Unavailable("the search index was never opened".into()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_fails_once_nobody_listens_is_no_failure_to_follow() {
        let nowhere = db::Config::new("postgres://nobody@127.0.0.1:1/nothing".to_owned(), db::Role::Gateway);
        let (current, _) = watch::channel(None);
        let task = Task::new(Database::new(&nowhere).unwrap(), current, Arc::default(), watch::Sender::new(false));
        let ended = tokio::time::timeout(Duration::from_secs(5), task.run(None)).await;
        assert!(ended.is_ok(), "it goes on trying");
    }
}
