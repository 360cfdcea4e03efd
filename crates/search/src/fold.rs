//! Text as it is compared: without case, accents and trade marks, and cut into words.
//!
//! Each letter is folded by itself, so that a place in the folded text has a place in the original. Folding is:
//! Unicode's compatibility decomposition (NFKD), without the marks that this splits off, in lower case, and a few
//! letters that Unicode does not decompose spelled as people type them (ß as ss, ø as o). `®`, `™`, `©` and `℠` are
//! dropped, and so are apostrophes, within a word: Kellogg's and kelloggs are one word. A word is a run of letters
//! and digits; everything else separates words. ½ is two words, 1 and 2, and apart from a digit before it.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// A word in its folded form, and where in the original each of its characters came from.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Located {
    pub(crate) word: String,
    /// Byte ranges of the original, one for each character of `word`.
    pub(crate) origin: Vec<Range<usize>>,
}

/// The words of `text`, folded, in their order.
pub(crate) fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    for char in text.chars() {
        each_folded(char, |folded| match class(folded) {
            Class::Letter => word.push(folded),
            Class::Silent => {}
            Class::Break if word.is_empty() => {}
            Class::Break => words.push(std::mem::take(&mut word)),
        });
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// The words of `text`, as [`words`] gives them, with their places.
pub(crate) fn located_words(text: &str) -> Vec<Located> {
    let mut words = Vec::new();
    let mut current = Located { word: String::new(), origin: Vec::new() };
    for (start, char) in text.char_indices() {
        let end = start + char.len_utf8();
        // A mark belongs to the letter that it stands on.
        if is_combining_mark(char)
            && let Some(last) = current.origin.last_mut().filter(|last| last.end == start)
        {
            last.end = end;
        }
        each_folded(char, |folded| match class(folded) {
            Class::Letter => {
                current.word.push(folded);
                current.origin.push(start..end);
            }
            Class::Silent => {}
            Class::Break if current.word.is_empty() => {}
            Class::Break => {
                words.push(std::mem::replace(&mut current, Located { word: String::new(), origin: Vec::new() }));
            }
        });
    }
    if !current.word.is_empty() {
        words.push(current);
    }
    words
}

/// `text` folded, with its signs, and one space where there was any white space.
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut space = false;
    for char in text.chars() {
        each_folded(char, |folded| {
            if folded.is_whitespace() {
                space = !plain.is_empty();
            } else {
                if std::mem::take(&mut space) {
                    plain.push(' ');
                }
                plain.push(folded);
            }
        });
    }
    plain
}

/// Whether `char` takes part in a word.
pub(crate) fn is_letter(char: char) -> bool {
    let mut is_letter = false;
    each_folded(char, |folded| is_letter |= matches!(class(folded), Class::Letter));
    is_letter
}

enum Class {
    /// Part of a word.
    Letter,
    /// Neither part of a word nor its end.
    Silent,
    /// Between words.
    Break,
}

fn class(folded: char) -> Class {
    match folded {
        '\'' => Class::Silent,
        letter if letter.is_alphanumeric() => Class::Letter,
        _ => Class::Break,
    }
}

/// Gives the characters that `char` folds to: often itself, sometimes none, sometimes several.
fn each_folded(char: char, mut give: impl FnMut(char)) {
    if char.is_ascii() {
        return give(char.to_ascii_lowercase());
    }
    if matches!(char, '®' | '™' | '©' | '℠') {
        return;
    }
    // 1½ is 1 1/2, not 11/2.
    if matches!(char, '¼'..='¾' | '⅐'..='⅟' | '↉') {
        give(' ');
    }
    for part in std::iter::once(char).nfkd().filter(|part| !is_combining_mark(*part)).flat_map(char::to_lowercase) {
        match part {
            '’' | '‘' | '‛' | 'ʼ' | '′' => give('\''),
            '‐' | '‑' | '‒' | '–' | '—' | '−' => give('-'),
            'ß' => "ss".chars().for_each(&mut give),
            'æ' => "ae".chars().for_each(&mut give),
            'œ' => "oe".chars().for_each(&mut give),
            'ø' => give('o'),
            'đ' | 'ð' => give('d'),
            'ł' => give('l'),
            'ı' => give('i'),
            'þ' => "th".chars().for_each(&mut give),
            'ς' => give('σ'),
            mark if is_combining_mark(mark) => {}
            other => give(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_accents_and_trade_marks_do_not_matter() {
        for (given, wanted) in [
            ("Häagen-Dazs® Crème BRÛLÉE", &["haagen", "dazs", "creme", "brulee"][..]),
            ("Cre\u{300}me", &["creme"]),
            ("Oreo™ Cookies", &["oreo", "cookies"]),
            ("Kellogg's Kellogg’s", &["kelloggs", "kelloggs"]),
            ("Ben & Jerry's, 100% M&M", &["ben", "jerrys", "100", "m", "m"]),
            ("Straße, Smørrebrød, Œuf, ŁÓDŹ", &["strasse", "smorrebrod", "oeuf", "lodz"]),
            ("İstanbul ISTANBUL ıstanbul", &["istanbul", "istanbul", "istanbul"]),
            ("ΟΔΟΣ οδος", &["οδοσ", "οδοσ"]),
            ("ﬁg ½ ｆｕｌｌ", &["fig", "1", "2", "full"]),
            ("1½ cups, ½l, 10 m²", &["1", "1", "2", "cups", "1", "2l", "10", "m2"]),
            ("'' ''' ®™", &[]),
            ("🥛 milk🥛shake", &["milk", "shake"]),
        ] {
            assert_eq!(words(given), wanted, "{given}");
        }
    }

    #[test]
    fn a_search_for_what_was_lower_cased_is_the_same_search() {
        for text in ["ΟΔΟΣ", "İSTANBUL", "STRASSE ẞ", "Ǆ", "ÅNGSTRÖM K", "ﬀ"] {
            assert_eq!(words(&text.to_lowercase()), words(text), "{text}");
            assert_eq!(plain(&text.to_lowercase()), plain(text), "{text}");
        }
    }

    #[test]
    fn every_folded_letter_knows_where_it_came_from() {
        let text = "Cre\u{300}me  Straße®";
        let located = located_words(text);
        let parts: Vec<&str> = located[0].origin.iter().map(|range| &text[range.clone()]).collect();
        assert_eq!(parts, ["C", "r", "e\u{300}", "m", "e"]);
        let parts: Vec<&str> = located[1].origin.iter().map(|range| &text[range.clone()]).collect();
        assert_eq!(parts, ["S", "t", "r", "a", "ß", "ß", "e"]);
    }

    #[test]
    fn plain_text_keeps_its_signs_and_single_spaces() {
        assert_eq!(plain("  Häagen–Dazs®   100%\u{a0}Crème\n"), "haagen-dazs 100% creme");
    }
}
