//! A segment of the index, opened for searching. Never changes; which of its documents are still alive is the
//! [`View`](super::View)'s to know.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use tantivy::columnar::{Column, StrColumn};
use tantivy::index::{InvertedIndexReader, SegmentId, SegmentReader};
use tantivy::postings::TermInfo;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{TantivyError, Term};

use crate::facets::{self, PRICES};
use crate::index::schema::{ANYWHERE, Fields, KEY_SEPARATOR};
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
    /// The documents in each order that results are sorted by, for when so many match that the first are soon met.
    pub(crate) by_price: Vec<Doc>,
    pub(crate) by_created: Vec<Doc>,
    pub(crate) by_length: Vec<Doc>,
    /// The ids of this segment's categories, ascending.
    pub(crate) category_ids: Vec<i64>,
    /// A bit for each document that any store has in stock. They are most, so their list would take long to read.
    pub(crate) in_stock_anywhere: Vec<u64>,
    pub(crate) titles: Titles,
    pub(crate) title: Text,
    pub(crate) description: Text,
    fields: Fields,
    by_category: Arc<InvertedIndexReader>,
    by_stock: Arc<InvertedIndexReader>,
}

/// A text field: its words, and where each of them occurs.
pub(crate) struct Text {
    pub(crate) words: Words,
    terms: Vec<TermInfo>,
    postings: Arc<InvertedIndexReader>,
}

/// The titles themselves.
pub(crate) struct Titles {
    /// For each document its title's place in the alphabetical order of the segment's distinct titles.
    pub(crate) places: Vec<u32>,
    keys: StrColumn,
    /// The documents by the first word of their titles; without those whose titles have none.
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
        let mut category_ids = category.clone();
        category_ids.sort_unstable();
        category_ids.dedup();
        let place = |id: &i64| category_ids.partition_point(|other| other < id);
        let (ids, prices, created) = (numbers("id")?, numbers("price")?, numbers("created")?);
        let lengths = numbers("length")?.into_iter().map(|length| u16::try_from(length).unwrap_or(u16::MAX));
        let lengths: Vec<u16> = lengths.collect();
        let title = Text::open(reader, fields.title)?;
        let by_stock = reader.inverted_index(fields.stock)?;
        let mut in_stock_anywhere = vec![0; documents.div_ceil(64) as usize];
        if let Some(list) = Postings::of(&by_stock, &Term::from_field_i64(fields.stock, ANYWHERE))? {
            list.each_run(|run| run.iter().for_each(|doc| in_stock_anywhere[*doc as usize / 64] |= 1 << (doc % 64)))?;
        }
        Ok(Self {
            segment_id: reader.segment_id(),
            facets: category.iter().zip(&prices).map(|(id, price)| Facet::new(place(id), *price)).collect(),
            by_price: sorted_by(&prices),
            by_created: sorted_by(&created),
            by_length: sorted_by(&lengths),
            ids,
            prices,
            created,
            lengths,
            titles: Titles::open(reader, &title.words)?,
            title,
            description: Text::open(reader, fields.description)?,
            by_category: reader.inverted_index(fields.category)?,
            by_stock,
            in_stock_anywhere,
            category_ids,
            fields,
        })
    }

    /// Documents, the deleted ones included.
    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Documents of a category.
    pub(crate) fn category(&self, id: i64) -> Result<Option<Postings<'_>>, TantivyError> {
        Postings::of(&self.by_category, &Term::from_field_i64(self.fields.category, id))
    }

    /// Documents with a price from `least` to `most`, the cheapest first.
    pub(crate) fn priced(&self, least: i64, most: i64) -> &[Doc] {
        let price = |doc: Doc| self.prices[doc as usize];
        let start = self.by_price.partition_point(|doc| price(*doc) < least);
        let count = self.by_price[start..].partition_point(|doc| price(*doc) <= most);
        &self.by_price[start..start + count]
    }

    /// Documents in stock at a store.
    pub(crate) fn in_stock(&self, store: i64) -> Result<Option<Postings<'_>>, TantivyError> {
        Postings::of(&self.by_stock, &Term::from_field_i64(self.fields.stock, store))
    }
}

/// A list of documents that has not been read yet.
#[derive(Clone, Copy)]
pub(crate) struct Postings<'s> {
    from: &'s InvertedIndexReader,
    list: List<'s>,
}

#[derive(Clone, Copy)]
enum List<'s> {
    Known(&'s TermInfo),
    Found { documents: u32, start: usize, end: usize },
}

impl<'s> Postings<'s> {
    fn of(from: &'s InvertedIndexReader, term: &Term) -> Result<Option<Self>, TantivyError> {
        let info = from.get_term_info(term)?;
        Ok(info.map(|info| {
            let TermInfo { doc_freq: documents, postings_range, .. } = info;
            Self { from, list: List::Found { documents, start: postings_range.start, end: postings_range.end } }
        }))
    }

    /// How many there are, the deleted ones included.
    pub(crate) fn len(&self) -> u32 {
        match self.list {
            List::Known(info) => info.doc_freq,
            List::Found { documents, .. } => documents,
        }
    }

    /// Gives the documents in ascending order, in runs.
    pub(crate) fn each_run(&self, mut give: impl FnMut(&[Doc])) -> Result<(), TantivyError> {
        let found;
        let info = match self.list {
            List::Known(info) => info,
            List::Found { documents, start, end } => {
                found = TermInfo { doc_freq: documents, postings_range: start..end, positions_range: 0..0 };
                &found
            }
        };
        let mut blocks = self.from.read_block_postings_from_terminfo(info, IndexRecordOption::Basic)?;
        while !blocks.docs().is_empty() {
            give(blocks.docs());
            blocks.advance();
        }
        Ok(())
    }
}

impl Text {
    fn open(reader: &SegmentReader, field: Field) -> Result<Self, TantivyError> {
        let postings = reader.inverted_index(field)?;
        let (mut words, mut terms) = (Words::default(), Vec::with_capacity(postings.terms().num_terms()));
        let mut stream = postings.terms().stream()?;
        while let Some((term, info)) = stream.next() {
            words.push(text(term)?);
            terms.push(info.clone());
        }
        drop(stream);
        Ok(Self { words: words.finish(), terms, postings })
    }

    /// Documents with this word.
    pub(crate) fn postings(&self, word: WordId) -> Postings<'_> {
        Postings { from: &self.postings, list: List::Known(&self.terms[word as usize]) }
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
        let places = places.into_iter().map(|place| u32::try_from(place).unwrap_or(u32::MAX)).collect();
        let first = |doc: Doc| words[starts[doc as usize] as usize];
        let has_words = |doc: &Doc| starts[*doc as usize] < starts[*doc as usize + 1];
        let mut by_first: Vec<Doc> = (0..documents).filter(has_words).collect();
        by_first.sort_by_cached_key(|doc| first(*doc));
        let mut single = vec![0; documents.div_ceil(64) as usize];
        let singles = starts.windows(2).enumerate().filter(|(_, ends)| ends[1] - ends[0] == 1);
        singles.for_each(|(document, _)| single[document / 64] |= 1 << (document % 64));
        Ok(Self { by_first, places, keys, words, starts, single })
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

/// The documents in the order of their values.
fn sorted_by<T: Ord + Copy>(values: &[T]) -> Vec<Doc> {
    let mut keyed: Vec<(T, Doc)> = values.iter().copied().zip(0..).collect();
    keyed.sort_unstable();
    keyed.into_iter().map(|(_, doc)| doc).collect()
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
