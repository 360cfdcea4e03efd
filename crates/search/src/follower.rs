//! The current snapshot, replaced when the catalogue has changed.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use db::Database;
use tokio::sync::Mutex;

use crate::queries;
use crate::snapshot::Snapshot;

pub(crate) struct Follower {
    database: Database,
    current: RwLock<Option<Arc<Snapshot>>>,
    /// Held while a snapshot is made, so that those who need it wait for one instead of making many.
    making: Mutex<()>,
}

impl Follower {
    pub(crate) fn new(database: Database) -> Self {
        Self { database, current: RwLock::new(None), making: Mutex::new(()) }
    }

    /// A snapshot that holds every change up to `generation`.
    pub(crate) async fn at(&self, generation: i64) -> Result<Arc<Snapshot>, db::Error> {
        if let Some(snapshot) = self.current(generation) {
            return Ok(snapshot);
        }
        let _turn = self.making.lock().await;
        if let Some(snapshot) = self.current(generation) {
            return Ok(snapshot);
        }
        let snapshot = Arc::new(self.make().await?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&snapshot));
        Ok(snapshot)
    }

    fn current(&self, generation: i64) -> Option<Arc<Snapshot>> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current.as_ref().filter(|snapshot| snapshot.generation >= generation).map(Arc::clone)
    }

    async fn make(&self) -> Result<Snapshot, db::Error> {
        let begun = Instant::now();
        let (generation, categories, products) = self
            .database
            .transaction::<_, db::Error, _>(|tx| Box::pin(async move { Ok(queries::catalogue(tx).await?) }))
            .await?;
        let snapshot = crate::compute(move || Snapshot::new(generation, categories, products)).await;
        let (products, words) = (snapshot.products.len(), snapshot.words.len());
        tracing::info!(generation, products, words, elapsed = ?begun.elapsed(), "took a snapshot of the catalogue");
        Ok(snapshot)
    }
}
