//! How close a typed word is to a word of the catalogue.

use std::borrow::Cow;

use crate::stem::stem;

/// The letters from which a word forgives one typing error, and two.
const ONE_ERROR_FROM: usize = 4;
const TWO_ERRORS_FROM: usize = 8;
/// The letters from which a word may lie inside another.
const INSIDE_FROM: usize = 3;
/// Words over this length are taken as typed: comparing letter by letter costs the square of the length.
const LONGEST_FORGIVEN: usize = 64;

/// In which way a typed word matches, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Closeness {
    /// It is the word.
    Exact,
    /// It is another form of the word: their stems are one.
    Form,
    /// The word begins with it.
    Prefix,
    /// With one typing error.
    OneError,
    /// With two typing errors.
    TwoErrors,
    /// It is a part of the word, wherever.
    Inside,
}

/// A word that somebody typed.
#[derive(Debug, Clone)]
pub(crate) struct Typed {
    text: String,
    stem: Option<String>,
    letters: Vec<char>,
    places: Places,
    /// Whether it may go on: nobody has typed past it yet.
    open: bool,
    /// Typing errors that are forgiven.
    forgiven: u32,
}

impl Typed {
    /// From a folded word. `open` for the last one.
    pub(crate) fn new(text: &str, open: bool) -> Self {
        let letters: Vec<char> = text.chars().collect();
        // 1930 is not a misspelt 1980.
        let exact_only = letters.len() > LONGEST_FORGIVEN || letters.iter().any(|letter| letter.is_numeric());
        let forgiven = match letters.len() {
            _ if exact_only => 0,
            TWO_ERRORS_FROM.. => 2,
            ONE_ERROR_FROM.. => 1,
            _ => 0,
        };
        let stem = stem(text).map(Cow::into_owned);
        let places = Places::new(if exact_only { &[] } else { &letters });
        Self { text: text.to_owned(), stem, letters, places, open, forgiven }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// In which way it matches `word`, if in any.
    ///
    /// - It is the word, or another form of it, as far as English stems tell; or, while open, the word begins with it.
    /// - It is the word but for a typing error, from 4 letters, or two, from 8. An error is a letter too many, too few
    ///   or another, or two neighbours swapped. Words under 8 letters begin with the right letter, and words with
    ///   digits are taken as typed. While open, what it errs from may be the beginning of the word; the error then
    ///   lies before its last letter, as it could not be told from a letter still to come.
    /// - It lies within the word, from 3 letters.
    pub(crate) fn closeness(&self, word: &str) -> Option<Closeness> {
        if word == self.text {
            return Some(Closeness::Exact);
        }
        if self.is_form_of(word) {
            return Some(Closeness::Form);
        }
        if self.open && word.starts_with(&self.text) {
            return Some(Closeness::Prefix);
        }
        let inside = || (self.may_lie_inside() && word.contains(&self.text)).then_some(Closeness::Inside);
        self.closeness_with_errors(word).or_else(inside)
    }

    /// What its forms have in common, where it may have some.
    pub(crate) fn stem(&self) -> Option<&str> {
        self.stem.as_deref()
    }

    /// Whether `word` has the same stem.
    pub(crate) fn is_form_of(&self, word: &str) -> bool {
        self.stem.is_some() && self.stem() == stem(word).as_deref()
    }

    /// In which way it matches `word`, which is neither it, nor a form of it, nor begins with it, with typing errors.
    pub(crate) fn closeness_with_errors(&self, word: &str) -> Option<Closeness> {
        let most = usize::try_from(self.forgiven()?).ok()?;
        if self.certain_first_letter().is_some_and(|first| !word.starts_with(first)) {
            return None;
        }
        match self.errors(word, most)? {
            0 | 1 => Some(Closeness::OneError),
            _ => Some(Closeness::TwoErrors),
        }
    }

    /// Its letters.
    pub(crate) fn length(&self) -> usize {
        self.letters.len()
    }

    /// How many typing errors are forgiven, if any.
    pub(crate) fn forgiven(&self) -> Option<u32> {
        (self.forgiven > 0).then_some(self.forgiven)
    }

    /// The letter that words must begin with to match with errors, for short words.
    pub(crate) fn certain_first_letter(&self) -> Option<char> {
        self.letters.first().copied().filter(|_| self.letters.len() < TWO_ERRORS_FROM)
    }

    /// Whether it is found within words.
    pub(crate) fn may_lie_inside(&self) -> bool {
        self.letters.len() >= INSIDE_FROM
    }

    /// Whether words that only begin with it match.
    pub(crate) fn is_open(&self) -> bool {
        self.open
    }

    /// Typing errors that lie between this and `word`, if there are at most `most`.
    ///
    /// The distance is that of optimal string alignment, taken letter by letter of `word`.
    fn errors(&self, word: &str, most: usize) -> Option<usize> {
        let last = self.letters.len();
        let mut column = Column::new(last);
        let (mut nearest, mut length) = (usize::MAX, 0);
        for letter in word.chars() {
            length += 1;
            if length > last + most {
                // It cannot be the whole word any more, only its beginning.
                return (nearest <= most).then_some(nearest);
            }
            let here = self.places.of(letter);
            if self.open {
                nearest = nearest.min(column.ending_right(here));
            }
            column.advance(here);
        }
        Some(nearest.min(column.distances[0])).filter(|errors| *errors <= most)
    }
}

/// Where each letter stands in what was typed: a bit for each place.
#[derive(Debug, Clone)]
struct Places {
    of_latin: [u64; 26],
    of_others: Vec<(char, u64)>,
}

impl Places {
    fn new(letters: &[char]) -> Self {
        let mut places = Self { of_latin: [0; 26], of_others: Vec::new() };
        for (place, letter) in letters.iter().enumerate() {
            match letter {
                'a'..='z' => places.of_latin[*letter as usize - 'a' as usize] |= 1 << place,
                _ => places.of_others.push((*letter, 1 << place)),
            }
        }
        places
    }

    fn of(&self, letter: char) -> u64 {
        match letter {
            'a'..='z' => self.of_latin[letter as usize - 'a' as usize],
            _ => {
                self.of_others.iter().filter(|(other, _)| *other == letter).fold(0, |places, (_, place)| places | place)
            }
        }
    }
}

/// A column of the table of distances: those from the word so far to every beginning of what was typed. As neighbours
/// differ by one at most, it is two bits for each, and a step is a few operations on all of them at once (after Hyyrö,
/// "A bit-vector algorithm for computing Levenshtein and Damerau edit distances").
struct Column {
    /// The place of the last letter typed.
    last: usize,
    /// The distances to all that was typed, to all but its last letter, and to all but its last two.
    distances: [usize; 3],
    /// The last of these a letter before.
    earlier: usize,
    /// Where the distance is one more, and one less, than to the beginning that is a letter shorter.
    more: u64,
    less: u64,
    /// Where the distance is that of a letter less on both sides.
    diagonal: u64,
    /// Where the letter before stands in what was typed.
    before: u64,
}

impl Column {
    fn new(typed: usize) -> Self {
        let distances = [typed, typed - 1, typed - 2];
        Self { last: typed - 1, distances, earlier: usize::MAX, more: u64::MAX, less: 0, diagonal: 0, before: 0 }
    }

    /// Takes the next letter of the word, which stands `here` in what was typed.
    fn advance(&mut self, here: u64) {
        let swapped = ((!self.diagonal & here) << 1) & self.before;
        let carried = (here & self.more).wrapping_add(self.more) ^ self.more;
        self.diagonal = carried | here | self.less | swapped;
        let more = self.less | !(self.diagonal | self.more);
        let less = self.diagonal & self.more;
        self.earlier = self.distances[2];
        for (place, distance) in (0..).zip(&mut self.distances) {
            let bit = self.last - place;
            *distance = *distance + (more >> bit & 1) as usize - (less >> bit & 1) as usize;
        }
        let (more, less) = (more << 1 | 1, less << 1);
        self.more = less | !(self.diagonal | more);
        self.less = more & self.diagonal;
        self.before = here;
    }

    /// Errors if the word ended with the next letter, which stands `here`, and that were the last letter typed, or
    /// swapped with the one before.
    fn ending_right(&self, here: u64) -> usize {
        let right = if here >> self.last & 1 == 1 { self.distances[1] } else { usize::MAX };
        let is_swapped = here >> (self.last - 1) & 1 == 1 && self.before >> self.last & 1 == 1;
        let swapped = if is_swapped { self.earlier.saturating_add(1) } else { usize::MAX };
        right.min(swapped)
    }
}

#[cfg(test)]
mod tests {
    use super::Closeness::{Exact, Form, Inside, OneError, Prefix, TwoErrors};
    use super::*;

    #[test]
    fn a_word_matches_in_six_ways() {
        for (typed, open, word, wanted) in [
            ("milk", false, "milk", Some(Exact)),
            ("mil", true, "milk", Some(Prefix)),
            ("mi", false, "milk", None),
            ("mil", false, "milk", Some(Inside)),
            ("ilk", false, "milk", Some(Inside)),
            ("il", true, "milk", None),
            // Another form.
            ("mugs", false, "mug", Some(Form)),
            ("mug", true, "mugs", Some(Form)),
            ("battery", false, "batteries", Some(Form)),
            ("insulating", false, "insulated", Some(Form)),
            ("as", false, "a", None),
            // One error from four letters: another, too few, too many, swapped.
            ("mulk", false, "milk", Some(OneError)),
            ("mlik", false, "milk", Some(OneError)),
            ("millk", false, "milk", Some(OneError)),
            ("chese", false, "cheese", Some(OneError)),
            ("mlk", false, "milk", None),
            ("tae", false, "tea", None),
            ("mukl", false, "milk", None),
            // Not in the first letter of short words.
            ("nilk", false, "milk", None),
            ("imlk", false, "milk", None),
            ("ilkm", false, "milk", None),
            // Two errors from eight letters, the first one too.
            ("chocolte", false, "chocolate", Some(OneError)),
            ("chcolat", false, "chocolate", None),
            ("chocalte", false, "chocolate", Some(TwoErrors)),
            ("xhocolate", false, "chocolate", Some(OneError)),
            ("xhcoolate", false, "chocolate", Some(TwoErrors)),
            ("xhcoolatr", false, "chocolate", None),
            // An open word may err from a beginning, but not in its last letter.
            ("chcoo", true, "chocolate", Some(OneError)),
            ("chcoo", false, "chocolate", None),
            ("strabw", true, "strawberry", Some(OneError)),
            ("milk", true, "milano", None),
            ("milk", true, "mild", Some(OneError)),
            // Digits are taken as typed.
            ("1930", false, "1980", None),
            ("1980", false, "1980", Some(Exact)),
            ("straße", true, "straßen", Some(Prefix)),
        ] {
            assert_eq!(Typed::new(typed, open).closeness(word), wanted, "{typed} (open: {open}) and {word}");
        }
    }

    #[test]
    fn a_very_long_word_is_compared_in_no_time() {
        let long = "a".repeat(100_000);
        let word = format!("b{long}");
        assert_eq!(Typed::new(&long, true).closeness(&word), Some(Inside));
        assert_eq!(Typed::new(&word, true).closeness(&long), None);
    }
}
