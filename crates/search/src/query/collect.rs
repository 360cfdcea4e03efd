//! Filters, counts and sorts a segment's matches.

use std::ops::Range;

use tantivy::TantivyError;

use crate::facets::PRICES;
use crate::find::Sort;
use crate::index::{Doc, Living, Segment, WordId};
use crate::query::cost::Cost;
use crate::query::gather::Scratch;
use crate::query::sieve::Sieve;
use crate::query::text::Text;
use crate::query::top::{Top, sortable, unsortable};

/// What is known of all segments so far.
pub(crate) struct Collected {
    pub(crate) count: usize,
    pub(crate) top: Top,
    pub(crate) facets: Option<Counts>,
}

/// Counts by category, as places in the view's categories, and by price range.
pub(crate) struct Counts {
    pub(crate) categories: Vec<i64>,
    pub(crate) prices: [i64; PRICES.len()],
}

impl Collected {
    /// Takes in the matches of a segment. `places` says where its categories stand in the counts.
    pub(crate) fn take(
        &mut self,
        living: &Living,
        matches: &mut Scratch,
        text: &Text,
        sort: Sort,
        sieve: &Sieve,
        places: &[Option<usize>],
    ) -> Result<(), TantivyError> {
        let segment = &*living.segment;
        match &mut self.facets {
            Some(counts) if matches!(text, Text::Anything) && sieve.asked().is_empty() => {
                counts.take_all(living, places)
            }
            Some(counts) => counts.take(segment, matches, sieve, places),
            None => sift(segment, matches, sieve)?,
        }
        self.count += matches.count();
        let top = &mut self.top;
        match sort {
            Sort::Relevance => by_relevance(segment, matches, text, top),
            Sort::Price => by(segment, matches, top, |doc| sortable(segment.prices[doc as usize]), sortable),
            Sort::PriceDescending => by(segment, matches, top, |doc| !sortable(segment.prices[doc as usize]), sortable),
            Sort::Newest => {
                by(segment, matches, top, |doc| !sortable(segment.created[doc as usize]), |id| !sortable(id))
            }
        }
        Ok(())
    }
}

/// The id in a place of this order.
pub(crate) fn id_of(sort: Sort, second: u64) -> i64 {
    match sort {
        Sort::Newest => unsortable(!second),
        Sort::Relevance | Sort::Price | Sort::PriceDescending => unsortable(second),
    }
}

impl Counts {
    pub(crate) fn new(categories: usize) -> Self {
        Self { categories: vec![0; categories], prices: [0; PRICES.len()] }
    }

    /// Counts every product.
    fn take_all(&mut self, living: &Living, places: &[Option<usize>]) {
        let totals = living.totals();
        self.add_categories(&totals.categories, places);
        self.prices.iter_mut().zip(&totals.prices).for_each(|(sum, count)| *sum += count);
    }

    fn add_categories(&mut self, counts: &[i64], places: &[Option<usize>]) {
        for (place, count) in places.iter().zip(counts) {
            if let Some(place) = place {
                self.categories[*place] += count;
            }
        }
    }

    /// Counts each facet without its own filter, and leaves the matches that pass both.
    fn take(&mut self, segment: &Segment, matches: &mut Scratch, sieve: &Sieve, places: &[Option<usize>]) {
        let will_do = sieve.categories(segment);
        let mut by_category = vec![0; segment.category_ids.len()];
        matches.keep(|doc| {
            let category = segment.categories[doc] as usize;
            let is_category = will_do.as_ref().is_none_or(|will_do| will_do[category]);
            let is_price = !sieve.has_prices() || sieve.passes(segment.prices[doc]);
            self.prices[usize::from(segment.price_ranges[doc])] += i64::from(is_category);
            by_category[category] += i64::from(is_price);
            is_category && is_price
        });
        self.add_categories(&by_category, places);
    }
}

/// Leaves the matches that pass.
pub(crate) fn sift(segment: &Segment, matches: &mut Scratch, sieve: &Sieve) -> Result<(), TantivyError> {
    if let Some(will_do) = sieve.categories(segment) {
        let ids = segment.category_ids.iter().zip(&will_do).filter(|(_, will_do)| **will_do).map(|(id, _)| *id);
        let lists: Vec<_> = ids.filter_map(|id| segment.category(id).transpose()).collect::<Result<_, _>>()?;
        let listed: usize = lists.iter().map(|list| list.len() as usize).sum();
        match listed < matches.count() {
            true => matches.keep_listed(&lists)?,
            false => matches.keep(|doc| will_do[segment.categories[doc] as usize]),
        }
    }
    if sieve.has_prices() {
        matches.keep(|doc| sieve.passes(segment.prices[doc]));
    }
    Ok(())
}

fn by(segment: &Segment, matches: &Scratch, top: &mut Top, sorted_by: impl Fn(Doc) -> u64, tie: impl Fn(i64) -> u64) {
    matches.each(|doc| {
        let first = sorted_by(doc);
        if top.may_take(first) {
            top.show((first, tie(segment.ids[doc as usize])));
        }
    });
}

fn by_relevance(segment: &Segment, matches: &Scratch, text: &Text, top: &mut Top) {
    let asked = Asked::new(segment, text);
    let words = asked.as_ref().map_or(0, |asked| asked.words.len() + 1);
    matches.each(|doc| {
        let length = u64::from(segment.lengths[doc as usize]);
        // At the best, unless the title is the query. Most of many matches go no further.
        let is_long = !top.may_take(SOMETHING_ELSE << 50 | length);
        if is_long && segment.titles.words(doc).len() != words {
            return;
        }
        let cost = matches.costs[doc as usize];
        // A title with the whole query has every word of it as it is, but for the last, which it may go on.
        let held = if cost <= Cost::HELD.number() {
            asked.as_ref().map_or(Held::No, |asked| asked.held_by(doc))
        } else {
            Held::No
        };
        let first = held.is_title() << 50 | u64::from(cost) << 18 | held.is_side_by_side() << 16 | length;
        if top.may_take(first) {
            top.show((first, sortable(segment.ids[doc as usize])));
        }
    });
}

/// Of a title that is not the query.
const SOMETHING_ELSE: u64 = 2;

/// How a title holds the query, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Held {
    Whole,
    WordByWord,
    Beginning,
    SideBySide,
    No,
}

impl Held {
    fn is_title(self) -> u64 {
        match self {
            Self::Whole => 0,
            Self::WordByWord => 1,
            Self::Beginning | Self::SideBySide | Self::No => SOMETHING_ELSE,
        }
    }

    fn is_side_by_side(self) -> u64 {
        match self {
            Self::Whole | Self::WordByWord | Self::Beginning => 0,
            Self::SideBySide => 1,
            Self::No => 2,
        }
    }
}

/// The query as titles may hold it, if one of this segment can.
struct Asked<'a> {
    segment: &'a Segment,
    query: &'a str,
    /// Every word but the last.
    words: Vec<WordId>,
    /// The last word, where it is one, and what begins with it.
    last: Option<WordId>,
    beginning: Range<WordId>,
}

impl<'a> Asked<'a> {
    fn new(segment: &'a Segment, text: &'a Text) -> Option<Self> {
        let Text::Words { query, whole, .. } = text else { return None };
        let dictionary = &segment.title.words;
        let (last, words) = whole.split_last()?;
        let words = words.iter().map(|word| dictionary.find(word)).collect::<Option<_>>()?;
        Some(Self { segment, query, words, last: dictionary.find(last), beginning: dictionary.beginning_with(last) })
    }

    fn held_by(&self, doc: Doc) -> Held {
        let titles = &self.segment.titles;
        let title = titles.words(doc);
        let length = self.words.len() + 1;
        if title.len() == length && title[..length - 1] == self.words && Some(title[length - 1]) == self.last {
            let is_whole = titles.at(titles.places[doc as usize]).is_ok_and(|(_, title)| title == self.query);
            return if is_whole { Held::Whole } else { Held::WordByWord };
        }
        // One word is always side by side.
        if length == 1 {
            return Held::No;
        }
        let stands_at =
            |words: &[WordId]| words[..length - 1] == self.words && self.beginning.contains(&words[length - 1]);
        match title.windows(length).position(stands_at) {
            Some(0) => Held::Beginning,
            Some(_) => Held::SideBySide,
            None => Held::No,
        }
    }
}
