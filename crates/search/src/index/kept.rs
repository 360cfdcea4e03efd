//! What typed words match, kept for when they are typed again: people type the same words, letter by letter, and each
//! costs a walk through the dictionary. A dictionary never changes, so what is kept never gets old.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::closeness::{Closeness, Typed};
use crate::index::words::{WordId, Words};

/// Matches that are kept of one dictionary, at most: so many times eight bytes. Beyond, all are let go.
const MOST: usize = 100_000;
/// Bytes of the longest word that is kept.
const LONGEST: usize = 32;

/// Words of a dictionary, and how each is matched.
pub(crate) type Matches = Arc<[(WordId, Closeness)]>;

/// What typed words match in one dictionary.
#[derive(Default)]
pub(crate) struct Kept(Mutex<Known>);

#[derive(Default)]
struct Known {
    matches: HashMap<Key, Matches>,
    /// Matches in all.
    count: usize,
}

/// A word as it was typed, whether it may go on, and whether words count of which it is a mere part.
type Key = (String, bool, bool);

impl Kept {
    /// As [`Words::matching`].
    pub(crate) fn matching(&self, words: &Words, typed: &Typed) -> Matches {
        self.get_or(typed, true, || words.matching(typed))
    }

    /// As [`Words::meant_by`].
    pub(crate) fn meant_by(&self, words: &Words, typed: &Typed) -> Matches {
        self.get_or(typed, false, || words.meant_by(typed))
    }

    fn get_or(&self, typed: &Typed, parts: bool, find: impl FnOnce() -> Vec<(WordId, Closeness)>) -> Matches {
        if typed.text().len() > LONGEST {
            return find().into();
        }
        let key = (typed.text().to_owned(), typed.is_open(), parts);
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).matches.get(&key).cloned();
        // Found without the lock: two who look for one word at once find it twice.
        known.unwrap_or_else(|| {
            let found: Matches = find().into();
            self.0.lock().unwrap_or_else(PoisonError::into_inner).keep(key, found.clone());
            found
        })
    }
}

impl Known {
    fn keep(&mut self, key: Key, found: Matches) {
        // An entry costs something even where nothing matches.
        let cost = found.len() + 16;
        if self.count + cost > MOST {
            *self = Self::default();
        }
        if cost <= MOST && self.matches.insert(key, found).is_none() {
            self.count += cost;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_again_matches_the_same() {
        let words = Words::new(["chocolate", "milk", "milkshake", "silk", "silky"]);
        let kept = Kept::default();
        for _ in 0..2 {
            for (text, open) in [("milk", false), ("milk", true), ("silk", false), ("ilk", true)] {
                let typed = Typed::new(text, open);
                assert_eq!(*kept.matching(&words, &typed), *words.matching(&typed), "{text}, {open}");
                assert_eq!(*kept.meant_by(&words, &typed), *words.meant_by(&typed), "{text}, {open}");
            }
        }
        assert_eq!(kept.0.lock().unwrap().matches.len(), 8);
    }

    #[test]
    fn memory_is_bounded() {
        let words = Words::new(["milk"]);
        let kept = Kept::default();
        kept.matching(&words, &Typed::new(&"a".repeat(LONGEST + 1), true));
        assert_eq!(kept.0.lock().unwrap().count, 0, "too long to be kept");
        for number in 0..MOST / 10 {
            kept.matching(&words, &Typed::new(&format!("a{number}"), true));
            let known = kept.0.lock().unwrap();
            assert!(known.count <= MOST && known.matches.len() * 16 <= known.count);
        }
    }
}
