//! Where indexes live from start to start: a folder with one folder for each index, numbered.
//!
//! A new index is built beside the old one, and the old one goes when the new one is complete. One process at a time
//! may use the folder; another that is given the same one keeps its index in memory.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tantivy::TantivyError;

use crate::index::store::{Stamp, Store, Volume};

/// How long an earlier process may take to let go of the folder.
const PATIENCE: Duration = Duration::from_secs(5);

/// The folder, or memory.
pub(crate) struct Home {
    root: Option<Root>,
}

struct Root {
    path: PathBuf,
    _lock: File,
}

impl Home {
    /// In memory.
    pub(crate) fn memory() -> Self {
        Self { root: None }
    }

    /// In a folder, or in memory where that cannot be had.
    pub(crate) fn open(path: Option<&Path>) -> Self {
        let Some(path) = path else { return Self::memory() };
        match lock(path) {
            Ok(lock) => Self { root: Some(Root { path: path.to_owned(), _lock: lock }) },
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "cannot use the index's folder: keeping the index in memory");
                Self::memory()
            }
        }
    }

    /// The newest index that an earlier process left for this database, if it is whole.
    pub(crate) fn existing(&self, database: &str) -> Option<(Store, Stamp)> {
        self.numbers().into_iter().rev().find_map(|number| {
            let path = self.path(number)?;
            match Store::open(&path) {
                Ok(Some((store, stamp))) if stamp.database == database => Some((store, stamp)),
                Ok(_) => {
                    tracing::info!(path = %path.display(), "the index is not complete or not of this database");
                    None
                }
                Err(error) => {
                    tracing::warn!(path = %path.display(), %error, "the index is damaged");
                    None
                }
            }
        })
    }

    /// The stamp, products and bytes of the newest index of this database in a folder that a process may be using.
    pub(crate) fn look(path: &Path, database: &str) -> Result<Option<(Stamp, usize, u64)>, TantivyError> {
        let mut numbers = numbers(path);
        while let Some(number) = numbers.pop() {
            let looked = Store::look(&path.join(format!("index-{number}")))?;
            if let Some(looked) = looked.filter(|(stamp, ..)| stamp.database == database) {
                return Ok(Some(looked));
            }
        }
        Ok(None)
    }

    /// A new, empty index beside what is there.
    pub(crate) fn fresh(&self, volume: Volume) -> Result<Store, TantivyError> {
        let next = self.numbers().last().map_or(1, |last| last + 1);
        Store::create(self.path(next).as_deref(), volume)
    }

    /// Deletes every index but this one.
    pub(crate) fn keep_only(&self, store: &Store) {
        for path in self.numbers().into_iter().filter_map(|number| self.path(number)) {
            if Some(path.as_path()) != store.path()
                && let Err(error) = fs::remove_dir_all(&path)
            {
                tracing::warn!(path = %path.display(), %error, "cannot delete an old index");
            }
        }
    }

    fn path(&self, number: u64) -> Option<PathBuf> {
        self.root.as_ref().map(|root| root.path.join(format!("index-{number}")))
    }

    /// The numbers of the indexes that are there, ascending.
    fn numbers(&self) -> Vec<u64> {
        self.root.as_ref().map(|root| numbers(&root.path)).unwrap_or_default()
    }
}

fn numbers(path: &Path) -> Vec<u64> {
    let Ok(entries) = fs::read_dir(path) else { return Vec::new() };
    let number = |entry: fs::DirEntry| entry.file_name().to_str()?.strip_prefix("index-")?.parse().ok();
    let mut numbers: Vec<u64> = entries.flatten().filter_map(number).collect();
    numbers.sort_unstable();
    numbers
}

fn lock(path: &Path) -> io::Result<File> {
    fs::create_dir_all(path)?;
    let file = File::options().create(true).append(true).open(path.join("lock"))?;
    let begun = Instant::now();
    while let Err(error) = file.try_lock() {
        if begun.elapsed() > PATIENCE {
            return Err(error.into());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(file)
}
