//! A dictionary that finds what a typed word may mean.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::ops::Range;

use crate::closeness::{Closeness, Typed};
use crate::stem::stem;

/// Number of a word: its place in alphabetical (byte) order.
pub(crate) type WordId = u32;

/// Distinct words, in byte order, as one text with a line for each.
pub(crate) struct Words {
    lines: String,
    /// Where each word begins in `lines`; one more for the end.
    starts: Vec<u32>,
    /// For each word which letters it has, to pass over most words at a glance.
    letters: Vec<u32>,
    /// The words that have a stem, by the stem's hash.
    stems: Vec<(u32, WordId)>,
}

impl Default for Words {
    fn default() -> Self {
        Self { lines: String::new(), starts: vec![0], letters: Vec::new(), stems: Vec::new() }
    }
}

impl Words {
    /// From words in strictly ascending byte order, none of which holds a line break.
    pub(crate) fn new(words: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let mut new = Self::default();
        for word in words {
            new.push(word.as_ref());
        }
        new.finish()
    }

    /// Adds a word after all others; [`Words::finish`] makes them ready.
    pub(crate) fn push(&mut self, word: &str) {
        if let Some(stem) = stem(word) {
            self.stems.push((hash(&stem), self.end()));
        }
        self.lines.push_str(word);
        self.lines.push('\n');
        self.starts.push(u32::try_from(self.lines.len()).expect("a dictionary of 4 GiB is out of reach"));
        self.letters.push(letters(word));
    }

    pub(crate) fn finish(mut self) -> Self {
        self.stems.sort_unstable();
        self
    }

    pub(crate) fn len(&self) -> usize {
        self.letters.len()
    }

    pub(crate) fn word(&self, id: WordId) -> &str {
        let id = id as usize;
        &self.lines[self.starts[id] as usize..self.starts[id + 1] as usize - 1]
    }

    /// The number of a word, if it is there.
    pub(crate) fn find(&self, word: &str) -> Option<WordId> {
        let id = self.first_from(word);
        (id < self.end() && self.word(id) == word).then_some(id)
    }

    /// Every word that `typed` matches, and how; in no particular order.
    pub(crate) fn matching(&self, typed: &Typed) -> Vec<(WordId, Closeness)> {
        let (mut found, passed) = self.found_and_passed(typed);
        self.holding(typed, &passed, &mut found);
        found
    }

    /// The same without the words of which it is a mere part: those take the longest to find.
    pub(crate) fn meant_by(&self, typed: &Typed) -> Vec<(WordId, Closeness)> {
        self.found_and_passed(typed).0
    }

    fn found_and_passed(&self, typed: &Typed) -> (Vec<(WordId, Closeness)>, Passed) {
        let mut found: Vec<(WordId, Closeness)> = Vec::new();
        let word = self.find(typed.text());
        found.extend(word.map(|id| (id, Closeness::Exact)));
        found.extend(self.forms(typed).filter(|id| Some(*id) != word).map(|id| (id, Closeness::Form)));
        let mut passed = Passed { ids: found.iter().map(|(id, _)| *id).collect(), range: 0..0 };
        if typed.is_open() {
            let beginning = self.beginning_with(typed.text());
            let others = beginning.clone().filter(|id| !passed.has(*id));
            found.extend(others.map(|id| (id, Closeness::Prefix)));
            passed.range = beginning;
        }
        self.with_errors(typed, &passed, &mut found);
        (found, passed)
    }

    /// Words with the stem of `typed`.
    fn forms<'t>(&'t self, typed: &'t Typed) -> impl Iterator<Item = WordId> + 't {
        let hash = typed.stem().map(hash);
        let first = hash.map_or(self.stems.len(), |hash| self.stems.partition_point(|(other, _)| *other < hash));
        let same = self.stems[first..].iter().take_while(move |(other, _)| Some(*other) == hash);
        same.map(|(_, id)| *id).filter(|id| typed.is_form_of(self.word(*id)))
    }

    /// Words that `typed` matches with errors.
    fn with_errors(&self, typed: &Typed, passed: &Passed, found: &mut Vec<(WordId, Closeness)>) {
        let Some(errors) = typed.forgiven() else { return };
        let range = match typed.certain_first_letter() {
            Some(first) => self.beginning_with(first.encode_utf8(&mut [0; 4])),
            None => 0..self.end(),
        };
        let typed_letters = letters(typed.text());
        // Whether more bits are set than there are errors forgiven: cheaper than counting them.
        let drop_one = |bits: u32| bits & bits.wrapping_sub(1);
        let too_many = |bits: u32| if errors == 1 { drop_one(bits) != 0 } else { drop_one(drop_one(bits)) != 0 };
        let unexpected_count = !typed.is_open();
        let start = range.start;
        let candidates = self.letters[range.start as usize..range.end as usize].iter().zip(start..);
        for (letters, id) in candidates {
            // An error takes at most one of the typed letters away; and where the word ends with the typed one, brings
            // at most one that was not typed.
            if too_many(typed_letters & !letters) || (unexpected_count && too_many(letters & !typed_letters)) {
                continue;
            }
            if self.word(id).len() + (errors as usize) < typed.length() || passed.has(id) {
                continue;
            }
            if let Some(closeness) = typed.closeness_with_errors(self.word(id)) {
                found.push((id, closeness));
            }
        }
    }

    /// Words that hold `typed`, and are not found already.
    fn holding(&self, typed: &Typed, passed: &Passed, found: &mut Vec<(WordId, Closeness)>) {
        if !typed.may_lie_inside() {
            return;
        }
        let mut last = None;
        for place in memchr::memmem::find_iter(self.lines.as_bytes(), typed.text()) {
            let id = self.at(place);
            if last != Some(id) && !passed.has(id) && typed.closeness_with_errors(self.word(id)).is_none() {
                found.push((id, Closeness::Inside));
            }
            last = Some(id);
        }
    }

    /// Every word that holds `text`.
    pub(crate) fn all_holding(&self, text: &str) -> Vec<WordId> {
        let places = memchr::memmem::find_iter(self.lines.as_bytes(), text);
        let mut found: Vec<WordId> = places.map(|place| self.at(place)).collect();
        found.dedup();
        found
    }

    /// Every word that ends with `text`.
    pub(crate) fn ending_with(&self, text: &str) -> Vec<WordId> {
        self.all_holding(&format!("{text}\n"))
    }

    /// The words that begin with `text`.
    pub(crate) fn beginning_with(&self, text: &str) -> Range<WordId> {
        let start = self.first_from(text);
        let rest = &self.starts[start as usize..self.starts.len() - 1];
        let count = rest.partition_point(|place| self.lines[*place as usize..].starts_with(text));
        start..start + u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// The first word that is not before `text`.
    fn first_from(&self, text: &str) -> WordId {
        let (mut low, mut high) = (0, self.end());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.word(middle) < text { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// The word at a byte of `lines`.
    fn at(&self, place: usize) -> WordId {
        let next = self.starts.partition_point(|start| *start as usize <= place);
        u32::try_from(next - 1).unwrap_or(u32::MAX)
    }

    fn end(&self) -> WordId {
        u32::try_from(self.len()).unwrap_or(u32::MAX)
    }
}

/// Words that are found already.
struct Passed {
    /// A few.
    ids: Vec<WordId>,
    range: Range<WordId>,
}

impl Passed {
    fn has(&self, id: WordId) -> bool {
        self.range.contains(&id) || self.ids.contains(&id)
    }
}

fn hash(stem: &str) -> u32 {
    let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(stem);
    (hash >> 32) as u32
}

/// A bit for each letter that occurs; letters outside a to z share the rest.
fn letters(word: &str) -> u32 {
    word.chars().fold(0, |bits, char| match char {
        'a'..='z' => bits | 1 << (char as u32 - 'a' as u32),
        other => bits | 1 << (26 + other as u32 % 6),
    })
}
