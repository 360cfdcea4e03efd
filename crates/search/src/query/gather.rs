//! Which documents of a segment match a text, and at which cost.

use tantivy::TantivyError;

use crate::index::{ANYWHERE, Categories, Living, Postings, Segment};
use crate::query::sources::Sources;
use crate::query::text::Text;

/// Room for one segment's matches, kept by each thread from query to query.
#[derive(Default)]
pub(crate) struct Scratch {
    /// A bit for each document that matches.
    pub(crate) matched: Vec<u64>,
    /// What each document that matches costs; other documents may have anything.
    pub(crate) costs: Vec<u32>,
    other: Vec<u64>,
}

impl Scratch {
    /// Finds the documents that match `text` and are alive.
    pub(crate) fn gather(&mut self, living: &Living, text: &Text, categories: &Categories) -> Result<(), TantivyError> {
        let segment = &*living.segment;
        self.clear(segment);
        match text {
            Text::Anything => fill(&mut self.matched, segment.len()),
            Text::Words { typed, .. } => {
                let sources = typed.iter().map(|typed| Sources::of_word(typed, segment, categories));
                self.all(sources.collect::<Result<_, _>>()?)?;
            }
            Text::Signs(signs) => {
                let sources = signs.iter().map(|signs| Sources::of_signs(signs, segment, categories));
                self.all(sources.collect::<Result<_, _>>()?)?;
            }
        }
        self.keep_alive(living);
        Ok(())
    }

    /// Finds the documents that match any of the words and are alive, whatever they cost.
    pub(crate) fn gather_any(
        &mut self,
        living: &Living,
        text: &Text,
        categories: &Categories,
    ) -> Result<(), TantivyError> {
        self.clear(&living.segment);
        for typed in text.words() {
            for (_, list) in Sources::of_word(typed, &living.segment, categories)?.lists {
                list.each_run(|run| run.iter().for_each(|doc| set(&mut self.matched, *doc)))?;
            }
        }
        self.keep_alive(living);
        Ok(())
    }

    /// Keeps what is in stock at `store`, which may be [`ANYWHERE`].
    pub(crate) fn keep_in_stock(&mut self, segment: &Segment, store: i64) -> Result<(), TantivyError> {
        match store {
            ANYWHERE => self.matched.iter_mut().zip(&segment.in_stock_anywhere).for_each(|(bits, kept)| *bits &= kept),
            store => self.keep_listed(segment.in_stock(store)?.as_slice())?,
        }
        Ok(())
    }

    /// Keeps what is in any of the lists.
    pub(crate) fn keep_listed(&mut self, lists: &[Postings<'_>]) -> Result<(), TantivyError> {
        self.other.fill(0);
        for list in lists {
            list.each_run(|run| run.iter().for_each(|doc| set(&mut self.other, *doc)))?;
        }
        self.matched.iter_mut().zip(&self.other).for_each(|(matched, kept)| *matched &= kept);
        Ok(())
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
        each(&self.matched, give);
    }

    fn clear(&mut self, segment: &Segment) {
        let words = segment.len().div_ceil(64);
        self.matched.clear();
        self.matched.resize(words, 0);
        self.other.clear();
        self.other.resize(words, 0);
        if self.costs.len() < segment.len() {
            self.costs.resize(segment.len(), 0);
        }
    }

    /// Takes the words from the rarest on, so that there are few documents to look at early.
    fn all(&mut self, mut words: Vec<Sources<'_>>) -> Result<(), TantivyError> {
        words.sort_by_key(|sources| sources.documents);
        for (place, sources) in words.iter().enumerate() {
            if place == 0 {
                self.begin(sources)?;
            } else {
                self.narrow(sources)?;
            }
        }
        Ok(())
    }

    fn begin(&mut self, sources: &Sources<'_>) -> Result<(), TantivyError> {
        let (matched, costs) = (&mut self.matched, &mut self.costs);
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
        let (matched, kept, costs) = (&mut self.matched, &mut self.other, &mut self.costs);
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

    fn keep_alive(&mut self, living: &Living) {
        if let Some(alive) = &living.alive {
            self.matched.iter_mut().zip(alive.iter()).for_each(|(matched, alive)| *matched &= alive);
        }
    }
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
pub(crate) fn each(bits: &[u64], mut give: impl FnMut(u32)) {
    for (start, word) in (0..).step_by(64).zip(bits) {
        let mut word = *word;
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
