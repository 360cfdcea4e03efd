//! The stem of an English word: what its forms have in common (mug and mugs, battery and batteries).

use std::borrow::Cow;
use std::sync::LazyLock;

use frostem::{Algorithm, Stemmer};

/// Words under this length have no other forms that could be told from other words.
const SHORTEST: usize = 3;
/// Longer than any English word.
const LONGEST: usize = 32;

static ENGLISH: LazyLock<Stemmer> = LazyLock::new(|| Stemmer::new(Algorithm::English));

/// The stem of a folded word, by the Snowball rules for English; none of what cannot be an English word.
pub(crate) fn stem(word: &str) -> Option<Cow<'_, str>> {
    let is_english = (SHORTEST..=LONGEST).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_lowercase());
    is_english.then(|| ENGLISH.stem(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_a_word_have_one_stem() {
        for (one, other) in [("mug", "mugs"), ("battery", "batteries"), ("insulated", "insulating"), ("box", "boxes")] {
            assert_eq!(stem(one), stem(other), "{one} {other}");
        }
        assert_ne!(stem("milk"), stem("silk"));
        for word in ["as", "1980s", "crème", "", &"a".repeat(33)] {
            assert_eq!(stem(word), None, "{word}");
        }
    }
}
