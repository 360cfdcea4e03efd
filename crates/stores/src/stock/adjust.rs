//! Movements of stock that are no orders: recounts, receipts, damage. Each is a row of the ledger and of the audit log,
//! by the transaction that makes it.

use std::collections::{HashMap, HashSet};

use accounts::Actor;
use accounts::audit::{self, Action, Change, Object};
use chrono::{DateTime, Utc};
use db::{CachedDsl, Tx};
use diesel::sql_types::{Array, BigInt, Integer, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use serde_json::json;

use super::{lock, shift};
use crate::bulk::MAX_QUANTITY;
use crate::inventory::last_adjustments;

/// What to do about the stock of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// Make it `quantity`, provided that it is what whoever counted believes it to be. A product that the store does not
    /// carry counts as 0, and is carried from then on.
    Set {
        /// 0 to [`MAX_QUANTITY`].
        quantity: i32,
        /// What was there when somebody looked.
        expected: i32,
    },
    /// Let units come (positive) or go (negative).
    Shift {
        /// How many.
        delta: i32,
        /// The number of the adjustment that was the latest when somebody looked, 0 for none; refused where another came
        /// since. So what is sent twice is done once, and sales are in nobody's way.
        after: Option<i64>,
    },
}

/// A product, and what to do about its stock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Adjustment {
    /// Id of the product.
    pub product_id: i64,
    /// What to do.
    pub wish: Wish,
}

impl Adjustment {
    fn after(&self) -> Option<i64> {
        match self.wish {
            Wish::Shift { after, .. } => after,
            Wish::Set { .. } => None,
        }
    }
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Adjusted {
    /// Id of the product.
    pub product_id: i64,
    /// Units before.
    pub before: i32,
    /// Units now.
    pub quantity: i32,
}

/// An adjustment that cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// Its place among those asked for, from 0.
    pub place: usize,
    /// What was asked for.
    pub wish: Wish,
    /// Units now.
    pub current: i32,
    /// The number of the latest adjustment, where one came since somebody looked.
    pub since: Option<i64>,
}

/// Why stock was not adjusted. Nothing was, then.
#[derive(Debug, thiserror::Error)]
pub enum AdjustError {
    /// No store has this id.
    #[error("There is no store {0}.")]
    NoSuchStore(i64),
    /// These products do not exist: place and id.
    #[error("{} of the products do not exist.", .0.len())]
    UnknownProducts(Vec<(usize, i64)>),
    /// The stock is not what it was believed to be, or would fall below 0 or rise above [`MAX_QUANTITY`].
    #[error("The stock of {} products is not as expected.", .0.len())]
    Refused(Vec<Refusal>),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] db::Error),
}

/// Adjusts the stock of some products of a store: all of them, or none. A product may be named once.
///
/// # Errors
/// As [`AdjustError`] says.
pub async fn adjust(
    tx: &Tx,
    actor: &Actor,
    store_id: i64,
    adjustments: &[Adjustment],
    reason: &str,
    now: DateTime<Utc>,
) -> Result<Vec<Adjusted>, AdjustError> {
    let ids: Vec<i64> = adjustments.iter().map(|adjustment| adjustment.product_id).collect();
    if !crate::keep(tx, store_id).await? {
        return Err(AdjustError::NoSuchStore(store_id));
    }
    let known = products::keep(tx, &ids).await?;
    let unknown = ids.iter().enumerate().filter(|(_, id)| !known.contains(id)).map(|(place, id)| (place, *id));
    let unknown: Vec<_> = unknown.collect();
    if !unknown.is_empty() {
        return Err(AdjustError::UnknownProducts(unknown));
    }
    let new = carry(tx, store_id, &ids).await?;
    let keys: Vec<_> = ids.iter().map(|id| (store_id, *id)).collect();
    let balances = lock(tx, &keys).await?;
    let latest = if adjustments.iter().any(|adjustment| adjustment.after().is_some()) {
        last_adjustments(tx, store_id, &ids).await?
    } else {
        HashMap::new()
    };
    let current = |product: i64| balances.get(&(store_id, product)).copied().unwrap_or_default();
    let adjusted = decide(adjustments, current, &latest).map_err(AdjustError::Refused)?;
    move_stock(tx, actor, store_id, &adjusted, reason, now).await?;
    tell(tx, actor, store_id, &adjusted, &new, reason).await?;
    Ok(adjusted)
}

/// Decides, from what is there now. Every adjustment that cannot be made is named.
fn decide(
    adjustments: &[Adjustment],
    current: impl Fn(i64) -> i32,
    latest: &HashMap<i64, i64>,
) -> Result<Vec<Adjusted>, Vec<Refusal>> {
    let (mut adjusted, mut refused) = (Vec::new(), Vec::new());
    for (place, adjustment) in adjustments.iter().enumerate() {
        let Adjustment { product_id, wish } = adjustment;
        let before = current(*product_id);
        let last = latest.get(product_id).copied().unwrap_or_default();
        let since = adjustment.after().is_some_and(|after| after != last).then_some(last);
        let quantity = match *wish {
            Wish::Set { quantity, expected } => (expected == before).then_some(quantity),
            Wish::Shift { .. } if since.is_some() => None,
            Wish::Shift { delta, .. } => before.checked_add(delta),
        };
        // Cancelled orders may have lifted it above what can be set: from there it goes down.
        match quantity.filter(|quantity| (0..=MAX_QUANTITY.max(before)).contains(quantity)) {
            Some(quantity) => adjusted.push(Adjusted { product_id: *product_id, before, quantity }),
            None => refused.push(Refusal { place, wish: *wish, current: before, since }),
        }
    }
    if refused.is_empty() { Ok(adjusted) } else { Err(refused) }
}

/// Has the store carry these products, with 0 units of those that it did not: which those are.
async fn carry(tx: &Tx, store_id: i64, ids: &[i64]) -> Result<HashSet<i64>, db::Error> {
    #[derive(diesel::QueryableByName)]
    struct Carried {
        #[diesel(sql_type = BigInt)]
        product_id: i64,
    }
    let new: Vec<Carried> = diesel::sql_query(
        "INSERT INTO inventory (store_id, product_id, quantity) \
         SELECT $1, id, 0 FROM unnest($2) AS asked (id) ORDER BY id ON CONFLICT (store_id, product_id) DO NOTHING \
         RETURNING product_id",
    )
    .bind::<BigInt, _>(store_id)
    .bind::<Array<BigInt>, _>(ids)
    .cached()
    .load(&mut &***tx)
    .await?;
    Ok(new.into_iter().map(|row| row.product_id).collect())
}

/// Moves the stock, and writes the ledger. What stays as it is leaves no trace there.
async fn move_stock(
    tx: &Tx,
    actor: &Actor,
    store_id: i64,
    adjusted: &[Adjusted],
    reason: &str,
    now: DateTime<Utc>,
) -> Result<(), db::Error> {
    let moved: Vec<&Adjusted> = adjusted.iter().filter(|row| row.quantity != row.before).collect();
    debug_assert_eq!(moved.len(), moved.iter().map(|row| row.product_id).collect::<HashSet<_>>().len());
    if moved.is_empty() {
        return Ok(());
    }
    let deltas: Vec<i32> = moved.iter().map(|row| row.quantity - row.before).collect();
    let ids: Vec<i64> = moved.iter().map(|row| row.product_id).collect();
    shift(tx, ids.iter().zip(&deltas).map(|(id, delta)| ((store_id, *id), i64::from(*delta)))).await?;
    diesel::sql_query(
        "INSERT INTO stock_adjustments (store_id, product_id, delta, reason, actor, created_at) \
         SELECT $1, product_id, delta, $2, $3, $4 FROM unnest($5, $6) AS moved (product_id, delta)",
    )
    .bind::<BigInt, _>(store_id)
    .bind::<Text, _>(reason)
    .bind::<Text, _>(actor.to_string())
    .bind::<Timestamptz, _>(now)
    .bind::<Array<BigInt>, _>(ids)
    .bind::<Array<Integer>, _>(deltas)
    .cached()
    .execute(&mut &***tx)
    .await?;
    Ok(())
}

/// Writes the audit log: what the store carries from now on, even if it has nothing of it yet, and what was moved.
async fn tell(
    tx: &Tx,
    actor: &Actor,
    store_id: i64,
    adjusted: &[Adjusted],
    new: &HashSet<i64>,
    reason: &str,
) -> Result<(), db::Error> {
    let (made, kept): (Vec<_>, Vec<_>) = adjusted.iter().partition(|row| new.contains(&row.product_id));
    let change = |row: &Adjusted, before| Change {
        object: Object::inventory(store_id, row.product_id),
        before,
        after: Some(json!({ "quantity": row.quantity, "reason": reason })),
    };
    let made: Vec<Change> = made.into_iter().map(|row| change(row, None)).collect();
    let moved = kept.into_iter().filter(|row| row.quantity != row.before);
    let moved: Vec<Change> = moved.map(|row| change(row, Some(json!({ "quantity": row.before })))).collect();
    for (action, changes) in [(Action::Create, made), (Action::Change, moved)] {
        if !changes.is_empty() {
            audit::record_all(tx, actor, action, changes).await?;
        }
    }
    Ok(())
}
