//! `manage seed`: believable data for a new installation, or a great deal of it for a trial of strength.

mod kinds;
mod orders;
mod products;
mod stores;
mod words;

use std::time::Instant;

use ::orders::bulk as history;
use ::products::bulk as catalogue;
use ::stores::bulk as branches;
use accounts::Actor;
use accounts::audit::{self, Action, Object};
use anyhow::Result;
use chrono::{DateTime, Utc};
use clap::Args;
use db::Config;
use db::copy::{BulkTx, Session};
use rand::SeedableRng;
use rand::rngs::SmallRng;

use self::products::{Catalogue, sku};
use crate::progress;
use crate::show::thousands;

/// Seeded skus are this and a number of six digits or more.
const SKU_PREFIX: &str = "SR-";

/// Stores that are made together.
const GROUP: u64 = 64;

/// So many products are worth putting aside the upkeep of an empty catalogue for, during which nobody can read it.
const MANY: u64 = 10_000;

/// Orders that are written together.
const BATCH: u64 = 5_000;

/// What to seed. Running it again adds: numbering goes on where it stopped, so two runs of 600 products make the same
/// products as one of 1,200 (given the same --seed and --categories).
#[derive(Debug, Args)]
pub(crate) struct Seed {
    /// How many products to add
    #[arg(long, default_value_t = 1_200, value_parser = clap::value_parser!(u64).range(0..=100_000_000))]
    products: u64,
    /// How many stores to add
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u64).range(0..=100_000))]
    stores: u64,
    /// How many of the seeded products each of them carries; 300 to 600 when not given
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    assortment: Option<u64>,
    /// How many orders of the past to add, to stores that carry something
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=100_000_000))]
    orders: u64,
    /// How many categories to spread the products over
    #[arg(long, default_value_t = kinds::CATEGORIES as u64, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    categories: u64,
    /// The same seed makes the same rows
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// Do nothing when there are products already
    #[arg(long)]
    if_empty: bool,
}

/// Independent sequences of random numbers.
#[derive(Debug, Clone, Copy)]
enum Stream {
    Words = 1,
    Products,
    Stores,
    Inventory,
    Orders,
}

/// The random numbers of one row, which owe nothing to the rows before it.
fn rng(seed: u64, stream: Stream, number: u64) -> SmallRng {
    let row = (stream as u64) << 56 ^ number;
    SmallRng::seed_from_u64(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ row.wrapping_mul(0xd134_2543_de82_ef95))
}

/// Seeded rows are older than this fixed moment, so that they depend on the seed alone.
fn anchor() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + chrono::TimeDelta::seconds(1_767_225_600)
}

/// Seeds in one transaction, then lets the planner know.
pub(crate) async fn run(config: &Config, seed: &Seed) -> Result<()> {
    let began = Instant::now();
    let mut session = Session::open(config).await?;
    let tx = session.begin().await?;
    catalogue::lock_for_seeding(&tx).await?;
    if seed.if_empty && !catalogue::is_empty(&tx).await? {
        say!("There are products already; nothing seeded.");
        return Ok(());
    }
    let mut aside = Vec::new();
    if seed.products > MANY && catalogue::is_empty(&tx).await? {
        aside = vec![catalogue::suspend_upkeep(&tx).await?, branches::suspend_upkeep(&tx).await?];
    }
    let categories = add_products(&tx, seed).await?;
    let stocked = add_stores(&tx, seed).await?;
    for upkeep in aside {
        upkeep.resume(&tx).await?;
        search::everything_changed(&tx).await?;
    }
    let ordered = add_orders(&tx, seed).await?;
    record(&tx, seed, stocked, ordered).await?;
    tx.commit().await?;
    catalogue::analyze(&session).await?;
    branches::analyze(&session).await?;
    let mut orders = String::new();
    if ordered > 0 {
        history::analyze(&session).await?;
        orders = format!(", and {} orders", thousands(ordered));
    }
    say!(
        "Seeded {} products in {categories} categories, {} stores and {} inventory rows{orders} in {:.1} s.",
        thousands(seed.products),
        thousands(seed.stores),
        thousands(stocked),
        began.elapsed().as_secs_f64()
    );
    Ok(())
}

/// Adds the products; returns how many categories they are in.
async fn add_products(tx: &BulkTx<'_>, seed: &Seed) -> Result<usize> {
    let words = Catalogue::new(seed.seed, seed.categories as usize)?;
    let category_ids = catalogue::ensure_categories(tx, &words.categories).await?;
    let before = catalogue::highest_number(tx, SKU_PREFIX).await?;
    let bar = progress::rows("products", seed.products);
    let mut copy = catalogue::ProductCopy::begin(tx).await?;
    for number in before + 1..=before + seed.products {
        copy.add(&words.product(number, &category_ids)).await?;
        bar.inc(1);
    }
    copy.finish().await?;
    bar.finish_and_clear();
    Ok(category_ids.len())
}

/// Adds the first stores whose names are free, and their stock; returns how many inventory rows there are.
async fn add_stores(tx: &BulkTx<'_>, seed: &Seed) -> Result<u64> {
    let products = catalogue::highest_number(tx, SKU_PREFIX).await?;
    let bar = progress::rows("stores", seed.stores);
    let (mut stocked, mut next, mut missing) = (0, 1, seed.stores);
    while missing > 0 {
        let candidates: Vec<u64> = (next..next + missing.min(GROUP)).collect();
        next += candidates.len() as u64;
        let free = free_stores(tx, seed.seed, &candidates).await?;
        let (numbers, stores): (Vec<u64>, Vec<_>) = free.into_iter().unzip();
        let ids = branches::add_stores(tx, &stores).await?;
        for (&store, &number) in ids.iter().zip(&numbers) {
            stocked += stock(tx, store, &stores::assortment(seed.seed, number, products, seed.assortment)).await?;
        }
        branches::account_for(tx, &ids, "seed", "manage").await?;
        missing -= ids.len() as u64;
        bar.inc(ids.len() as u64);
    }
    bar.finish_and_clear();
    Ok(stocked)
}

/// Adds orders of the past; returns how many.
async fn add_orders(tx: &BulkTx<'_>, seed: &Seed) -> Result<u64> {
    if seed.orders == 0 {
        return Ok(0);
    }
    let shelves = orders::Shelves::new(branches::shelves(tx).await?);
    anyhow::ensure!(!shelves.are_empty(), "no store carries anything that could be ordered");
    let (first, bar) = (history::count(tx).await? + 1, progress::rows("orders", seed.orders));
    let mut numbers = first..first + seed.orders;
    while !numbers.is_empty() {
        let batch: Vec<_> =
            numbers.by_ref().take(BATCH as usize).map(|number| shelves.order(seed.seed, number)).collect();
        history::add_orders(tx, &batch).await?;
        branches::account_for_sales(tx, &orders::sold(&batch), "seed", "manage").await?;
        bar.inc(batch.len() as u64);
    }
    bar.finish_and_clear();
    Ok(seed.orders)
}

/// Tells the audit log of all of it in one line: what is made up has no history of its own.
async fn record(tx: &BulkTx<'_>, seed: &Seed, stocked: u64, ordered: u64) -> Result<()> {
    let added = serde_json::json!({
        "products": seed.products, "stores": seed.stores, "inventory": stocked, "orders": ordered, "seed": seed.seed,
    });
    Ok(audit::record_once(tx, &Actor::program("manage"), Action::Seed, Object::everything(), added).await?)
}

/// Those of the stores with these numbers whose names no store has yet.
async fn free_stores(tx: &BulkTx<'_>, seed: u64, numbers: &[u64]) -> Result<Vec<(u64, branches::NewStore)>> {
    let stores: Vec<_> = numbers.iter().map(|&number| stores::store(seed, number)).collect();
    let names: Vec<String> = stores.iter().map(|store| store.name.clone()).collect();
    let taken = branches::taken_names(tx, &names).await?;
    Ok(numbers.iter().copied().zip(stores).filter(|(_, store)| !taken.contains(&store.name)).collect())
}

/// Puts an assortment into a store, leaving out products that were deleted since; returns how many rows it made.
async fn stock(tx: &BulkTx<'_>, store: i64, assortment: &[(u64, i32)]) -> Result<u64> {
    let skus: Vec<String> = assortment.iter().map(|&(number, _)| sku(number)).collect();
    let products = catalogue::ids_of_skus(tx, &skus).await?;
    let mut copy = branches::InventoryCopy::begin(tx).await?;
    for (product, &(_, quantity)) in products.into_iter().zip(assortment) {
        if let Some(product) = product {
            copy.add(store, product, quantity).await?;
        }
    }
    Ok(copy.finish().await?)
}
