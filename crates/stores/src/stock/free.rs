//! Locking what is free, without waiting for the rest.

use std::collections::{BTreeMap, HashSet};

use db::{CachedDsl, Tx};
use diesel::sql_types::{Array, BigInt, Integer, Nullable};
use diesel_async::RunQueryDsl;
use futures_util::future::try_join_all;

use super::{Balances, Key};

/// Rows that were asked for and exist: locked now, or held by somebody else.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Free {
    /// What the locked ones hold.
    pub balances: Balances,
    /// Those that another transaction holds. A row that was deleted in this instant can be among them.
    pub held: HashSet<Key>,
}

#[derive(diesel::QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    product_id: i64,
    #[diesel(sql_type = Nullable<Integer>)]
    quantity: Option<i32>,
}

/// As [`lock`](super::lock), but waits for nobody, hence in any order: a row that another transaction holds is left to
/// it and named. One statement for each store.
///
/// # Errors
/// Those of the database.
pub async fn lock_free(tx: &Tx, keys: &[Key]) -> Result<Free, db::Error> {
    let mut products_of: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for (store, product) in keys.iter().copied().collect::<HashSet<Key>>() {
        products_of.entry(store).or_default().push(product);
    }
    let stores = products_of
        .into_iter()
        .map(|(store, products)| async move { Ok::<_, db::Error>((store, lock_free_of(tx, store, products).await?)) });
    let mut free = Free::default();
    for (store, rows) in try_join_all(stores).await? {
        for row in rows {
            match row.quantity {
                Some(quantity) => _ = free.balances.insert((store, row.product_id), quantity),
                None => _ = free.held.insert((store, row.product_id)),
            }
        }
    }
    Ok(free)
}

async fn lock_free_of(tx: &Tx, store: i64, products: Vec<i64>) -> Result<Vec<Row>, db::Error> {
    // A row that is there and yet cannot be had is held.
    let rows = diesel::sql_query(
        "SELECT there.product_id, free.quantity FROM unnest($2) AS asked (product_id) \
         CROSS JOIN LATERAL ( \
             SELECT product_id FROM inventory \
             WHERE inventory.store_id = $1 AND inventory.product_id = asked.product_id \
             OFFSET 0) AS there \
         LEFT JOIN LATERAL ( \
             SELECT quantity FROM inventory \
             WHERE inventory.store_id = $1 AND inventory.product_id = there.product_id \
             FOR NO KEY UPDATE SKIP LOCKED) AS free ON true",
    );
    let rows = rows.bind::<BigInt, _>(store).bind::<Array<BigInt>, _>(products).cached();
    Ok(rows.load(&mut &***tx).await?)
}
