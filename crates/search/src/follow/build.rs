//! Builds an index anew, beside whatever serves meanwhile.

use std::sync::Arc;
use std::time::{Duration, Instant};

use db::{Database, Tx};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::position::Position;
use super::task::commit;
use super::{Current, FollowError, source};
use crate::compute;
use crate::index::{Categories, Entry, Home, Stamp, Store, View, Volume};

/// A new index, which nobody sees yet.
pub(super) struct Built {
    pub(super) store: Store,
    pub(super) identity: String,
    pub(super) current: Current,
}

/// An index that is being built while another is followed; given up with this value.
pub(super) struct Building(JoinHandle<Result<Built, FollowError>>);

impl Drop for Building {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Building {
    /// Begins after a pause, on a connection of its own: whoever follows needs theirs.
    pub(super) fn begin(database: &Database, home: &Arc<Home>, pause: Duration) -> Self {
        let (database, home) = (database.clone(), home.clone());
        Self(tokio::spawn(async move {
            tokio::time::sleep(pause).await;
            build(&database.apart(1)?, &home).await
        }))
    }

    pub(super) fn is_finished(&self) -> bool {
        self.0.is_finished()
    }

    pub(super) async fn finish(mut self) -> Result<Built, FollowError> {
        match (&mut self.0).await {
            Ok(built) => built,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
}

/// Builds an index in a new folder, or in memory where that cannot be written.
pub(super) async fn build(database: &Database, home: &Arc<Home>) -> Result<Built, FollowError> {
    let mut conn = database.connection().await?;
    let identity = source::identity(&mut conn).await?;
    let volume = if source::are_many(&mut conn).await? { Volume::Many } else { Volume::Few };
    drop(conn);
    let at_home = home.clone();
    let fresh = compute(move || at_home.fresh(volume)).await.map_err(FollowError::from);
    let built = match fresh {
        Ok(store) => build_in(database, store, identity.clone()).await,
        Err(error) => Err(error),
    };
    match built {
        Err(FollowError::Index(error)) => {
            tracing::warn!(%error, "cannot write the search index to its folder: building it in memory");
            build_in(database, Store::create(None, volume)?, identity).await
        }
        built => built,
    }
}

async fn build_in(database: &Database, store: Store, identity: String) -> Result<Built, FollowError> {
    let begun = Instant::now();
    tracing::info!("building the search index");
    let (send, receive) = mpsc::channel(2);
    let taking_in = tokio::task::spawn_blocking(move || take_in(store, receive));
    let read = database.transaction(move |tx| Box::pin(read_everything(tx, send))).await;
    let (store, taken) = match taking_in.await {
        Ok(taken) => taken,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    };
    let (position, generation, categories) = read?;
    let products = taken?;
    let stamp = Stamp::new(identity.clone(), position.to_string(), generation);
    let (store, segments) = commit(store, stamp).await;
    let view = View { segments: segments?, categories: Arc::new(Categories::new(categories)) };
    let store = compute(move || store.settle()).await?;
    tracing::info!(products, elapsed = ?begun.elapsed(), "built the search index");
    Ok(Built { store, identity, current: Current { view, generation, position, is_outdated: false } })
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
