//! Which documents of a segment match a text, and at which cost.

use crate::index::{Categories, Living, Postings, Segment};
use crate::query::sieve::Sieve;
use crate::query::sources::Sources;
use crate::query::text::Text;

/// Room for one segment's matches, kept by each thread from query to query.
#[derive(Default)]
pub(crate) struct Scratch {
    /// A bit for each document that matches.
    pub(crate) matched: Vec<u64>,
    /// How many these were when they were last counted.
    pub(crate) count: usize,
    pub(crate) costs: Costs,
    /// What each costs, where that differs; documents that do not match may have anything.
    pub(crate) sums: Vec<u32>,
    /// A bit for each document that may match.
    allowed: Vec<u64>,
    other: Vec<u64>,
}

/// What matches cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Costs {
    /// Nothing that anybody asks for.
    #[default]
    Unknown,
    /// All of them the same, for the only word that was asked for.
    OneWord(u32),
    /// All of them the same.
    Same(u32),
    /// Each its sum.
    Each,
}

impl Scratch {
    /// Makes room for the matches of a segment: of its documents that are alive and pass the filters. With `by_facet`
    /// those of categories and prices are left to the facets, each of which is counted without its own.
    pub(crate) fn begin(&mut self, living: &Living, sieve: &Sieve, by_facet: bool) {
        let segment = &*living.segment;
        let words = segment.len().div_ceil(64);
        // Whoever uses them first fills them.
        for bits in [&mut self.matched, &mut self.allowed, &mut self.other] {
            bits.resize(words, 0);
        }
        match &living.alive {
            Some(alive) => self.allowed.copy_from_slice(alive),
            None => fill(&mut self.allowed, segment.len()),
        }
        sieve.keep_in_stock(segment, &mut self.allowed, &mut self.other);
        if !by_facet {
            sieve.keep_passing(segment, &mut self.allowed, &mut self.other);
        }
    }

    /// Finds the documents that match `text`; gives where each of its words occurs.
    pub(crate) fn gather<'s>(
        &mut self,
        segment: &'s Segment,
        text: &Text,
        categories: &Categories,
    ) -> Vec<Sources<'s>> {
        let mut words: Vec<Sources<'s>> = match text {
            Text::Anything => {
                self.matched.copy_from_slice(&self.allowed);
                return Vec::new();
            }
            Text::Words { typed, .. } => {
                typed.iter().map(|typed| Sources::of_word(typed, segment, categories)).collect()
            }
            Text::Signs(signs) => signs.iter().map(|signs| Sources::of_signs(signs, segment, categories)).collect(),
        };
        // From the rarest on, so that there are few documents to look at early.
        words.sort_by_key(|sources| sources.documents);
        for (place, sources) in words.iter().enumerate() {
            if place == 0 {
                self.add_all(sources.lists.iter().map(|(_, list)| list));
                keep_both(&mut self.matched, &self.allowed);
            } else {
                self.other.fill(0);
                sources.lists.iter().for_each(|(_, list)| list.add_wanted_to(&mut self.other, &self.matched));
                std::mem::swap(&mut self.matched, &mut self.other);
            }
        }
        words
    }

    /// Finds what those of the matches cost that may be among the first `room`, out of so many documents. The others may
    /// be left out.
    pub(crate) fn weigh(&mut self, words: &[Sources<'_>], room: usize, documents: usize) {
        if !self.keep_cheapest(words, room) {
            self.sum_up(words, documents);
        }
    }

    /// Leaves those that match each word at the least cost that it has, if they are enough.
    fn keep_cheapest(&mut self, words: &[Sources<'_>], room: usize) -> bool {
        let (cheapest, spare) = (&mut self.other, &mut self.allowed);
        cheapest.copy_from_slice(&self.matched);
        let mut sum = 0;
        for sources in words {
            let Some((least, first)) = sources.lists.first() else { return false };
            sum += least.number();
            match &sources.lists[1..sources.lists.partition_point(|(cost, _)| cost == least)] {
                [] => first.keep_in(cheapest, spare),
                others => {
                    spare.fill(0);
                    first.add_to(spare);
                    others.iter().for_each(|(_, list)| list.add_to(spare));
                    keep_both(cheapest, spare);
                }
            }
        }
        let mut missing = room;
        let are_enough = cheapest.iter().any(|bits| {
            missing = missing.saturating_sub(bits.count_ones() as usize);
            missing == 0
        });
        if are_enough {
            std::mem::swap(&mut self.matched, &mut self.other);
            self.costs = Costs::Same(sum);
        }
        are_enough
    }

    /// Finds what each costs, out of so many documents. Of the places where a document has a word the first met costs
    /// the least.
    fn sum_up(&mut self, words: &[Sources<'_>], documents: usize) {
        self.costs = Costs::Each;
        let (matched, open, sums) = (&self.matched, &mut self.other, &mut self.sums);
        if sums.len() < documents {
            sums.resize(documents, 0);
        }
        let mut count: usize = 0;
        each(matched.iter().copied(), |doc| {
            sums[doc as usize] = 0;
            count += 1;
        });
        for sources in words {
            open.copy_from_slice(matched);
            let mut left = count;
            for (cost, list) in &sources.lists {
                if left == 0 {
                    break;
                }
                let cost = cost.number();
                list.take_from(open, |doc| {
                    sums[doc as usize] += cost;
                    left -= 1;
                });
            }
        }
    }

    /// Finds the documents that match one word, and has them taken in portions: those that cost the same, the least
    /// first. Once `take`, which is told the cost, says that what costs more is not shown, the rest is one portion, of
    /// which it is told that. Where costs do not matter in the first place, all is one portion.
    pub(crate) fn portions(
        &mut self,
        sources: &Sources<'_>,
        by_cost: bool,
        mut take: impl FnMut(&mut Self, u32, bool) -> bool,
    ) {
        let mut rest = &sources.lists[..];
        let mut cost_matters = by_cost;
        while let Some((cost, _)) = rest.first() {
            let count = if cost_matters { rest.partition_point(|(other, _)| other == cost) } else { rest.len() };
            let (portion, others) = rest.split_at(count);
            self.add_all(portion.iter().map(|(_, list)| list));
            // What was taken at a lower cost is not taken again.
            for (matched, allowed) in self.matched.iter_mut().zip(&mut self.allowed) {
                *matched &= *allowed;
                *allowed &= !*matched;
            }
            self.costs = Costs::OneWord(cost.number());
            let is_shown = cost_matters || !by_cost;
            cost_matters = take(self, cost.number(), is_shown) && cost_matters;
            rest = others;
        }
    }

    /// Finds the documents that are in any of the lists, whether they may match or not.
    pub(crate) fn add_all<'l, 's: 'l>(&mut self, lists: impl IntoIterator<Item = &'l Postings<'s>>) {
        let mut lists = lists.into_iter().peekable();
        match lists.peek() {
            Some(Postings::Long(bits, _)) => {
                self.matched.copy_from_slice(bits);
                lists.next();
            }
            _ => self.matched.fill(0),
        }
        lists.for_each(|list| list.add_to(&mut self.matched));
    }

    /// Keeps the documents that `will_do`.
    pub(crate) fn keep(&mut self, mut will_do: impl FnMut(usize) -> bool) {
        for (start, word) in (0..).step_by(64).zip(&mut self.matched) {
            let mut rest = *word;
            while rest != 0 {
                let bit = rest & rest.wrapping_neg();
                if !will_do(start + rest.trailing_zeros() as usize) {
                    *word &= !bit;
                }
                rest &= rest - 1;
            }
        }
    }

    /// Counts what matches.
    pub(crate) fn count_them(&mut self) {
        self.count = self.matched.iter().map(|bits| bits.count_ones() as usize).sum();
    }

    /// Gives each document that matches, in ascending order.
    pub(crate) fn each(&self, give: impl FnMut(u32)) {
        each(self.matched.iter().copied(), give);
    }
}

/// Leaves the bits that both have.
pub(crate) fn keep_both(bits: &mut [u64], others: &[u64]) {
    bits.iter_mut().zip(others).for_each(|(bits, others)| *bits &= others);
}

/// Sets the bit of a document.
pub(crate) fn set(bits: &mut [u64], doc: u32) {
    bits[doc as usize / 64] |= 1 << (doc % 64);
}

/// Whether the bit of a document is set.
pub(crate) fn is_set(bits: &[u64], doc: u32) -> bool {
    bits[doc as usize / 64] >> (doc % 64) & 1 == 1
}

/// Gives each document whose bit is set, in ascending order.
pub(crate) fn each(bits: impl IntoIterator<Item = u64>, mut give: impl FnMut(u32)) {
    for (start, mut word) in (0..).step_by(64).zip(bits) {
        while word != 0 {
            give(start + word.trailing_zeros());
            word &= word - 1;
        }
    }
}

/// Sets the bits of the first `count` documents.
fn fill(bits: &mut [u64], count: usize) {
    bits.fill(u64::MAX);
    if let Some(last) = bits.last_mut().filter(|_| !count.is_multiple_of(64)) {
        *last = (1 << (count % 64)) - 1;
    }
}
