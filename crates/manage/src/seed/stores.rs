//! Store number n and what it carries. The store depends on n and the seed alone, its stock also on how many
//! products there are.

use chrono::TimeDelta;
use fake::Fake;
use fake::faker::address::en::{BuildingNumber, StreetName};
use rand::RngExt;
use rand::rngs::SmallRng;
use stores::bulk::NewStore;

use super::words::{CITIES, QUARTERS};
use super::{Stream, anchor, rng};

/// A store carries this many products, or all if there are fewer.
const ASSORTMENT: std::ops::RangeInclusive<usize> = 300..=600;

/// Store `number`, from 1. Cities take turns, so that a few stores lie in different ones;
/// no name comes twice.
pub(super) fn store(seed: u64, number: u64) -> NewStore {
    let (cities, quarters) = (CITIES.len() as u64, QUARTERS.len() as u64);
    let turn = number - 1;
    let city = CITIES[((turn * 27 + seed) % cities) as usize];
    let quarter = QUARTERS[((turn / cities + turn % cities * 5 + seed) % quarters) as usize];
    let round = turn / (cities * quarters);
    let rng = &mut rng(seed, Stream::Stores, number);
    let (house, street): (String, String) = (BuildingNumber().fake_with_rng(rng), StreetName().fake_with_rng(rng));
    NewStore {
        name: if round == 0 { format!("{city} {quarter}") } else { format!("{city} {quarter} {}", round + 1) },
        location: format!("{house} {street}, {city}"),
        created_at: anchor() - TimeDelta::days(rng.random_range(2 * 365..8 * 365)),
    }
}

/// What store `number` carries: product numbers up to `products`, ascending, with quantities; `size` of them, or as
/// many as is usual.
pub(super) fn assortment(seed: u64, number: u64, products: u64, size: Option<u64>) -> Vec<(u64, i32)> {
    let rng = &mut rng(seed, Stream::Inventory, number);
    let products = usize::try_from(products).unwrap_or(usize::MAX);
    let usual = rng.random_range(ASSORTMENT);
    let size = size.map_or(usual, |size| usize::try_from(size).unwrap_or(usize::MAX)).min(products);
    let mut numbers = rand::seq::index::sample(rng, products, size).into_vec();
    numbers.sort_unstable();
    numbers.into_iter().map(|number| (number as u64 + 1, quantity(rng))).collect()
}

/// Of twenty shelves one is empty, two are nearly so, and one is a pallet.
fn quantity(rng: &mut SmallRng) -> i32 {
    match rng.random_range(0..20) {
        0 => 0,
        1 | 2 => rng.random_range(1..=5),
        3 => rng.random_range(250..=2_000),
        _ => rng.random_range(6..=240),
    }
}
