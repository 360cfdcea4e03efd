//! How close a typed word is to a word of the catalogue.

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
    letters: Vec<char>,
    /// Whether it may go on: nobody has typed past it yet.
    open: bool,
    /// Typing errors that are forgiven.
    forgiven: usize,
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
        Self { text: text.to_owned(), letters, open, forgiven }
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
        match self.errors(word) {
            Some(0 | 1) => Some(Closeness::OneError),
            Some(_) => Some(Closeness::TwoErrors),
            None if self.letters.len() >= INSIDE_FROM && word.contains(&self.text) => Some(Closeness::Inside),
            None => None,
        }
    }

    fn is_form_of(&self, word: &str) -> bool {
        matches!((stem(&self.text), stem(word)), (Some(one), Some(other)) if one == other)
    }

    /// Typing errors that lie between this and `word`, if they are forgiven.
    fn errors(&self, word: &str) -> Option<usize> {
        let (typed, most) = (self.letters.as_slice(), self.forgiven);
        if most == 0 || (typed.len() < TWO_ERRORS_FROM && word.chars().next() != typed.first().copied()) {
            return None;
        }
        let mut letters = word.chars();
        let start: Vec<char> = letters.by_ref().take(typed.len() + most).collect();
        let is_whole = letters.next().is_none();
        if start.len() + most < typed.len() || !(is_whole || self.open) {
            return None;
        }
        let table = Table::between(typed, &start);
        let whole = is_whole.then(|| table.errors());
        let beginning = self.open.then(|| table.errors_to_a_beginning(typed, &start)).flatten();
        whole.into_iter().chain(beginning).min().filter(|errors| *errors <= most)
    }
}

/// Errors between every beginning of one word and every beginning of another (optimal string alignment distance).
struct Table {
    cells: Vec<usize>,
    width: usize,
    height: usize,
}

impl Table {
    fn between(typed: &[char], word: &[char]) -> Self {
        let (height, width) = (typed.len() + 1, word.len() + 1);
        let mut table = Self { cells: vec![0; width * height], width, height };
        for row in 0..height {
            for column in 0..width {
                table.cells[row * width + column] = table.cell(typed, word, row, column);
            }
        }
        table
    }

    fn at(&self, row: usize, column: usize) -> usize {
        self.cells[row * self.width + column]
    }

    fn cell(&self, typed: &[char], word: &[char], row: usize, column: usize) -> usize {
        if row == 0 || column == 0 {
            return row + column;
        }
        let (too_many, too_few) = (self.at(row - 1, column) + 1, self.at(row, column - 1) + 1);
        let other = self.at(row - 1, column - 1) + usize::from(typed[row - 1] != word[column - 1]);
        let swapped = self.swapped(typed, word, row, column).unwrap_or(usize::MAX);
        too_many.min(too_few).min(other).min(swapped)
    }

    /// When the last two letters are each other's swapped.
    fn swapped(&self, typed: &[char], word: &[char], row: usize, column: usize) -> Option<usize> {
        let swapped = row > 1 && column > 1 && typed[row - 1] == word[column - 2] && typed[row - 2] == word[column - 1];
        swapped.then(|| self.at(row - 2, column - 2) + 1)
    }

    fn errors(&self) -> usize {
        self.at(self.height - 1, self.width - 1)
    }

    /// Errors to the nearest beginning of the word, the last letter typed being right, or swapped with the one before.
    fn errors_to_a_beginning(&self, typed: &[char], word: &[char]) -> Option<usize> {
        let row = self.height - 1;
        (1..self.width)
            .filter_map(|column| {
                let right = (typed[row - 1] == word[column - 1]).then(|| self.at(row - 1, column - 1));
                right.into_iter().chain(self.swapped(typed, word, row, column)).min()
            })
            .min()
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
