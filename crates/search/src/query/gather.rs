//! Which documents of a segment match a text, and at which cost.

use tantivy::TantivyError;

use crate::index::{ANYWHERE, Categories, Doc, Living, Postings, Segment};
use crate::query::sources::Sources;
use crate::query::text::Text;

/// Room for one segment's matches, kept by each thread from query to query.
#[derive(Default)]
pub(crate) struct Scratch {
    /// A bit for each document that matches.
    pub(crate) matched: Vec<u64>,
    pub(crate) costs: Costs,
    /// A bit for each document that may match.
    allowed: Vec<u64>,
    other: Vec<u64>,
}

/// What matches cost.
#[derive(Default)]
pub(crate) struct Costs {
    /// All of them the same.
    pub(crate) same: Option<u32>,
    /// Else each this; documents that do not match may have anything.
    pub(crate) each: Vec<u32>,
}

impl Scratch {
    /// Makes room for the matches of a segment: of its documents that are alive and in stock at `store`, which may be
    /// [`ANYWHERE`] or, where that does not matter, none.
    pub(crate) fn begin(&mut self, living: &Living, store: Option<i64>) -> Result<(), TantivyError> {
        let segment = &*living.segment;
        let words = segment.len().div_ceil(64);
        for bits in [&mut self.matched, &mut self.allowed, &mut self.other] {
            bits.clear();
            bits.resize(words, 0);
        }
        match &living.alive {
            Some(alive) => self.allowed.copy_from_slice(alive),
            None => fill(&mut self.allowed, segment.len()),
        }
        match store {
            None => {}
            Some(ANYWHERE) => keep_both(&mut self.allowed, &segment.in_stock_anywhere),
            Some(store) => {
                if let Some(list) = segment.in_stock(store)? {
                    list.each_run(|run| run.iter().for_each(|doc| set(&mut self.other, *doc)))?;
                }
                keep_both(&mut self.allowed, &self.other);
            }
        }
        Ok(())
    }

    /// Finds the documents that match `text`.
    pub(crate) fn gather(
        &mut self,
        segment: &Segment,
        text: &Text,
        categories: &Categories,
    ) -> Result<(), TantivyError> {
        if self.costs.each.len() < segment.len() {
            self.costs.each.resize(segment.len(), 0);
        }
        self.costs.same = None;
        match text {
            Text::Anything => {
                self.matched.fill(u64::MAX);
                self.costs.same = Some(0);
            }
            Text::Words { typed, .. } => {
                let sources = typed.iter().map(|typed| Sources::of_word(typed, segment, categories));
                self.all(sources.collect::<Result<_, _>>()?)?;
            }
            Text::Signs(signs) => {
                let sources = signs.iter().map(|signs| Sources::of_signs(signs, segment, categories));
                self.all(sources.collect::<Result<_, _>>()?)?;
            }
        }
        keep_both(&mut self.matched, &self.allowed);
        Ok(())
    }

    /// Finds the documents that match any of the words, whatever they cost.
    pub(crate) fn gather_any(
        &mut self,
        segment: &Segment,
        text: &Text,
        categories: &Categories,
    ) -> Result<(), TantivyError> {
        for typed in text.words() {
            for (_, list) in Sources::of_word(typed, segment, categories)?.lists {
                self.add(&list)?;
            }
        }
        keep_both(&mut self.matched, &self.allowed);
        Ok(())
    }

    /// Finds the documents that match one word, and has them taken in portions: those that cost the same, the least
    /// first. Once `take` says that costs do not matter any more, the rest is one portion.
    pub(crate) fn portions(
        &mut self,
        sources: &Sources<'_>,
        mut cost_matters: bool,
        mut take: impl FnMut(&mut Self, u32) -> Result<bool, TantivyError>,
    ) -> Result<(), TantivyError> {
        let mut rest = &sources.lists[..];
        while let Some((cost, _)) = rest.first() {
            let count = if cost_matters { rest.partition_point(|(other, _)| other == cost) } else { rest.len() };
            let (portion, others) = rest.split_at(count);
            self.matched.fill(0);
            for (_, list) in portion {
                self.add(list)?;
            }
            // What was taken at a lower cost is not taken again.
            for (matched, allowed) in self.matched.iter_mut().zip(&mut self.allowed) {
                *matched &= *allowed;
                *allowed &= !*matched;
            }
            self.costs.same = Some(cost.number());
            cost_matters = take(self, cost.number())? && cost_matters;
            rest = others;
        }
        Ok(())
    }

    /// Keeps what is in any of the lists.
    pub(crate) fn keep_listed(&mut self, lists: &[Postings<'_>]) -> Result<(), TantivyError> {
        self.other.fill(0);
        for list in lists {
            list.each_run(|run| run.iter().for_each(|doc| set(&mut self.other, *doc)))?;
        }
        keep_both(&mut self.matched, &self.other);
        Ok(())
    }

    /// Keeps what is among these.
    pub(crate) fn keep_these(&mut self, documents: &[Doc]) {
        self.other.fill(0);
        documents.iter().for_each(|doc| set(&mut self.other, *doc));
        keep_both(&mut self.matched, &self.other);
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

    /// How many documents match.
    pub(crate) fn count(&self) -> usize {
        self.matched.iter().map(|bits| bits.count_ones() as usize).sum()
    }

    /// Gives each document that matches, in ascending order.
    pub(crate) fn each(&self, give: impl FnMut(u32)) {
        each(self.matched.iter().copied(), give);
    }

    /// Takes the words from the rarest on, so that there are few documents to look at early.
    fn all(&mut self, mut words: Vec<Sources<'_>>) -> Result<(), TantivyError> {
        words.sort_by_key(|sources| sources.documents);
        for (place, sources) in words.iter().enumerate() {
            if place == 0 {
                self.first(sources)?;
            } else {
                self.narrow(sources)?;
            }
        }
        Ok(())
    }

    fn add(&mut self, list: &Postings<'_>) -> Result<(), TantivyError> {
        list.each_run(|run| run.iter().for_each(|doc| set(&mut self.matched, *doc)))
    }

    fn first(&mut self, sources: &Sources<'_>) -> Result<(), TantivyError> {
        let (matched, costs) = (&mut self.matched, &mut self.costs.each);
        for (cost, list) in &sources.lists {
            let cost = cost.number();
            list.each_run(|run| {
                for doc in run {
                    let (word, bit) = (*doc as usize / 64, 1 << (doc % 64));
                    // Documents come at the least cost first.
                    if matched[word] & bit == 0 {
                        matched[word] |= bit;
                        costs[*doc as usize] = cost;
                    }
                }
            })?;
        }
        Ok(())
    }

    fn narrow(&mut self, sources: &Sources<'_>) -> Result<(), TantivyError> {
        let (matched, kept, costs) = (&mut self.matched, &mut self.other, &mut self.costs.each);
        kept.fill(0);
        for (cost, list) in &sources.lists {
            let cost = cost.number();
            list.each_run(|run| {
                for doc in run {
                    let (word, bit) = (*doc as usize / 64, 1 << (doc % 64));
                    if matched[word] & !kept[word] & bit != 0 {
                        kept[word] |= bit;
                        costs[*doc as usize] += cost;
                    }
                }
            })?;
        }
        std::mem::swap(matched, kept);
        Ok(())
    }
}

/// Leaves the bits that both have.
fn keep_both(bits: &mut [u64], others: &[u64]) {
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
