//! Keyset pagination: a page is found by the sort key of its neighbour, so its cost does not grow with its depth.

/// Where a page begins, in a list with the total order of `K`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seek<K> {
    /// After this many rows, counted from the start. Costs more the deeper it goes.
    Skip(i64),
    /// Right after the row with this key.
    After(K),
    /// Right before the row with this key.
    Before(K),
}

/// Rows of one page, in list order, and whether there are more in the direction that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows<T> {
    /// The rows, at most as many as were asked for.
    pub rows: Vec<T>,
    /// Whether rows follow (or, when reading [`Seek::Before`], precede).
    pub more: bool,
}

impl<K> Seek<K> {
    /// Whether the query must run against the list's order, its rows then turned round by [`Rows::new`].
    pub fn is_backward(&self) -> bool {
        matches!(self, Self::Before(_))
    }
}

impl<T> Rows<T> {
    /// From the answer to a query for one row more than `size`, in the direction of `seek`.
    pub fn new<K>(mut fetched: Vec<T>, size: usize, seek: &Seek<K>) -> Self {
        let more = fetched.len() > size;
        fetched.truncate(size);
        if seek.is_backward() {
            fetched.reverse();
        }
        Self { rows: fetched, more }
    }

    /// The same page with every row turned into something else.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Rows<U> {
        Rows { rows: self.rows.into_iter().map(f).collect(), more: self.more }
    }
}
