//! Values kept in this process, for installations without Redis.

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

use moka::Expiry;

/// Values at most; the least useful go first.
const CAPACITY: u64 = 10_000;

/// A value of some key's type.
pub(crate) type Shared = Arc<dyn Any + Send + Sync>;

/// A value with what it was made from and how long it lives.
#[derive(Clone)]
struct Entry {
    stamp: i64,
    value: Shared,
    time_to_live: Duration,
}

pub(crate) struct Local(moka::future::Cache<String, Entry>);

impl Local {
    pub(crate) fn new() -> Self {
        Self(moka::future::Cache::builder().max_capacity(CAPACITY).expire_after(OwnTime).build())
    }

    pub(crate) async fn read<V: Send + Sync + 'static>(&self, key: &str, stamp: i64) -> Option<Arc<V>> {
        let entry = self.0.get(key).await.filter(|entry| entry.stamp == stamp)?;
        entry.value.downcast().ok()
    }

    pub(crate) async fn write(&self, key: String, stamp: i64, value: Shared, time_to_live: Duration) {
        self.0.insert(key, Entry { stamp, value, time_to_live }).await;
    }
}

/// Each value lives as long as its key says, from when it was written.
struct OwnTime;

impl Expiry<String, Entry> for OwnTime {
    fn expire_after_create(&self, _: &String, entry: &Entry, _: Instant) -> Option<Duration> {
        Some(entry.time_to_live)
    }

    fn expire_after_update(&self, _: &String, entry: &Entry, _: Instant, _: Option<Duration>) -> Option<Duration> {
        Some(entry.time_to_live)
    }
}
