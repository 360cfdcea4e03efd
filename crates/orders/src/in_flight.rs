//! The keys of the requests that this process works on, so that a repeat hears of it at once instead of waiting behind
//! the first. Other processes hear of it from the database ([`claim`](crate::idempotency::claim)).

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use crate::idempotency::Key;

type Name = (i64, Key);

/// A set of keys of stores. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct InFlight(Arc<Mutex<HashSet<Name>>>);

/// A key is in the set as long as this lives.
#[derive(Debug)]
pub(crate) struct Entered {
    set: InFlight,
    name: Name,
}

impl InFlight {
    /// Enters a key; `None` if it is there already.
    pub(crate) fn enter(&self, store_id: i64, key: &Key) -> Option<Entered> {
        let name = (store_id, key.clone());
        let is_new = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone());
        is_new.then(|| Entered { set: self.clone(), name })
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.set.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.name);
    }
}
