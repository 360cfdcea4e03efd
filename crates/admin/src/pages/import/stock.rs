//! Stock by file: what was counted, by the store's name and the sku.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};

use stores::inventory;
use stores::stock::{self, AdjustError, Adjustment, Wish};

use super::table::Line;
use super::{Fate, Row};
use crate::desk::Desk;
use crate::trouble::Trouble;

pub(super) const COLUMNS: [&str; 3] = ["store", "sku", "quantity"];

/// Products whose stock is adjusted at once.
const AT_ONCE: usize = 500;

/// What is done about one row: the store's id, and the adjustment.
pub(super) type Work = (i64, Adjustment);

/// What becomes of each row. Of those about one product in one store the first counts.
///
/// # Errors
/// Those of the database.
pub(super) async fn plan(desk: &Desk, lines: &[Line]) -> Result<Vec<(Row, Option<Work>)>, Trouble> {
    let conn = desk.connection().await?;
    let mut names: Vec<&str> = lines.iter().map(|line| line.get("store")).collect();
    names.sort_unstable();
    names.dedup();
    let called = stores::called(&conn, &names).await?;
    let skus: Vec<&str> = lines.iter().map(|line| line.get("sku")).collect();
    let known = products::with_skus(&conn, &skus).await?;
    let known: HashMap<String, i64> =
        known.into_iter().filter_map(|product| Some((product.sku?, product.id))).collect();
    let ids: Vec<i64> = known.values().copied().collect();
    let mut carried: HashMap<i64, HashMap<i64, i32>> = HashMap::new();
    let mut seen = HashSet::new();
    let mut planned = Vec::new();
    for line in lines {
        let (name, sku) = (line.get("store"), line.get("sku"));
        let row = |fate| Row { line: line.number, about: format!("{sku} at {name}"), fate };
        let (store, product, quantity) = match understood(line, &called, &known) {
            Ok(understood) => understood,
            Err(words) => {
                planned.push((row(Fate::Wrong(words)), None));
                continue;
            }
        };
        if !seen.insert((store, product)) {
            planned
                .push((row(Fate::Wrong("An earlier row is about the same product in the same store.".into())), None));
            continue;
        }
        let here = match carried.entry(store) {
            Entry::Occupied(here) => here.into_mut(),
            Entry::Vacant(here) => here.insert(inventory::quantities(&conn, store, &ids).await?),
        };
        let before = here.get(&product).copied();
        let fate = match before {
            None => Fate::New(format!("not carried so far, {quantity} from now on")),
            Some(before) if before == quantity => Fate::Same,
            Some(before) => Fate::Changes(vec![("quantity", before.to_string(), quantity.to_string())]),
        };
        let wish = Wish::Set { quantity, expected: before.unwrap_or_default() };
        let work = (fate != Fate::Same).then_some((store, Adjustment { product_id: product, wish }));
        planned.push((row(fate), work));
    }
    Ok(planned)
}

/// Ids of store and product, and the quantity; or everything that is wrong.
fn understood(
    line: &Line,
    stores: &HashMap<String, Vec<i64>>,
    products: &HashMap<String, i64>,
) -> Result<(i64, i64, i32), String> {
    if let Some(words) = &line.wrong {
        return Err(words.clone());
    }
    let (name, sku, quantity) = (line.get("store"), line.get("sku"), line.get("quantity"));
    let store = match stores.get(name).map(Vec::as_slice) {
        Some([id]) => Ok(*id),
        Some(several) => Err(format!("{} stores are called {name}.", several.len())),
        None => Err(format!("No store is called {name}.")),
    };
    let product = products.get(sku).copied().ok_or_else(|| format!("No product has the sku {sku}."));
    let most = stores::bulk::MAX_QUANTITY;
    let quantity = quantity.parse::<i32>().ok().filter(|quantity| (0..=most).contains(quantity));
    let quantity = quantity.ok_or_else(|| format!("quantity: Must be an integer from 0 to {most}."));
    match (store, product, quantity) {
        (Ok(store), Ok(product), Ok(quantity)) => Ok((store, product, quantity)),
        (store, product, quantity) => {
            Err([store.err(), product.err(), quantity.err()].into_iter().flatten().collect::<Vec<_>>().join(" "))
        }
    }
}

/// Sets what was counted in one transaction, if all of it is still what the preview knew.
///
/// # Errors
/// Those of the database.
pub(super) async fn carry_out(desk: &Desk, work: Vec<Work>) -> Result<bool, Trouble> {
    // In the order in which everybody locks stock.
    let mut by_store: BTreeMap<i64, Vec<Adjustment>> = BTreeMap::new();
    for (store, adjustment) in work {
        by_store.entry(store).or_default().push(adjustment);
    }
    let (actor, now) = (desk.actor(), desk.now()?);
    let done = desk
        .database()?
        .transaction(move |tx| {
            Box::pin(async move {
                for (store, mut adjustments) in by_store {
                    adjustments.sort_by_key(|adjustment| adjustment.product_id);
                    for some in adjustments.chunks(AT_ONCE) {
                        stock::adjust(tx, &actor, store, some, "import", now).await?;
                    }
                }
                Ok::<_, AdjustError>(())
            })
        })
        .await;
    match done {
        Ok(()) => Ok(true),
        Err(AdjustError::Database(error)) => Err(error.into()),
        Err(_) => Ok(false),
    }
}
