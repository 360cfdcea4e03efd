//! How good a match is.

use crate::closeness::Closeness;

/// Where a word was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Field {
    Title,
    Category,
    Description,
}

/// What a match lacks; the less the better. A byte each for parts of words, typing errors, fields, and last
/// beginnings (the upper half) and other forms, the weightiest first: compared as a number it orders the ways in which
/// one word matches. As 16 words fill no byte, and 15 and a beginning no half, the costs of a query's words add up to
/// the cost of them all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Cost(u32);

impl Cost {
    pub(crate) fn new(closeness: Closeness, field: Field) -> Self {
        let lacks = match closeness {
            Closeness::Exact => 0,
            Closeness::Form => 1,
            Closeness::Prefix => Self::HELD.0,
            Closeness::OneError => 1 << 16,
            Closeness::TwoErrors => 2 << 16,
            Closeness::Inside => 1 << 24,
        };
        Self(lacks | (field as u32) << 8)
    }

    /// The most that a match may cost whose title holds the query word by word: its last word may go on.
    pub(crate) const HELD: Self = Self(1 << 4);

    pub(crate) fn number(self) -> u32 {
        self.0
    }
}
