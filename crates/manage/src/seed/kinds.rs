//! What the seeded catalogue is made of: `kinds.csv`, one line per kind of product.

use anyhow::{Context, Result, anyhow};

use super::words::{LINES, STYLES, Style};

/// A kind of product, such as "Water Bottle" in "Drinkware".
pub(super) struct Kind {
    /// Index into the category names.
    pub(super) category: usize,
    pub(super) style: &'static Style,
    pub(super) name: &'static str,
    pub(super) materials: Vec<&'static str>,
    /// From small to large: the price rises with them.
    pub(super) sizes: Vec<&'static str>,
    /// Price in whole units of a plain one of the smallest size.
    pub(super) low: i64,
    /// Price in whole units of a plain one of the largest size.
    pub(super) high: i64,
}

/// Category names, and the kinds that belong to them.
pub(super) struct Kinds {
    pub(super) categories: Vec<String>,
    pub(super) kinds: Vec<Kind>,
}

/// How many categories `kinds.csv` names.
pub(super) const CATEGORIES: usize = 22;

/// The kinds of the first `wanted` categories. Beyond those of the file, each is repeated as another line of goods:
/// "Kitchen Outlet".
pub(super) fn read(wanted: usize) -> Result<Kinds> {
    let lines = include_str!("kinds.csv").lines().skip(1).map(fields).collect::<Result<Vec<_>>>()?;
    let mut names: Vec<&str> = lines.iter().map(|[category, ..]| *category).collect();
    names.dedup();
    let mut kinds = Vec::new();
    for category in 0..wanted {
        for line in lines.iter().filter(|[name, ..]| *name == names[category % names.len()]) {
            kinds.push(kind(category, line).with_context(|| format!("kinds.csv: {line:?}"))?);
        }
    }
    Ok(Kinds { categories: (0..wanted).map(|number| category_name(&names, number)).collect(), kinds })
}

fn fields(line: &'static str) -> Result<[&'static str; 7]> {
    line.split(',').collect::<Vec<_>>().try_into().map_err(|_| anyhow!("kinds.csv: {line}"))
}

fn kind(category: usize, &[_, style, name, materials, sizes, low, high]: &[&'static str; 7]) -> Result<Kind> {
    let style = STYLES.iter().find(|known| known.name == style).context("unknown style")?;
    let (materials, sizes) = (materials.split('|').collect(), sizes.split('|').collect());
    Ok(Kind { category, style, name, materials, sizes, low: low.parse()?, high: high.parse()? })
}

fn category_name(names: &[&str], number: usize) -> String {
    let (round, name) = (number / names.len(), names[number % names.len()]);
    match round {
        0 => name.to_owned(),
        _ if round <= LINES.len() => format!("{name} {}", LINES[round - 1]),
        _ => format!("{name} {}", round + 1),
    }
}
