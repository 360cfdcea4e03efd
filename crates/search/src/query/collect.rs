//! Counts and sorts a segment's matches.

use std::ops::Range;

use crate::facets::PRICES;
use crate::find::Sort;
use crate::index::{Doc, Facet, Living, Segment, WordId};
use crate::query::cost::Cost;
use crate::query::gather::{Costs, Scratch, is_set};
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
    /// Counts the matches of a segment, and leaves those that pass the filters. `places` says where its categories
    /// stand in the counts.
    pub(crate) fn count(
        &mut self,
        living: &Living,
        matches: &mut Scratch,
        text: &Text,
        sieve: &Sieve,
        places: &[Option<usize>],
    ) {
        let segment = &*living.segment;
        match &mut self.facets {
            Some(counts) if matches!(text, Text::Anything) && sieve.asked().is_empty() => {
                counts.take_all(living, places)
            }
            Some(counts) => counts.take(segment, matches, sieve, places),
            None => {}
        }
        matches.count_them();
        self.count += matches.count;
    }

    /// Shows those of the matches, which have been counted, that may be among the first.
    pub(crate) fn show(&mut self, segment: &Segment, matches: &Scratch, text: &Text, sort: Sort) {
        let (found, top) = (Found { segment, matches }, &mut self.top);
        let price = |doc: Doc| sortable(segment.prices[doc as usize]);
        let created = |doc: Doc| sortable(segment.created[doc as usize]);
        match sort {
            Sort::Relevance => match matches.costs {
                Costs::OneWord(cost) => found.by_length(cost, text, top),
                Costs::Same(cost) => found.by_relevance(|_| cost, text, top),
                Costs::Each | Costs::Unknown => found.by_relevance(|doc| matches.sums[doc as usize], text, top),
            },
            Sort::Price => found.by(segment.by_price.ascending.iter(), top, price, sortable),
            Sort::PriceDescending => found.by(segment.by_price.descending.iter(), top, |doc| !price(doc), sortable),
            Sort::Newest => found.by(segment.by_created.iter().rev(), top, |doc| !created(doc), |id| !sortable(id)),
        }
    }

    /// Whether a match that costs more than this may be among the first by relevance.
    pub(crate) fn may_take_dearer_than(&mut self, cost: u32) -> bool {
        self.top.settle();
        self.top.may_take(SOMETHING_ELSE << 50 | u64::from(cost + 1) << 18)
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
        let categories = segment.category_ids.len();
        let mut by_category = vec![0; categories];
        if will_do.is_none() && !sieve.has_prices() {
            let mut by_facet = vec![0; Facet::count(categories)];
            matches.each(|doc| by_facet[segment.facets[doc as usize].place()] += 1);
            for (category, by_price) in by_category.iter_mut().zip(by_facet.chunks_exact(PRICES.len())) {
                *category = by_price.iter().sum();
                self.prices.iter_mut().zip(by_price).for_each(|(sum, count)| *sum += count);
            }
        } else {
            matches.keep(|doc| {
                let facet = segment.facets[doc];
                let is_category = will_do.as_ref().is_none_or(|will_do| will_do[facet.category()]);
                let is_price = !sieve.has_prices() || sieve.passes(segment.prices[doc]);
                self.prices[facet.price_range()] += i64::from(is_category);
                by_category[facet.category()] += i64::from(is_price);
                is_category && is_price
            });
        }
        self.add_categories(&by_category, places);
    }
}

/// A segment's matches that passed.
struct Found<'f> {
    segment: &'f Segment,
    matches: &'f Scratch,
}

impl Found<'_> {
    /// Shows what may be among the first when sorted by this, then by id. `ordered` has all documents in that order.
    fn by<'d>(
        &self,
        ordered: impl Iterator<Item = &'d Doc>,
        top: &mut Top,
        sorted_by: impl Fn(Doc) -> u64,
        tie: impl Fn(i64) -> u64,
    ) {
        let id = |doc: Doc| tie(self.segment.ids[doc as usize]);
        if !self.walk(ordered.copied(), top, &sorted_by, id) {
            self.scan(top, sorted_by, id);
        }
    }

    /// By relevance, where all cost the same: then the length of the title decides, unless it is the query.
    fn by_length(&self, cost: u32, text: &Text, top: &mut Top) {
        let segment = self.segment;
        let asked = if cost <= Cost::HELD.number() { Asked::new(segment, text) } else { None };
        let is_single = |doc: Doc| is_set(&segment.titles.single, doc);
        let held = |doc: Doc| asked.as_ref().filter(|_| is_single(doc)).map_or(Held::No, |asked| asked.held_by(doc));
        let rank = |doc: Doc| held(doc).rank(cost, segment.lengths[doc as usize]);
        let id = |doc: Doc| sortable(segment.ids[doc as usize]);
        let others = segment.by_length.iter().copied().filter(|doc| held(*doc) == Held::No);
        if !self.walk(others, top, rank, id) {
            return self.scan(top, rank, id);
        }
        // What is met last may be the query itself.
        let word = asked.as_ref().and_then(|asked| asked.last);
        let whole = word.map_or(&[][..], |word| segment.titles.just(word));
        let matching = whole.iter().filter(|doc| is_set(&self.matches.matched, **doc));
        matching.for_each(|doc| top.show((rank(*doc), id(*doc))));
    }

    fn scan(&self, top: &mut Top, sorted_by: impl Fn(Doc) -> u64, id: impl Fn(Doc) -> u64) {
        self.matches.each(|doc| {
            let first = sorted_by(doc);
            if top.may_take(first) {
                top.show((first, id(doc)));
            }
        });
    }

    /// Shows the first ones in this order, unless more documents have to be passed for them than match: then it would be
    /// quicker to go through these, and nothing is shown.
    fn walk(
        &self,
        ordered: impl Iterator<Item = Doc>,
        top: &mut Top,
        sorted_by: impl Fn(Doc) -> u64,
        id: impl Fn(Doc) -> u64,
    ) -> bool {
        let (room, count) = (top.room(), self.matches.count);
        // As many as are passed if they lie there by chance.
        if room * self.segment.len() >= count * count {
            return false;
        }
        let (mut passed, mut first) = (0, Vec::with_capacity(room.min(count)));
        for doc in ordered {
            passed += 1;
            if is_set(&self.matches.matched, doc) {
                let by = sorted_by(doc);
                if first.len() == room || !top.may_take(by) {
                    break;
                }
                first.push((by, doc));
            } else if passed > count {
                return false;
            }
        }
        first.into_iter().for_each(|(by, doc)| top.show((by, id(doc))));
        true
    }

    fn by_relevance(&self, cost: impl Fn(Doc) -> u32, text: &Text, top: &mut Top) {
        let segment = self.segment;
        let asked = Asked::new(segment, text);
        self.matches.each(|doc| {
            let (cost, length) = (cost(doc), segment.lengths[doc as usize]);
            // A title with the whole query has every word of it as it is, but for the last, which it may go on.
            let asked = asked.as_ref().filter(|_| cost <= Cost::HELD.number());
            // At the best; most of many matches go no further.
            let best = asked.map_or(Held::No, |asked| asked.at_best(doc));
            if !top.may_take(best.rank(cost, length)) {
                return;
            }
            let first = asked.map_or(Held::No, |asked| asked.held_by(doc)).rank(cost, length);
            if top.may_take(first) {
                top.show((first, sortable(segment.ids[doc as usize])));
            }
        });
    }
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
    /// What is sorted by, before the id.
    fn rank(self, cost: u32, length: u16) -> u64 {
        self.is_title() << 50 | u64::from(cost) << 18 | self.is_side_by_side() << 16 | u64::from(length)
    }

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

    /// What [`held_by`](Self::held_by) may give for a title of as many words.
    fn at_best(&self, doc: Doc) -> Held {
        match self.segment.titles.words(doc).len() == self.words.len() + 1 {
            true => Held::Whole,
            false => Held::Beginning,
        }
    }

    fn held_by(&self, doc: Doc) -> Held {
        let titles = &self.segment.titles;
        let title = titles.words(doc);
        let length = self.words.len() + 1;
        if title.len() == length && Some(title[length - 1]) == self.last && title[..length - 1] == self.words {
            let is_whole = titles.at(titles.places[doc as usize]).is_ok_and(|(_, title)| title == self.query);
            return if is_whole { Held::Whole } else { Held::WordByWord };
        }
        // One word is always side by side.
        if length == 1 {
            return Held::No;
        }
        let stands_at =
            |words: &[WordId]| self.beginning.contains(&words[length - 1]) && words[..length - 1] == self.words;
        match title.windows(length).position(stands_at) {
            Some(0) => Held::Beginning,
            Some(_) => Held::SideBySide,
            None => Held::No,
        }
    }
}
