//! Product number n. It depends on n, the seed and the categories alone, so two runs of 600 make the same rows as
//! one of 1,200.

use std::collections::BTreeSet;

use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};
use fake::Fake;
use fake::faker::name::en::LastName;
use products::bulk::NewProduct;
use rand::RngExt;
use rand::rngs::SmallRng;
use rand::seq::SliceRandom;
use rust_decimal::Decimal;

use super::kinds::{self, Kind, Kinds};
use super::{SKU_PREFIX, Stream, anchor, rng};

/// How many brands there are, beside none.
const BRANDS: usize = 80;

/// Everything products are made of.
pub(super) struct Catalogue {
    seed: u64,
    /// Names of the categories, which [`Catalogue::product`] refers to by index.
    pub(super) categories: Vec<String>,
    kinds: Vec<Kind>,
    /// Where each kind begins in its combinations of words.
    starts: Vec<u64>,
    brands: Vec<String>,
    anchor: DateTime<Utc>,
}

impl Catalogue {
    pub(super) fn new(seed: u64, categories: usize) -> Result<Self> {
        let Kinds { categories, mut kinds } = kinds::read(categories)?;
        let rng = &mut rng(seed, Stream::Words, 0);
        kinds.shuffle(rng);
        let mut brands = BTreeSet::new();
        while brands.len() < BRANDS {
            brands.insert(LastName().fake_with_rng::<String, _>(rng));
        }
        let mut brands: Vec<String> = brands.into_iter().chain([String::new()]).collect();
        brands.shuffle(rng);
        let starts = kinds.iter().map(|_| rng.random_range(0..1 << 32)).collect();
        Ok(Self { seed, categories, kinds, starts, brands, anchor: anchor() })
    }

    /// Product `number`, from 1; `category_ids` are those of the categories.
    pub(super) fn product(&self, number: u64, category_ids: &[i64]) -> NewProduct {
        let turn = number - 1;
        let (turn, place) = (turn / self.kinds.len() as u64, turn % self.kinds.len() as u64);
        let kind = &self.kinds[place as usize];
        let choice = self.choose(kind, self.starts[place as usize] + turn);
        let rng = &mut rng(self.seed, Stream::Products, number);
        NewProduct {
            sku: sku(number),
            title: choice.title(kind),
            description: choice.description(kind, rng),
            category_id: category_ids[kind.category],
            price: price(kind, choice.size, rng),
            created_at: self.anchor - TimeDelta::seconds(rng.random_range(0..2 * 365 * 86_400)),
        }
    }

    /// The words of the `nth` product of a kind. Stepping through all combinations by a number that has no divisor in
    /// common with their count meets each once before any comes again, and neighbours look unlike.
    fn choose(&self, kind: &Kind, nth: u64) -> Choice<'_> {
        let lists = [
            kind.sizes.len(),
            kind.style.finishes.len(),
            self.brands.len(),
            kind.style.adjectives.len(),
            kind.materials.len(),
        ];
        let combinations: u64 = lists.iter().map(|&length| length as u64).product();
        let mut rest = nth % combinations * step(combinations) % combinations;
        let [size, finish, brand, adjective, material] = lists.map(|length| {
            let digit = (rest % length as u64) as usize;
            rest /= length as u64;
            digit
        });
        Choice {
            size,
            material: kind.materials[material],
            brand: &self.brands[brand],
            adjective: kind.style.adjectives[adjective],
            finish: kind.style.finishes[finish],
        }
    }
}

struct Choice<'a> {
    size: usize,
    material: &'a str,
    brand: &'a str,
    adjective: &'a str,
    finish: &'a str,
}

impl Choice<'_> {
    fn title(&self, kind: &Kind) -> String {
        let mut title = String::with_capacity(80);
        for word in [self.brand, self.adjective, self.material, kind.name, kind.sizes[self.size]] {
            if !word.is_empty() {
                title.push_str(word);
                title.push(' ');
            }
        }
        title.truncate(title.trim_end().len());
        if !self.finish.is_empty() {
            title.push_str(", ");
            title.push_str(self.finish);
        }
        title
    }

    fn description(&self, kind: &Kind, rng: &mut SmallRng) -> String {
        let features = kind.style.features;
        let first = rng.random_range(0..features.len());
        let second = (first + rng.random_range(1..features.len())) % features.len();
        let by = if self.brand.is_empty() { "" } else { " by " };
        let (name, size) = (inside_sentence(kind.name), kind.sizes[self.size]);
        format!("{} {name}{by}{}, {size}. {} {}", self.material, self.brand, features[first], features[second])
    }
}

/// In lower case, except for words such as LED.
fn inside_sentence(name: &str) -> String {
    let word = |word: &str| match word.chars().nth(1) {
        Some(second) if second.is_uppercase() => word.to_owned(),
        _ => word.to_lowercase(),
    };
    name.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// About 0.618 of `combinations`, with no divisor in common.
fn step(combinations: u64) -> u64 {
    let mut step = combinations * 618 / 1000 + 1;
    while gcd(step, combinations) != 1 {
        step += 1;
    }
    step
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Rises with the size, varies with the maker by a fifth, and ends as prices do.
fn price(kind: &Kind, size: usize, rng: &mut SmallRng) -> Decimal {
    let (low, high) = (kind.low * 100, kind.high * 100);
    let span = (high - low) / kind.sizes.len() as i64;
    let plain = low + span * size as i64 + rng.random_range(0..=span);
    let cents = plain * rng.random_range(90..=115) / 100;
    let ending = [99, 99, 95, 90, 50, 49, 0][rng.random_range(0..7)];
    Decimal::new((cents / 100 * 100 + ending).max(49), 2)
}

pub(super) fn sku(number: u64) -> String {
    format!("{SKU_PREFIX}{number:06}")
}
