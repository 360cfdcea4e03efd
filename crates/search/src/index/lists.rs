//! Lists of documents: for each term of a field those that have it.
//!
//! tantivy keeps them compressed, and taking one apart costs a nanosecond or two for each document, again with each
//! query. So those that hold more than one document of so many are taken apart once, and kept as bits: then 64 documents
//! at a time are added to what matches, or struck from it.

use std::io;
use std::sync::Arc;

use tantivy::TantivyError;
use tantivy::index::{InvertedIndexReader, SegmentReader};
use tantivy::postings::TermInfo;
use tantivy::schema::{Field, IndexRecordOption};

use crate::index::segment::Doc;

/// A list that holds a 64th of the documents is as long in bits as it is compressed, near enough.
const KEPT_AS_BITS: usize = 64;
/// Lists of a field that are kept as bits at most, so that nobody's catalogue makes them fill the memory.
const MOST_AS_BITS: usize = 256;

/// The lists of a field, by the places of its terms.
pub(crate) struct Lists {
    from: Arc<InvertedIndexReader>,
    terms: Vec<TermInfo>,
    /// The long lists, by place.
    bits: Vec<(usize, Box<[u64]>)>,
}

/// A list of documents that may not have been read yet.
#[derive(Clone, Copy)]
pub(crate) struct Postings<'s> {
    from: &'s InvertedIndexReader,
    info: &'s TermInfo,
    bits: Option<&'s [u64]>,
}

impl Lists {
    /// Opens a field, and gives its terms in their order.
    pub(super) fn open(
        reader: &SegmentReader,
        field: Field,
        mut term: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<Self, TantivyError> {
        let from = reader.inverted_index(field)?;
        let mut terms = Vec::with_capacity(from.terms().num_terms());
        let mut stream = from.terms().stream()?;
        while let Some((bytes, info)) = stream.next() {
            term(bytes)?;
            terms.push(info.clone());
        }
        drop(stream);
        let documents = reader.max_doc() as usize;
        let is_long = |place: &usize| terms[*place].doc_freq as usize * KEPT_AS_BITS >= documents;
        let mut long: Vec<usize> = (0..terms.len()).filter(is_long).collect();
        long.sort_by_key(|place| std::cmp::Reverse(terms[*place].doc_freq));
        long.truncate(MOST_AS_BITS);
        long.sort_unstable();
        let mut lists = Self { from, terms, bits: Vec::new() };
        let bits = long.into_iter().map(|place| {
            let mut bits = vec![0; documents.div_ceil(64)];
            lists.at(place).add_to(&mut bits)?;
            Ok((place, bits.into()))
        });
        lists.bits = bits.collect::<Result<_, TantivyError>>()?;
        Ok(lists)
    }

    /// The list of the term at a place.
    pub(crate) fn at(&self, place: usize) -> Postings<'_> {
        let bits = self.bits.binary_search_by_key(&place, |(place, _)| *place).ok().map(|found| &*self.bits[found].1);
        Postings { from: &self.from, info: &self.terms[place], bits }
    }
}

impl<'s> Postings<'s> {
    /// How many documents there are, the deleted ones included.
    pub(crate) fn len(&self) -> u32 {
        self.info.doc_freq
    }

    /// A bit for each document, where the list is kept so.
    pub(crate) fn bits(&self) -> Option<&'s [u64]> {
        self.bits
    }

    /// Sets the bits of the documents.
    pub(crate) fn add_to(&self, bits: &mut [u64]) -> Result<(), TantivyError> {
        match self.bits {
            Some(these) => bits.iter_mut().zip(these).for_each(|(bits, these)| *bits |= these),
            None => self.each_run(|run| run.iter().for_each(|doc| bits[*doc as usize / 64] |= 1 << (doc % 64)))?,
        }
        Ok(())
    }

    /// Leaves the bits of the documents. `room` is for as many bits.
    pub(crate) fn keep_in(&self, bits: &mut [u64], room: &mut [u64]) -> Result<(), TantivyError> {
        let these = match self.bits {
            Some(these) => these,
            None => {
                room.fill(0);
                self.add_to(room)?;
                room
            }
        };
        bits.iter_mut().zip(these).for_each(|(bits, these)| *bits &= these);
        Ok(())
    }

    /// Gives the documents in ascending order, in runs.
    pub(crate) fn each_run(&self, mut give: impl FnMut(&[Doc])) -> Result<(), TantivyError> {
        let mut blocks = self.from.read_block_postings_from_terminfo(self.info, IndexRecordOption::Basic)?;
        while !blocks.docs().is_empty() {
            give(blocks.docs());
            blocks.advance();
        }
        Ok(())
    }
}
