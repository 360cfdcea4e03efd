//! What a follower has seen, as PostgreSQL says it: a `pg_snapshot`, and when it was taken.
//!
//! Ids of rows and of transactions are given out before the transaction commits, so "everything up to number n" is
//! never known to be complete. A snapshot is: it names the transactions that were under way, and what they write
//! is looked for again, however late they commit, while everybody else's changes are applied at once.
//!
//! One thing makes a snapshot lie: a server that crashed gives out again the numbers of transactions that it had not
//! written down, so that a later transaction can have a number that was rolled back in the snapshot. Hence the moment:
//! when the server may have crashed, what is younger than that is looked for below `next` too.

use std::fmt;
use std::str::FromStr;

/// A `pg_snapshot`, and its moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Position {
    /// Transactions below have all ended.
    pub(crate) least: i64,
    /// Transactions from here on had not begun.
    pub(crate) next: i64,
    /// Transactions between that were under way.
    pub(crate) under_way: Vec<i64>,
    /// By the server's clock, in microseconds of Unix time.
    pub(crate) taken_at: i64,
}

/// What is no snapshot.
#[derive(Debug, thiserror::Error)]
#[error("not a snapshot: {0:?}")]
pub(crate) struct NoSnapshot(String);

impl FromStr for Position {
    type Err = NoSnapshot;

    fn from_str(text: &str) -> Result<Self, NoSnapshot> {
        let parse = || {
            let (snapshot, taken_at) = text.split_once('@')?;
            let mut parts = snapshot.splitn(3, ':');
            let (least, next) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
            let under_way = parts.next()?.split(',').filter(|xid| !xid.is_empty());
            let under_way = under_way.map(|xid| xid.parse().ok()).collect::<Option<_>>()?;
            Some(Self { least, next, under_way, taken_at: taken_at.parse().ok()? })
        };
        parse().ok_or_else(|| NoSnapshot(text.to_owned()))
    }
}

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let under_way: Vec<String> = self.under_way.iter().map(i64::to_string).collect();
        write!(formatter, "{}:{}:{}@{}", self.least, self.next, under_way.join(","), self.taken_at)
    }
}

impl Position {
    /// Whether everything visible at `other` is visible here too.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        let was_under_way = |xid: &i64| *xid >= other.next || other.under_way.contains(xid);
        self.next >= other.next && self.under_way.iter().all(was_under_way)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_postgresql_writes_is_read() {
        for text in ["10:10:@0", "10:20:10,14,15@1700000000000000", "728:728:@-1"] {
            assert_eq!(text.parse::<Position>().unwrap().to_string(), text);
        }
        for text in ["", "10", "10:20@0", "a:b:@0", "10:20:x@0", "10:20:", "10:20:@", "10:20:@x"] {
            assert!(text.parse::<Position>().is_err(), "{text}");
        }
    }

    #[test]
    fn later_snapshots_cover_earlier_ones() {
        let position = |text: &str| format!("{text}@0").parse::<Position>().unwrap();
        let covers = |one: &str, other: &str| position(one).covers(&position(other));
        assert!(covers("10:10:", "10:10:"));
        assert!(covers("10:20:10", "10:12:10"), "the same one is still under way");
        assert!(covers("20:20:", "10:12:10"));
        assert!(!covers("10:20:10", "12:12:"), "10 has ended there");
        assert!(!covers("10:12:", "20:20:"));
    }
}
