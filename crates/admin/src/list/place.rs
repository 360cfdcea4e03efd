//! Places in a list, as they travel in addresses.

use db::{Rows, Seek};

use crate::fields::Fields;

/// The place of a row: its number, and what else it is sorted by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) id: i64,
    pub(crate) text: String,
}

impl Key {
    pub(crate) fn new(id: i64, text: impl Into<String>) -> Self {
        Self { id, text: text.into() }
    }

    fn parse(text: &str) -> Option<Self> {
        let (id, text) = text.split_once(':')?;
        Some(Self { id: id.parse().ok()?, text: text.to_owned() })
    }

    /// The other half as a number, such as microseconds.
    pub(crate) fn number(&self) -> i64 {
        self.text.parse().unwrap_or_default()
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.id, self.text)
    }
}

/// Where the page begins that an address asks for; at the start where it makes no sense.
pub(crate) fn seek(query: &Fields) -> Seek<Key> {
    let key = |name: &str| Key::parse(query.exactly(name));
    match (key("after"), key("before")) {
        (Some(key), _) => Seek::After(key),
        (None, Some(key)) => Seek::Before(key),
        (None, None) => Seek::Skip(0),
    }
}

/// The rows of a page, and where its neighbours begin.
#[derive(Debug)]
pub(crate) struct Found<T> {
    pub(crate) rows: Vec<T>,
    pub(crate) next: Option<Key>,
    pub(crate) previous: Option<Key>,
    /// Whether nothing is left before it, so that the list begins anew after it.
    pub(crate) begins: bool,
    /// A sentence about what is not there.
    pub(crate) note: Option<&'static str>,
}

impl<T> Found<T> {
    /// Of a list that these are all of.
    pub(crate) fn all(rows: Vec<T>) -> Self {
        Self { rows, next: None, previous: None, begins: false, note: None }
    }

    /// Of a page that was read along a key.
    pub(crate) fn new(rows: Rows<T>, seek: &Seek<Key>, key: impl Fn(&T) -> Key) -> Self {
        Self::stretch(rows, None, seek, key)
    }

    /// Of a walk that may have ended before the page was full: at `reached`, from where it goes on if there is more. If it
    /// found nothing, the way back begins there as well, so that the row that it began at is one of those behind it.
    pub(crate) fn stretch(rows: Rows<T>, reached: Option<Key>, seek: &Seek<Key>, key: impl Fn(&T) -> Key) -> Self {
        let Rows { rows, more } = rows;
        let (first, last) = (rows.first().map(&key), rows.last().map(&key));
        let begins = seek.is_backward() && rows.is_empty() && reached.is_none();
        let (next, previous) = match seek {
            Seek::Skip(_) => (reached.or(last).filter(|_| more), None),
            Seek::After(from) => {
                let back = first.or_else(|| reached.clone()).unwrap_or_else(|| from.clone());
                (reached.or(last).filter(|_| more), Some(back))
            }
            Seek::Before(from) => {
                let on = last.or_else(|| reached.clone()).unwrap_or_else(|| from.clone());
                (Some(on), reached.or(first).filter(|_| more))
            }
        };
        Self { rows, next, previous, begins, note: None }
    }

    /// Of a list that is short enough to be read whole.
    pub(crate) fn among(all: Vec<T>, seek: &Seek<Key>, size: usize, key: impl Fn(&T) -> Key) -> Self {
        let at = |wanted: &Key| all.iter().position(|row| key(row) == *wanted);
        let start = match seek {
            Seek::Skip(_) => 0,
            Seek::After(from) => at(from).map_or(0, |place| place + 1),
            Seek::Before(from) => at(from).unwrap_or(0).saturating_sub(size),
        };
        let more = all.len() > start + size;
        let rows: Vec<T> = all.into_iter().skip(start).take(size).collect();
        let next = if more { rows.last().map(&key) } else { None };
        let previous = if start > 0 { rows.first().map(&key) } else { None };
        Self { rows, next, previous, begins: false, note: None }
    }

    /// The rows, and the rest for rows of another kind.
    pub(crate) fn part<U>(self) -> (Vec<T>, Found<U>) {
        let Self { rows, next, previous, begins, note } = self;
        (rows, Found { rows: Vec::new(), next, previous, begins, note })
    }

    /// Of a page by number, from 1; the number travels as a place.
    pub(crate) fn numbered(rows: Vec<T>, page: i64, more: bool) -> Self {
        let here = Key::new(page, "");
        Self { rows, next: more.then(|| here.clone()), previous: (page > 1).then_some(here), begins: false, note: None }
    }
}

/// Sorts a list that is short enough to be read whole. Rows without a value come last whichever way; equal ones stay as
/// they were.
pub(crate) fn sort<T, K: Ord>(rows: &mut [T], descending: bool, key: impl Fn(&T) -> Option<K>) {
    rows.sort_by(|one, other| match (key(one), key(other)) {
        (Some(one), Some(other)) if descending => other.cmp(&one),
        (Some(one), Some(other)) => one.cmp(&other),
        (one, other) => other.is_some().cmp(&one.is_some()),
    });
}

/// The number of the page, for a list whose pages have numbers.
pub(crate) fn number(seek: &Seek<Key>) -> i64 {
    match seek {
        Seek::Skip(_) => 1,
        Seek::After(key) => key.id.saturating_add(1).max(1),
        Seek::Before(key) => (key.id.saturating_sub(1)).max(1),
    }
}
