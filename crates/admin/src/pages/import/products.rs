//! Products by file: matched by sku; missing categories are made.

use std::collections::{HashMap, HashSet};

use accounts::Actor;
use chrono::{DateTime, Utc};
use db::Tx;
use products::{Error, NewProduct, Product, ProductChange};
use serde_json::json;
use web::{Fault, Place};

use super::table::Line;
use super::{Fate, Row};
use crate::desk::Desk;
use crate::trouble::Trouble;

pub(super) const COLUMNS: [&str; 5] = ["sku", "title", "category", "price", "description"];

/// What is done about one row.
pub(super) struct Work {
    new: NewProduct,
    /// Name of its category.
    category: String,
    /// The product as the preview knew it.
    before: Option<Product>,
}

/// What becomes of each row. Of those with one sku the first counts.
///
/// # Errors
/// Those of the database.
pub(super) async fn plan(desk: &Desk, lines: &[Line]) -> Result<Vec<(Row, Option<Work>)>, Trouble> {
    let conn = desk.connection().await?;
    let skus: Vec<&str> = lines.iter().map(|line| line.get("sku")).collect();
    let known = products::with_skus(&conn, &skus).await?;
    let mut known: HashMap<String, Product> =
        known.into_iter().filter_map(|product| Some((product.sku.clone()?, product))).collect();
    let mut categories: HashMap<String, bool> = HashMap::new();
    let mut seen = HashSet::new();
    let mut planned = Vec::new();
    for line in lines {
        let sku = line.get("sku");
        let about = format!("{sku} {}", line.get("title"));
        let row = |fate| Row { line: line.number, about, fate };
        if !sku.is_empty() && !seen.insert(sku) {
            planned.push((row(Fate::Wrong("sku: an earlier row has the same".into())), None));
            continue;
        }
        let (new, category) = match understood(line) {
            Ok(understood) => understood,
            Err(faults) => {
                planned.push((row(Fate::Wrong(faults)), None));
                continue;
            }
        };
        let exists = match categories.get(&category.to_lowercase()) {
            Some(exists) => *exists,
            None => {
                let exists = products::category_called(&conn, &category).await?.is_some();
                categories.insert(category.to_lowercase(), exists);
                exists
            }
        };
        let before = known.remove(sku);
        let fate = match &before {
            None if exists => Fate::New(format!("new, for {:.2}, in {category}", new.price)),
            None => Fate::New(format!("new, for {:.2}, in a category {category} that is made for it", new.price)),
            Some(before) => changed(before, &new, &category),
        };
        let work = (fate != Fate::Same).then_some(Work { new, category, before });
        planned.push((row(fate), work));
    }
    Ok(planned)
}

/// The row as the API takes a product. Its category, which the API takes by id, is read by itself.
fn understood(line: &Line) -> Result<(NewProduct, String), String> {
    if let Some(words) = &line.wrong {
        return Err(words.clone());
    }
    let body = json!({
        "sku": line.get("sku"),
        "title": line.get("title"),
        "price": line.get("price"),
        "description": line.get("description"),
        "category_id": 0,
    });
    let category = products::read_category(json!({ "name": line.get("category") }));
    match (products::read_new(body), category) {
        (Ok(new), Ok(category)) => Ok((new, category)),
        (new, category) => {
            let of_row = new.err().map(|faults| faults.0).unwrap_or_default();
            let of_category = category.err().map(|faults| faults.0).unwrap_or_default();
            let words = of_row.iter().map(|fault| said(fault, None));
            Err(words
                .chain(of_category.iter().map(|fault| said(fault, Some("category"))))
                .collect::<Vec<_>>()
                .join(" "))
        }
    }
}

fn said(fault: &Fault, column: Option<&str>) -> String {
    let (Place::Pointer(place) | Place::Parameter(place)) = &fault.place;
    format!("{}: {}", column.unwrap_or(place.trim_start_matches('/')), fault.detail)
}

fn changed(before: &Product, new: &NewProduct, category: &str) -> Fate {
    let price = |price| format!("{price:.2}");
    let pairs = [
        ("title", before.title.clone(), new.title.clone()),
        ("price", price(before.price), price(new.price)),
        ("description", before.description.clone(), new.description.clone()),
    ];
    let mut changes: Vec<_> = pairs.into_iter().filter(|(_, old, new)| old != new).collect();
    if before.category.to_lowercase() != category.to_lowercase() {
        changes.push(("category", before.category.clone(), category.to_owned()));
    }
    if changes.is_empty() { Fate::Same } else { Fate::Changes(changes) }
}

/// Makes and changes the products in one transaction, each as if by its form.
///
/// # Errors
/// Those of the database.
pub(super) async fn carry_out(desk: &Desk, mut work: Vec<Work>) -> Result<bool, Trouble> {
    // Everybody locks in this order.
    work.sort_by_key(|work| work.before.as_ref().map(|before| before.id));
    let (actor, now) = (desk.actor(), desk.now()?);
    let done = desk
        .database()?
        .transaction(move |tx| {
            Box::pin(async move {
                let mut categories = HashMap::new();
                for work in work {
                    write(tx, &actor, work, &mut categories, now).await?;
                }
                Ok::<_, Error>(())
            })
        })
        .await;
    match done {
        Ok(()) => Ok(true),
        Err(Error::Database(error)) => Err(error.into()),
        Err(_) => Ok(false),
    }
}

async fn write(
    tx: &mut Tx,
    actor: &Actor,
    work: Work,
    categories: &mut HashMap<String, i64>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let key = work.category.to_lowercase();
    let category_id = match categories.get(&key) {
        Some(id) => *id,
        None => {
            let id = match products::category_called(tx, &work.category).await? {
                Some(id) => id,
                None => products::create_category(tx, actor, &work.category, now).await?.id,
            };
            categories.insert(key, id);
            id
        }
    };
    let new = NewProduct { category_id, ..work.new };
    let Some(before) = work.before else {
        products::create(tx, actor, &new, now).await?;
        return Ok(());
    };
    let change = ProductChange {
        sku: None,
        title: Some(new.title),
        description: Some(new.description),
        price: Some(new.price),
        category_id: Some(category_id),
    };
    products::change(tx, actor, before.id, change, |product| *product == before, now).await?;
    Ok(())
}
