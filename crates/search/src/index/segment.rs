//! A segment of the index, opened for searching. Never changes; which of its documents are still alive is the
//! [`View`](super::View)'s to know.

use std::io;
use std::ops::Range;

use tantivy::columnar::{Column, StrColumn};
use tantivy::index::{SegmentId, SegmentReader};
use tantivy::schema::Field;
use tantivy::{TantivyError, u64_to_i64};

use crate::closeness::Typed;
use crate::facets::{self, PRICES};
use crate::index::kept::{Kept, Matches};
use crate::index::lists::{Lists, Postings};
use crate::index::prices::Prices;
use crate::index::schema::{Fields, KEY_SEPARATOR};
use crate::index::words::{WordId, Words};

/// Number of a document in its segment.
pub(crate) type Doc = u32;

/// The category, as its place in a segment's `category_ids`, and the price range of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Facet(u32);

impl Facet {
    fn new(category: usize, price: i64) -> Self {
        Self(u32::try_from(category * PRICES.len() + facets::range(price)).unwrap_or(u32::MAX))
    }

    /// All facets of so many categories, in the order of their [`place`](Self::place).
    pub(crate) fn count(categories: usize) -> usize {
        categories * PRICES.len()
    }

    /// Its place among all facets.
    pub(crate) fn place(self) -> usize {
        self.0 as usize
    }

    pub(crate) fn category(self) -> usize {
        self.place() / PRICES.len()
    }

    pub(crate) fn price_range(self) -> usize {
        self.place() % PRICES.len()
    }
}

/// Columns as arrays by document, and the dictionaries of both texts.
pub(crate) struct Segment {
    pub(super) segment_id: SegmentId,
    pub(crate) ids: Vec<i64>,
    pub(crate) prices: Vec<i64>,
    pub(crate) created: Vec<i64>,
    /// Characters of the title.
    pub(crate) lengths: Vec<u16>,
    /// What facets count of each document.
    pub(crate) facets: Vec<Facet>,
    /// The documents in each order that results are sorted by, ids included, for when so many match that the first are
    /// soon met.
    pub(crate) by_price: Prices,
    pub(crate) by_created: Vec<Doc>,
    pub(crate) by_length: Vec<Doc>,
    /// The ids of this segment's categories, ascending.
    pub(crate) category_ids: Vec<i64>,
    pub(crate) titles: Titles,
    pub(crate) title: Text,
    pub(crate) description: Text,
    by_category: Lists,
    /// The ids of the stores that have anything in stock, ascending; the first stands for any of them.
    store_ids: Vec<i64>,
    by_stock: Lists,
}

/// A text field: its words, and where each of them occurs.
pub(crate) struct Text {
    pub(crate) words: Words,
    kept: Kept,
    lists: Lists,
}

/// The titles themselves.
pub(crate) struct Titles {
    /// For each document its title's place in the alphabetical order of the segment's distinct titles.
    pub(crate) places: Vec<u32>,
    /// The documents in that order.
    pub(crate) alphabetical: Vec<Doc>,
    keys: StrColumn,
    /// The documents by the first word of their titles, where that is all of the title first, then alphabetically;
    /// without those whose titles have none.
    by_first: Vec<Doc>,
    words: Vec<WordId>,
    /// Where each document's words begin in `words`; one more for the end.
    starts: Vec<u32>,
    /// A bit for each document whose title is one word.
    pub(crate) single: Vec<u64>,
}

impl Segment {
    pub(super) fn open(reader: &SegmentReader, fields: Fields) -> Result<Self, TantivyError> {
        let documents = reader.max_doc();
        let numbers = |name: &str| Ok::<_, TantivyError>(whole(&reader.fast_fields().i64(name)?, documents));
        let category = numbers("category")?;
        let (category_ids, by_category) = by_id(reader, fields.category)?;
        let (store_ids, by_stock) = by_id(reader, fields.stock)?;
        let place = |id: &i64| category_ids.partition_point(|other| other < id);
        let (ids, prices, created) = (numbers("id")?, numbers("price")?, numbers("created")?);
        let lengths = numbers("length")?.into_iter().map(|length| u16::try_from(length).unwrap_or(u16::MAX));
        let lengths: Vec<u16> = lengths.collect();
        let title = Text::open(reader, fields.title)?;
        Ok(Self {
            segment_id: reader.segment_id(),
            facets: category.iter().zip(&prices).map(|(id, price)| Facet::new(place(id), *price)).collect(),
            by_price: Prices::new(&prices, sorted_by(|doc| prices[doc], &ids)),
            by_created: sorted_by(|doc| created[doc], &ids),
            by_length: sorted_by(|doc| lengths[doc], &ids),
            ids,
            prices,
            created,
            lengths,
            titles: Titles::open(reader, &title.words)?,
            title,
            description: Text::open(reader, fields.description)?,
            by_category,
            by_stock,
            category_ids,
            store_ids,
        })
    }

    /// Documents, the deleted ones included.
    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Documents of a category.
    pub(crate) fn category(&self, id: i64) -> Option<Postings<'_>> {
        self.category_ids.binary_search(&id).ok().map(|place| self.by_category.at(place))
    }

    /// Leaves the bits of documents with a price from `least` to `most`. `room` is for as many bits.
    pub(crate) fn keep_priced(&self, least: i64, most: i64, bits: &mut [u64], room: &mut [u64]) {
        let price = |doc: &Doc| self.prices[*doc as usize];
        let from = self.by_price.ascending.partition_point(|doc| price(doc) < least);
        let to = self.by_price.ascending.partition_point(|doc| price(doc) <= most);
        self.by_price.keep_in(from, to.max(from), bits, room);
    }

    /// Documents in stock at a store, or [`ANYWHERE`](super::ANYWHERE).
    pub(crate) fn in_stock(&self, store: i64) -> Option<Postings<'_>> {
        self.store_ids.binary_search(&store).ok().map(|place| self.by_stock.at(place))
    }
}

impl Text {
    fn open(reader: &SegmentReader, field: Field) -> Result<Self, TantivyError> {
        let mut words = Words::default();
        let lists = Lists::open(reader, field, |term| {
            words.push(text(term)?);
            Ok(())
        })?;
        Ok(Self { words: words.finish(), kept: Kept::default(), lists })
    }

    /// Every word that `typed` matches, and how; in no particular order.
    pub(crate) fn matching(&self, typed: &Typed) -> Matches {
        self.kept.matching(&self.words, typed)
    }

    /// The same without the words of which it is a mere part.
    pub(crate) fn meant_by(&self, typed: &Typed) -> Matches {
        self.kept.meant_by(&self.words, typed)
    }

    /// Documents with this word.
    pub(crate) fn postings(&self, word: WordId) -> Postings<'_> {
        self.lists.at(word as usize)
    }
}

impl Titles {
    fn open(reader: &SegmentReader, known: &Words) -> Result<Self, TantivyError> {
        let documents = reader.max_doc();
        let keys = str_column(reader, "key")?;
        let places = whole(keys.ords(), documents);
        let column = str_column(reader, "title")?;
        // The column has a dictionary of its own, without the runs of signs.
        let mut ids = Vec::with_capacity(column.num_terms());
        let mut stream = column.dictionary().stream()?;
        while stream.advance() {
            ids.push(known.find(text(stream.key())?).unwrap_or(WordId::MAX));
        }
        let (mut words, mut starts) = (Vec::new(), Vec::with_capacity(documents as usize + 1));
        for document in 0..documents {
            starts.push(u32::try_from(words.len()).unwrap_or(u32::MAX));
            words.extend(column.term_ords(document).map(|word| ids[word as usize]));
        }
        starts.push(u32::try_from(words.len()).unwrap_or(u32::MAX));
        let places: Vec<u32> = places.into_iter().map(|place| u32::try_from(place).unwrap_or(u32::MAX)).collect();
        let mut alphabetical: Vec<Doc> = (0..documents).collect();
        alphabetical.sort_unstable_by_key(|doc| places[*doc as usize]);
        let ends = |doc: Doc| (starts[doc as usize], starts[doc as usize + 1]);
        let first = |doc: &Doc| (words[ends(*doc).0 as usize], ends(*doc).1 - ends(*doc).0 > 1);
        let has_words = |doc: &Doc| ends(*doc).0 < ends(*doc).1;
        let mut by_first: Vec<Doc> = alphabetical.iter().copied().filter(has_words).collect();
        by_first.sort_by_cached_key(first);
        let mut single = vec![0; documents.div_ceil(64) as usize];
        let singles = starts.windows(2).enumerate().filter(|(_, ends)| ends[1] - ends[0] == 1);
        singles.for_each(|(document, _)| single[document / 64] |= 1 << (document % 64));
        Ok(Self { by_first, places, alphabetical, keys, words, starts, single })
    }

    /// A title's words in their order.
    pub(crate) fn words(&self, document: Doc) -> &[WordId] {
        let document = document as usize;
        &self.words[self.starts[document] as usize..self.starts[document + 1] as usize]
    }

    /// Documents whose titles begin with one of these words.
    pub(crate) fn beginning_with(&self, words: &Range<WordId>) -> &[Doc] {
        let first = |doc: &Doc| self.words(*doc).first().copied().unwrap_or_default();
        let start = self.by_first.partition_point(|doc| first(doc) < words.start);
        let count = self.by_first[start..].partition_point(|doc| first(doc) < words.end);
        &self.by_first[start..start + count]
    }

    /// The same, without those that come after so many `titles` that begin with the same word: the rest of them is
    /// passed over.
    pub(crate) fn first_beginning_with<'s>(
        &'s self,
        words: &Range<WordId>,
        titles: usize,
        is_alive: impl Fn(Doc) -> bool + 's,
    ) -> impl Iterator<Item = Doc> + 's {
        let run_of = |doc: Doc| (self.words(doc)[0], self.words(doc).len() > 1);
        let mut rest = self.beginning_with(words);
        let (mut run, mut last, mut met) = (None, None, 0);
        std::iter::from_fn(move || {
            loop {
                let (doc, others) = rest.split_first()?;
                if run != Some(run_of(*doc)) {
                    (run, last, met) = (Some(run_of(*doc)), None, 0);
                }
                if met > titles {
                    rest = &rest[rest.partition_point(|doc| Some(run_of(*doc)) == run)..];
                    continue;
                }
                rest = others;
                let place = self.places[*doc as usize];
                if is_alive(*doc) {
                    met += usize::from(last.replace(place) != Some(place));
                    return Some(*doc);
                }
            }
        })
    }

    /// Documents whose title is this word and no other.
    pub(crate) fn just(&self, word: WordId) -> &[Doc] {
        let beginning = self.beginning_with(&(word..word + 1));
        &beginning[..beginning.partition_point(|doc| self.words(*doc).len() == 1)]
    }

    /// How many distinct titles there are.
    pub(crate) fn distinct(&self) -> usize {
        self.keys.num_terms()
    }

    /// The title at a place of the alphabetical order, as it is compared and as it is shown.
    pub(crate) fn at(&self, place: u32) -> Result<(String, String), TantivyError> {
        let mut key = String::new();
        self.keys.ord_to_str(u64::from(place), &mut key)?;
        let (plain, title) = key.split_once(KEY_SEPARATOR).unwrap_or_default();
        Ok((plain.to_owned(), title.to_owned()))
    }
}

/// The documents in the order of their values; where these are alike, of their ids.
fn sorted_by<T: Ord>(value: impl Fn(usize) -> T, ids: &[i64]) -> Vec<Doc> {
    let mut keyed: Vec<(T, i64, Doc)> =
        ids.iter().enumerate().zip(0..).map(|((place, id), doc)| (value(place), *id, doc)).collect();
    keyed.sort_unstable();
    keyed.into_iter().map(|(_, _, doc)| doc).collect()
}

/// The lists of a field of ids, and these.
fn by_id(reader: &SegmentReader, field: Field) -> Result<(Vec<i64>, Lists), TantivyError> {
    let mut ids = Vec::new();
    let lists = Lists::open(reader, field, |term| {
        // In the dictionary, numbers are eight bytes that sort as they do.
        let bytes = term.try_into().map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        ids.push(u64_to_i64(u64::from_be_bytes(bytes)));
        Ok(())
    })?;
    Ok((ids, lists))
}

/// Every document's value.
fn whole<T: PartialOrd + Copy + Default + std::fmt::Debug + Send + Sync + 'static>(
    column: &Column<T>,
    documents: u32,
) -> Vec<T> {
    let mut values = vec![T::default(); documents as usize];
    column.clone().first_or_default_col(T::default()).get_range(0, &mut values);
    values
}

fn str_column(reader: &SegmentReader, name: &str) -> Result<StrColumn, TantivyError> {
    let missing = || StrColumn::wrap(tantivy::columnar::BytesColumn::empty(reader.max_doc()));
    Ok(reader.fast_fields().str(name)?.unwrap_or_else(missing))
}

fn text(bytes: &[u8]) -> io::Result<&str> {
    std::str::from_utf8(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}
