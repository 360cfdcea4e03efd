//! Cuts text into the index's terms.
//!
//! A term is a folded word, or a run of signs: characters between white space that no word takes part in, as they
//! are. So a search for signs alone finds what contains them literally, and words never meet signs.

use tantivy::tokenizer::{Token, TokenStream, Tokenizer};

use crate::fold;

/// What becomes a term.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Words and runs of signs.
    All,
    /// Words alone.
    Words,
}

/// tantivy's view of [`terms`].
#[derive(Debug, Clone)]
pub(crate) struct Terms {
    kind: Kind,
    token: Token,
}

impl Terms {
    pub(crate) fn new(kind: Kind) -> Self {
        Self { kind, token: Token::default() }
    }
}

impl Tokenizer for Terms {
    type TokenStream<'a> = TermStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> TermStream<'a> {
        self.token.reset();
        TermStream { terms: terms(text, self.kind).into_iter(), token: &mut self.token }
    }
}

pub(crate) struct TermStream<'a> {
    terms: std::vec::IntoIter<String>,
    token: &'a mut Token,
}

impl TokenStream for TermStream<'_> {
    fn advance(&mut self) -> bool {
        let Some(term) = self.terms.next() else { return false };
        self.token.text = term;
        self.token.position = self.token.position.wrapping_add(1);
        true
    }

    fn token(&self) -> &Token {
        self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        self.token
    }
}

/// The terms of `text`.
pub(crate) fn terms(text: &str, kind: Kind) -> Vec<String> {
    let mut terms = fold::words(text);
    if kind == Kind::All {
        terms.extend(sign_runs(text));
    }
    terms
}

/// Runs of characters that are neither white space nor part of a word, as they are.
fn sign_runs(text: &str) -> impl Iterator<Item = String> + '_ {
    // Plain words are the rule, and need no second look.
    let has_signs = !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte.is_ascii_whitespace());
    let runs = has_signs.then(|| text.split(|char: char| char.is_whitespace() || fold::is_letter(char)));
    runs.into_iter().flatten().filter(|run| !run.is_empty()).map(str::to_owned)
}

/// Whether a term is a run of signs.
pub(crate) fn is_signs(term: &str) -> bool {
    term.chars().next().is_some_and(|first| !fold::is_letter(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_folded_and_signs_kept_as_they_are() {
        for (text, wanted) in [
            ("Ben & Jerry's, 100%", &["ben", "jerrys", "100", "&", "'", ",", "%"][..]),
            ("C++/C#", &["c", "c", "++/", "#"]),
            ("🥛🥛 Crème® …", &["creme", "🥛🥛", "®", "…"]),
            ("plain words", &["plain", "words"]),
            (" \n", &[]),
        ] {
            assert_eq!(terms(text, Kind::All), wanted, "{text}");
        }
    }
}
