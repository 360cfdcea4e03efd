//! Lists of documents: for each term of a field those that have it.
//!
//! tantivy keeps them compressed, and taking one apart costs a nanosecond or two for each document, again with each
//! query. So they are taken apart once, when the segment is opened: into plain numbers, or where they hold more than one
//! document of so many, into bits; then 64 documents at a time are added to what matches, or struck from it.

use std::io;

use tantivy::TantivyError;
use tantivy::index::SegmentReader;
use tantivy::postings::{BlockSegmentPostings, TermInfo};
use tantivy::schema::{Field, IndexRecordOption};

use crate::index::segment::Doc;

/// As bits, a list that holds a 64th of the documents takes twice the memory, and a fraction of the time.
const KEPT_AS_BITS: usize = 64;
/// Lists of a field that are kept as bits at most, so that nobody's catalogue makes them fill the memory.
const MOST_AS_BITS: usize = 256;

/// The lists of a field, by the places of its terms.
pub(crate) struct Lists {
    lists: Vec<List>,
    /// The documents of all short lists, one list after the other.
    documents: Vec<Doc>,
    /// The long lists.
    bits: Vec<Box<[u64]>>,
}

/// Where a list is, and how many documents it has.
enum List {
    Short { from: usize, count: u32 },
    Long { place: usize, count: u32 },
}

/// A list of documents, the deleted ones included.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Postings<'s> {
    /// In ascending order.
    Short(&'s [Doc]),
    /// A bit for each document of the segment, and how many are set.
    Long(&'s [u64], u32),
}

impl Lists {
    /// Reads a field, and gives its terms in their order.
    pub(super) fn open(
        reader: &SegmentReader,
        field: Field,
        mut term: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<Self, TantivyError> {
        let from = reader.inverted_index(field)?;
        let mut terms: Vec<TermInfo> = Vec::with_capacity(from.terms().num_terms());
        let mut stream = from.terms().stream()?;
        while let Some((bytes, info)) = stream.next() {
            term(bytes)?;
            terms.push(info.clone());
        }
        let documents = reader.max_doc() as usize;
        let is_long = |place: &usize| terms[*place].doc_freq as usize * KEPT_AS_BITS >= documents;
        let mut long: Vec<usize> = (0..terms.len()).filter(is_long).collect();
        long.sort_by_key(|place| std::cmp::Reverse(terms[*place].doc_freq));
        long.truncate(MOST_AS_BITS);
        long.sort_unstable();
        let is_short = |place: &usize| long.binary_search(place).is_err();
        let in_short = (0..terms.len()).filter(is_short).map(|place| terms[place].doc_freq as usize).sum();

        let mut new =
            Self { lists: Vec::with_capacity(terms.len()), documents: Vec::with_capacity(in_short), bits: Vec::new() };
        for (place, info) in terms.iter().enumerate() {
            let blocks = from.read_block_postings_from_terminfo(info, IndexRecordOption::Basic)?;
            let count = info.doc_freq;
            if is_short(&place) {
                new.lists.push(List::Short { from: new.documents.len(), count });
                each_run(blocks, |run| new.documents.extend_from_slice(run));
            } else {
                let mut bits = vec![0; documents.div_ceil(64)];
                each_run(blocks, |run| Postings::Short(run).add_to(&mut bits));
                new.lists.push(List::Long { place: new.bits.len(), count });
                new.bits.push(bits.into());
            }
        }
        Ok(new)
    }

    /// The list of the term at a place.
    pub(crate) fn at(&self, place: usize) -> Postings<'_> {
        match self.lists[place] {
            List::Short { from, count } => Postings::Short(&self.documents[from..from + count as usize]),
            List::Long { place, count } => Postings::Long(&self.bits[place], count),
        }
    }
}

/// Gives the documents of a compressed list, in runs.
fn each_run(mut blocks: BlockSegmentPostings, mut give: impl FnMut(&[Doc])) {
    while !blocks.docs().is_empty() {
        give(blocks.docs());
        blocks.advance();
    }
}

impl Postings<'_> {
    /// How many documents there are, the deleted ones included.
    pub(crate) fn len(&self) -> u32 {
        match self {
            Self::Short(documents) => u32::try_from(documents.len()).unwrap_or(u32::MAX),
            Self::Long(_, count) => *count,
        }
    }

    /// Sets the bits of the documents.
    pub(crate) fn add_to(&self, bits: &mut [u64]) {
        match self {
            Self::Short(documents) => documents.iter().for_each(|doc| bits[*doc as usize / 64] |= 1 << (doc % 64)),
            Self::Long(these, _) => bits.iter_mut().zip(*these).for_each(|(bits, these)| *bits |= these),
        }
    }

    /// Sets the bits of those documents that have one in `wanted`, too.
    pub(crate) fn add_wanted_to(&self, bits: &mut [u64], wanted: &[u64]) {
        match self {
            Self::Short(documents) => documents.iter().for_each(|doc| {
                let place = *doc as usize / 64;
                bits[place] |= wanted[place] & 1 << (doc % 64);
            }),
            Self::Long(these, _) => {
                bits.iter_mut().zip(*these).zip(wanted).for_each(|((bits, these), wanted)| *bits |= these & wanted);
            }
        }
    }

    /// Leaves the bits of the documents. `room` is for as many bits.
    pub(crate) fn keep_in(&self, bits: &mut [u64], room: &mut [u64]) {
        let these = match self {
            Self::Long(these, _) => *these,
            Self::Short(_) => {
                room.fill(0);
                self.add_to(room);
                &*room
            }
        };
        bits.iter_mut().zip(these).for_each(|(bits, these)| *bits &= these);
    }

    /// Clears the bits of the documents, and gives those that had one.
    pub(crate) fn take_from(&self, bits: &mut [u64], mut give: impl FnMut(Doc)) {
        match self {
            Self::Short(documents) => {
                for doc in *documents {
                    let (place, bit) = (*doc as usize / 64, 1 << (doc % 64));
                    if bits[place] & bit != 0 {
                        bits[place] &= !bit;
                        give(*doc);
                    }
                }
            }
            Self::Long(these, _) => {
                for (start, (bits, these)) in (0..).step_by(64).zip(bits.iter_mut().zip(*these)) {
                    let mut taken = *bits & these;
                    *bits &= !these;
                    while taken != 0 {
                        give(start + taken.trailing_zeros());
                        taken &= taken - 1;
                    }
                }
            }
        }
    }
}
