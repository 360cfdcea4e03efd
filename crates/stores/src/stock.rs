//! Locking and moving stock, inside the caller's transaction.
//!
//! Each command is one statement, prepared once per connection, whatever the number of rows. They take `&Tx`, which
//! proves the transaction and leaves room to send several statements at once.
//!
//! The statements are shaped so that rows are found by their key, whatever the planner believes of the table's size:
//! nested loops are the only plans that they allow, and the gateway's sessions go by indexes ([`db::Config::by_index`]).
//! Rows of a single store are locked with `store_id = $1`, which a database that is sharded by store needs to find the
//! shard; there the change of locked rows has to name it, too.

mod adjust;
mod free;

use std::collections::{BTreeMap, HashMap};

use db::{CachedDsl, Tx};
use diesel::sql_types::{Array, BigInt, Integer};
use diesel_async::RunQueryDsl;

pub use adjust::{AdjustError, Adjusted, Adjustment, Refusal, Wish, adjust};
pub use free::{Free, lock_free};

/// A row of the inventory: store and product.
pub type Key = (i64, i64);

/// Units on hand by row. A product that the store does not carry has no entry.
pub type Balances = HashMap<Key, i32>;

/// Units of a product at a store: (store, product, quantity).
pub type Quantity = (i64, i64, i32);

#[derive(diesel::QueryableByName)]
struct Balance {
    #[diesel(sql_type = BigInt)]
    store_id: i64,
    #[diesel(sql_type = BigInt)]
    product_id: i64,
    #[diesel(sql_type = Integer)]
    quantity: i32,
}

/// Locks these rows until the transaction ends and reads what they hold. Always in the order of (store, product), so
/// that transactions which lock through here never deadlock; repeated keys count once.
///
/// # Errors
/// Those of the database, above all [`db::Error::Timeout`] when another transaction holds a row for too long.
pub async fn lock(tx: &Tx, keys: &[Key]) -> Result<Balances, db::Error> {
    let mut keys = keys.to_vec();
    keys.sort_unstable();
    keys.dedup();
    let single = only_store(keys.iter().map(|(store, _)| *store));
    let (stores, products): (Vec<i64>, Vec<i64>) = keys.into_iter().unzip();
    // `FOR NO KEY UPDATE` inside the lateral query keeps it a query of its own, run once for each key in their order.
    let rows: Vec<Balance> = match single {
        Some(store) => {
            diesel::sql_query(
                "SELECT held.* FROM unnest($2) AS asked (product_id) CROSS JOIN LATERAL ( \
                     SELECT store_id, product_id, quantity FROM inventory \
                     WHERE inventory.store_id = $1 AND inventory.product_id = asked.product_id \
                     FOR NO KEY UPDATE) AS held",
            )
            .bind::<BigInt, _>(store)
            .bind::<Array<BigInt>, _>(products)
            .cached()
            .load(&mut &***tx)
            .await?
        }
        None => {
            diesel::sql_query(
                "SELECT held.* FROM unnest($1, $2) AS asked (store_id, product_id) CROSS JOIN LATERAL ( \
                     SELECT store_id, product_id, quantity FROM inventory \
                     WHERE inventory.store_id = asked.store_id AND inventory.product_id = asked.product_id \
                     FOR NO KEY UPDATE) AS held",
            )
            .bind::<Array<BigInt>, _>(stores)
            .bind::<Array<BigInt>, _>(products)
            .cached()
            .load(&mut &***tx)
            .await?
        }
    };
    Ok(rows.into_iter().map(|row| ((row.store_id, row.product_id), row.quantity)).collect())
}

/// Takes these units out of stock. The rows must have been [locked](lock) before, or transactions may deadlock;
/// quantities of the same row add up.
///
/// # Errors
/// When a row does not exist, or has less than is taken: the constraint `inventory_quantity_not_negative` refuses.
/// Nothing of the transaction can be kept then.
pub async fn deduct(tx: &Tx, taken: &[Quantity]) -> Result<(), db::Error> {
    shift(tx, taken.iter().map(|&(store, product, quantity)| ((store, product), -i64::from(quantity)))).await
}

/// Puts these units back into stock, as when an order is cancelled. As [`deduct`] otherwise.
///
/// # Errors
/// When a row does not exist, or would hold more than fits an integer.
pub async fn restore(tx: &Tx, returned: &[Quantity]) -> Result<(), db::Error> {
    shift(tx, returned.iter().map(|&(store, product, quantity)| ((store, product), i64::from(quantity)))).await
}

async fn shift(tx: &Tx, changes: impl Iterator<Item = (Key, i64)>) -> Result<(), db::Error> {
    // An UPDATE applies one change per row, so changes of the same row must be summed before.
    let mut deltas: BTreeMap<Key, i64> = BTreeMap::new();
    for (key, delta) in changes {
        *deltas.entry(key).or_default() += delta;
    }
    if deltas.is_empty() {
        return Ok(());
    }
    let (keys, deltas): (Vec<Key>, Vec<i64>) = deltas.into_iter().unzip();
    let (stores, products): (Vec<i64>, Vec<i64>) = keys.into_iter().unzip();
    // The rows, which are locked and so stay where they are, are looked up by their keys first and then changed in
    // place. Joined to the keys directly, even by `store_id = $1`, all rows of the store may be gathered and compared:
    // so it was planned while the store was small. Where there is no row, its name is no place of one: the server
    // itself refuses, even if the COMMIT is on its way already.
    diesel::sql_query(
        "UPDATE inventory SET quantity = inventory.quantity + held.delta \
         FROM (SELECT coalesce(row.ctid, format('no product %s at store %s', product_id, store_id)::tid) AS ctid, delta \
               FROM unnest($1, $2, $3) AS change (store_id, product_id, delta) \
               LEFT JOIN LATERAL ( \
                   SELECT ctid FROM inventory \
                   WHERE inventory.store_id = change.store_id AND inventory.product_id = change.product_id \
                   OFFSET 0) AS row ON true) AS held \
         WHERE inventory.ctid = held.ctid",
    )
    .bind::<Array<BigInt>, _>(stores)
    .bind::<Array<BigInt>, _>(products)
    .bind::<Array<BigInt>, _>(deltas)
    .cached()
    .execute(&mut &***tx)
    .await?;
    Ok(())
}

/// The store of all these rows, if they are of one.
fn only_store(mut stores: impl Iterator<Item = i64>) -> Option<i64> {
    let first = stores.next()?;
    stores.all(|store| store == first).then_some(first)
}
