//! Real titles, and as many more as are wanted, made of their words.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use rand::RngExt;
use rand::rngs::SmallRng;
use tokio::process::Command;

use crate::database::BenchDatabase;
use crate::gateway::beside_us;
use crate::options::Options;

/// Titles that are enough to take words from.
const ENOUGH: usize = 1_000;

/// A product as somebody described it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Described {
    /// Title.
    pub(crate) title: String,
    /// Name of its category.
    pub(crate) category: String,
    /// A word or a sentence.
    pub(crate) description: String,
}

/// Reads the titles: of the catalogue that the run was told, else of `manage seed`. Says which.
pub(crate) async fn read(options: &Options) -> Result<(Vec<Described>, String)> {
    let (titles, from) = match &options.catalogue {
        Some(path) => (from_file(path)?, format!("of {}", path.file_name().unwrap_or_default().display())),
        None => (from_seed().await?, "that `manage seed` makes".into()),
    };
    ensure!(titles.len() >= ENOUGH, "{} titles are too few to make more of", titles.len());
    let note = format!("Titles are made of the words of the {} titles {from}.", titles.len());
    Ok((titles, note))
}

fn from_file(path: &Path) -> Result<Vec<Described>> {
    let mut file = csv::Reader::from_path(path).with_context(|| format!("cannot read {}", path.display()))?;
    let heads = file.headers()?.clone();
    let place = |name: &str| {
        let place = heads.iter().position(|head| head == name);
        place.with_context(|| format!("{} has no column {name}", path.display()))
    };
    let (title, category, description) = (place("title")?, place("category")?, place("description")?);
    let mut titles = Vec::new();
    for row in file.records() {
        let row = row?;
        let field = |place| row.get(place).unwrap_or_default().to_owned();
        titles.push(Described { title: field(title), category: field(category), description: field(description) });
    }
    Ok(titles)
}

async fn from_seed() -> Result<Vec<Described>> {
    let database = BenchDatabase::create("bench_titles").await?;
    let mut seeding = Command::new(beside_us("manage")?);
    seeding.args(["seed", "--products", "50000", "--stores", "0"]).env("DATABASE_URL", database.url());
    ensure!(seeding.output().await?.status.success(), "`manage seed` failed");
    let query = "SELECT title, name, description FROM products JOIN categories ON categories.id = category_id ORDER BY products.id";
    let rows = database.sql().await?.query(query, &[]).await?;
    Ok(rows.iter().map(|row| Described { title: row.get(0), category: row.get(1), description: row.get(2) }).collect())
}

/// A title like the real ones: the beginning of one and the end of another, so that words keep their frequencies,
/// their neighbours and their places.
pub(crate) fn compose(real: &[Described], rng: &mut SmallRng) -> Described {
    let mut draw = || &real[rng.random_range(0..real.len())];
    let (first, second) = (draw(), draw());
    let words = |described: &'_ Described| described.title.split_whitespace().count();
    let head = first.title.split_whitespace().take(words(first).div_ceil(2));
    let tail = second.title.split_whitespace().skip(words(second) / 2);
    Described { title: head.chain(tail).collect::<Vec<_>>().join(" "), ..first.clone() }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn titles_are_made_of_real_beginnings_and_ends() {
        let real = |title: &str| Described { title: title.into(), category: "Tea".into(), description: String::new() };
        let real = [real("Robust Golden Oolong Tea"), real("All-Seasons Salt")];
        let mut rng = SmallRng::seed_from_u64(7);
        let made: Vec<String> = (0..50).map(|_| compose(&real, &mut rng).title).collect();
        assert!(made.iter().any(|title| title == "Robust Golden Salt"), "{made:?}");
        assert!(made.iter().all(|title| title.starts_with("Robust Golden") || title.starts_with("All-Seasons")));
    }
}
