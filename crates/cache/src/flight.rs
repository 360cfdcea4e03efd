//! Single flight: of those who want the same thing at the same moment one does the work, and all share the result.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

/// Work under way, by what it is for. A result is forgotten as soon as the work ends: keeping it is not our task.
pub(crate) struct Flights<K, T> {
    open: Mutex<HashMap<K, Arc<OnceCell<T>>>>,
}

impl<K: Eq + Hash + Clone, T: Clone> Flights<K, T> {
    pub(crate) fn new() -> Self {
        Self { open: Mutex::default() }
    }

    /// Runs `work`, or waits for the one who runs theirs under the same key. When that one fails, panics or is
    /// dropped, the next in line runs its own.
    pub(crate) async fn run<E>(&self, key: K, work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let cell = Arc::clone(self.lock().entry(key.clone()).or_default());
        let seat = Seat { flights: self, key, cell };
        seat.cell.get_or_try_init(|| work).await.cloned()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<K, Arc<OnceCell<T>>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place among those who wait. Whoever leaves first after the work has ended, or last of all, clears the flight.
struct Seat<'f, K: Eq + Hash + Clone, T: Clone> {
    flights: &'f Flights<K, T>,
    key: K,
    cell: Arc<OnceCell<T>>,
}

impl<K: Eq + Hash + Clone, T: Clone> Drop for Seat<'_, K, T> {
    fn drop(&mut self) {
        let mut open = self.flights.lock();
        let ours = open.get(&self.key).is_some_and(|cell| Arc::ptr_eq(cell, &self.cell));
        // Two holders are the map and this seat; nobody joins while the map is locked.
        if ours && (self.cell.initialized() || Arc::strong_count(&self.cell) == 2) {
            open.remove(&self.key);
        }
    }
}
