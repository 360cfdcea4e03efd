//! Documents by price: in order, and as bits of any range.

use crate::index::segment::Doc;

/// Cuts through the order of prices at which the documents below are kept as bits. Each takes a bit for a document, and
/// halves what is left to set one by one.
const CUTS: usize = 32;

/// A segment's documents by price.
pub(crate) struct Prices {
    /// The documents, the cheapest first; where these are alike, by id.
    pub(crate) ascending: Vec<Doc>,
    /// The documents, the dearest first; where these are alike, by id.
    pub(crate) descending: Vec<Doc>,
    /// Documents between two cuts.
    step: usize,
    /// For each cut a bit for each document before it.
    before: Vec<Box<[u64]>>,
}

impl Prices {
    /// From the price of each document, and the documents by it.
    pub(super) fn new(prices: &[i64], ascending: Vec<Doc>) -> Self {
        let alike = ascending.chunk_by(|one, other| prices[*one as usize] == prices[*other as usize]);
        let descending = alike.rev().flatten().copied().collect();
        let step = (ascending.len() / CUTS).max(1);
        let mut bits = vec![0; ascending.len().div_ceil(64)];
        let cut = |documents: &[Doc]| {
            documents.iter().for_each(|doc| bits[*doc as usize / 64] |= 1 << (doc % 64));
            bits.clone().into_boxed_slice()
        };
        let before = ascending.chunks_exact(step).map(cut).collect();
        Self { ascending, descending, step, before }
    }

    /// Leaves the bits of the documents from one place of the order to another.
    pub(super) fn keep_in(&self, from: usize, to: usize, bits: &mut [u64], room: &mut [u64]) {
        // The documents before the one place, without those before the other: each from the nearest cut on.
        let (first, last) = (self.nearest_cut(from), self.nearest_cut(to));
        match self.before_cut(last) {
            Some(before) => room.copy_from_slice(before),
            None => room.fill(0),
        }
        if let Some(before) = self.before_cut(first) {
            room.iter_mut().zip(before).for_each(|(room, before)| *room &= !before);
        }
        let (first, last) = (first * self.step, last * self.step);
        // Between a place and its cut, documents are too many or missing.
        let between = |start: usize, end: usize| &self.ascending[start.min(end)..end];
        for doc in between(first, from.min(last)).iter().chain(between(to.max(first), last)) {
            room[*doc as usize / 64] &= !(1 << (doc % 64));
        }
        for doc in between(from, first.min(to)).iter().chain(between(last.max(from), to)) {
            room[*doc as usize / 64] |= 1 << (doc % 64);
        }
        bits.iter_mut().zip(room).for_each(|(bits, room)| *bits &= *room);
    }

    fn nearest_cut(&self, place: usize) -> usize {
        ((place + self.step / 2) / self.step).min(self.before.len())
    }

    fn before_cut(&self, cut: usize) -> Option<&[u64]> {
        Some(&self.before[cut.checked_sub(1)?])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_range_has_its_documents() {
        for count in [0_usize, 1, 5, 31, 32, 33, 100, 250] {
            let documents = 0..Doc::try_from(count).unwrap();
            let ascending: Vec<Doc> = documents.clone().step_by(2).chain(documents.skip(1).step_by(2).rev()).collect();
            let mut prices = vec![0; count];
            ascending.iter().zip(0..).for_each(|(doc, price)| prices[*doc as usize] = price);
            let prices = Prices::new(&prices, ascending);
            for from in 0..=count {
                for to in from..=count {
                    let (mut bits, mut room) = (vec![u64::MAX; count.div_ceil(64)], vec![0; count.div_ceil(64)]);
                    prices.keep_in(from, to, &mut bits, &mut room);
                    let mut wanted = vec![0; count.div_ceil(64)];
                    prices.ascending[from..to].iter().for_each(|doc| wanted[*doc as usize / 64] |= 1_u64 << (doc % 64));
                    assert_eq!(bits, wanted, "{from}..{to} of {count}");
                }
            }
        }
    }
}
