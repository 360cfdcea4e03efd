//! What people type, drawn with a fixed seed from the words of the catalogue.

use std::collections::{HashMap, HashSet};

use rand::rngs::SmallRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};

use super::titles::Described;

/// Queries of each kind. None needs escaping but for the space, which stands as `+`.
pub(crate) struct Words {
    /// Words that very many titles hold.
    pub(crate) broad: Vec<String>,
    /// Such words, each with a category in which a title holds it as a parameter behind it.
    pub(crate) in_category: Vec<String>,
    /// Two neighbours of a title.
    pub(crate) pairs: Vec<String>,
    /// Beginnings of words, of three to five letters.
    pub(crate) prefixes: Vec<String>,
    /// Words with one letter wrong, missing, too many or swapped with its neighbour; never the first.
    pub(crate) typos: Vec<String>,
    /// Beginnings of titles, no two alike.
    pub(crate) beginnings: Vec<String>,
}

/// Different queries of a kind.
const VARIETY: usize = 500;

/// Broad words: the most frequent ones.
const BROAD: usize = 40;

impl Words {
    /// Draws from these titles.
    pub(crate) fn draw(real: &[Described]) -> Self {
        let mut rng = SmallRng::seed_from_u64(3);
        let split: Vec<Vec<String>> = real.iter().map(|real| words(&real.title)).collect();
        let mut frequency: HashMap<&str, usize> = HashMap::new();
        for word in split.iter().flatten().filter(|word| word.len() >= 4) {
            *frequency.entry(word).or_default() += 1;
        }
        let mut known: Vec<(usize, &str)> = frequency.into_iter().map(|(word, count)| (count, word)).collect();
        known.sort_unstable_by(|left, right| right.cmp(left));
        let broad: Vec<String> = known.iter().take(BROAD).map(|(_, word)| (*word).to_owned()).collect();
        let in_category = in_category(&broad, &split, real);
        // Words that at least a few titles hold, rare and frequent ones alike.
        let usual: Vec<&str> = known.iter().filter(|(count, _)| *count >= 5).map(|(_, word)| *word).collect();
        let long: Vec<&str> = usual.iter().copied().filter(|word| word.len() >= 5).collect();

        let mut pairs = Vec::with_capacity(VARIETY);
        while pairs.len() < VARIETY {
            let title = split.choose(&mut rng).map(Vec::as_slice).unwrap_or_default();
            let neighbours: Vec<_> = title.windows(2).filter(|pair| pair.iter().all(|word| word.len() >= 3)).collect();
            pairs.extend(neighbours.choose(&mut rng).map(|pair| pair.join("+")));
        }
        let mut draw = |from: &[&str]| from.choose(&mut rng).map(ToString::to_string).unwrap_or_default();
        let prefixed: Vec<String> = (0..VARIETY).map(|_| draw(&usual)).collect();
        let mistyped: Vec<String> = (0..VARIETY).map(|_| draw(&long)).collect();
        Self {
            broad,
            in_category,
            pairs,
            prefixes: prefixed.iter().map(|word| word[..rng.random_range(3..=5).min(word.len())].to_owned()).collect(),
            typos: mistyped.iter().map(|word| mistype(word, &mut rng)).collect(),
            beginnings: beginnings(&split, &mut rng),
        }
    }
}

/// Broad words of titles drawn at random, with the titles' categories.
fn in_category(broad: &[String], split: &[Vec<String>], real: &[Described]) -> Vec<String> {
    let mut rng = SmallRng::seed_from_u64(4);
    let known: HashSet<&String> = broad.iter().collect();
    let held = split
        .iter()
        .zip(real)
        .filter_map(|(words, real)| Some((words.iter().find(|word| known.contains(word))?, real)));
    let held: Vec<_> = held.collect();
    let drawn = (0..VARIETY).filter_map(|_| held.choose(&mut rng));
    let written = drawn.map(|(word, real)| {
        let category: String = url::form_urlencoded::byte_serialize(real.category.as_bytes()).collect();
        format!("{word}&category={category}")
    });
    written.collect()
}

/// The words of a title that are plain letters, in lower case.
fn words(title: &str) -> Vec<String> {
    let words = title.split_whitespace().filter(|word| word.bytes().all(|byte| byte.is_ascii_alphabetic()));
    words.map(str::to_ascii_lowercase).collect()
}

fn mistype(word: &str, rng: &mut SmallRng) -> String {
    let mut letters: Vec<u8> = word.bytes().collect();
    let place = rng.random_range(1..letters.len());
    let other = b'a' + (letters[place] - b'a' + rng.random_range(1..26)) % 26;
    match rng.random_range(0..4) {
        0 => letters[place] = other,
        1 => letters.insert(place, other),
        2 => _ = letters.remove(place),
        _ if place > 1 => letters.swap(place - 1, place),
        _ => letters[place] = other,
    }
    letters.into_iter().map(char::from).collect()
}

/// Beginnings of titles, of 4 letters and more, shuffled.
fn beginnings(titles: &[Vec<String>], rng: &mut SmallRng) -> Vec<String> {
    let mut seen = HashSet::new();
    for title in titles.iter().map(|words| words.join("+")) {
        seen.extend((4..=title.len()).map(|length| title[..length].to_owned()).filter(|text| !text.ends_with('+')));
    }
    let mut beginnings: Vec<String> = seen.into_iter().collect();
    beginnings.sort_unstable();
    beginnings.shuffle(rng);
    beginnings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_errors_keep_the_first_letter_and_change_the_word() {
        let mut rng = SmallRng::seed_from_u64(1);
        for _ in 0..500 {
            let typo = mistype("oolong", &mut rng);
            assert!(typo.starts_with('o') && (5..=7).contains(&typo.len()), "{typo}");
        }
        assert!((0..50).any(|_| mistype("oolong", &mut rng) != "oolong"));
    }

    #[test]
    fn beginnings_come_once() {
        let titles = [words("Green Tea"), words("Green Tea"), words("100% Green")];
        let mut found = beginnings(&titles, &mut SmallRng::seed_from_u64(1));
        found.sort_unstable();
        assert_eq!(found, ["gree", "green", "green+t", "green+te", "green+tea"]);
    }
}
