//! What a batch reads and locks, and the decision of each order by it.

use std::collections::HashSet;
use std::time::Duration;

use chrono::{DateTime, Utc};
use db::Tx;
use futures_util::try_join;
use products::Prices;
use stores::stock::{self, Balances};

use super::stuck::Stuck;
use crate::decide::decide;
use crate::lane::Pass;
use crate::order::Order;
use crate::place::{PlaceError, Request};
use crate::write::{self, Numbers};

/// How long a part of a batch that failed waits for a lock: as part of the whole it has waited for long already.
const SHORT_WAIT: Duration = Duration::from_millis(50);

/// What a batch needs to be decided.
pub(super) struct Wanted {
    rows: Vec<stock::Key>,
    products: Vec<i64>,
    stores: Vec<i64>,
    orders: usize,
    is_part: bool,
    /// Rows that are not waited for.
    stuck: Vec<stock::Key>,
}

impl Wanted {
    pub(super) fn by<'r>(requests: impl Iterator<Item = &'r Request>, pass: Pass, stuck: &Stuck) -> Self {
        let (mut rows, mut stores, mut orders) = (Vec::new(), HashSet::new(), 0);
        for request in requests {
            rows.extend(request.rows());
            stores.insert(request.store_id);
            orders += 1;
        }
        let products: HashSet<i64> = rows.iter().map(|(_, product)| *product).collect();
        let stuck = stuck.take_from(&mut rows);
        Self {
            rows,
            products: products.into_iter().collect(),
            stores: stores.into_iter().collect(),
            orders,
            is_part: pass.is_part,
            stuck,
        }
    }
}

/// What is known while the rows are locked.
pub(super) struct Held {
    balances: Balances,
    prices: Prices,
    stores: HashSet<i64>,
    pub(super) numbers: Numbers,
    /// Rows that were not waited for, and are held by somebody else still.
    pub(super) stuck: HashSet<stock::Key>,
    /// Rows that were thought to be held, and are ours now.
    pub(super) freed: Vec<stock::Key>,
}

/// Locks and reads, in one round trip as a rule. The statements are sent and run in this order, so the prices are of a moment at
/// which the stock was held already: both were true at once.
pub(super) async fn hold(tx: &Tx, wanted: &Wanted) -> Result<Held, db::Error> {
    let limit_wait = async {
        match wanted.is_part {
            true => tx.limit_lock_wait(SHORT_WAIT).await,
            false => Ok(()),
        }
    };
    let (_, mut balances, free, prices, numbers) = try_join!(
        limit_wait,
        stock::lock(tx, &wanted.rows),
        stock::lock_free(tx, &wanted.stuck),
        products::prices(tx, &wanted.products),
        write::take_numbers(tx, wanted.orders),
    )?;
    // A store that has a row in its inventory is there. Others are rare enough to ask for them alone.
    let mut stores: HashSet<i64> =
        balances.keys().chain(free.balances.keys()).chain(&free.held).map(|(store, _)| *store).collect();
    let unproved: Vec<i64> = wanted.stores.iter().copied().filter(|store| !stores.contains(store)).collect();
    if !unproved.is_empty() {
        stores.extend(stores::existing(tx, &unproved).await?);
    }
    let freed = wanted.stuck.iter().copied().filter(|row| !free.held.contains(row)).collect();
    balances.extend(free.balances);
    Ok(Held { balances, prices, stores, numbers, stuck: free.held, freed })
}

impl Held {
    /// Decides one request against what those before it left.
    pub(super) fn decide(&mut self, request: &Request, now: DateTime<Utc>) -> Result<Order, PlaceError> {
        if !self.stores.contains(&request.store_id) {
            return Err(PlaceError::UnknownStore(request.store_id));
        }
        if let Some((store_id, product_id)) = request.rows().find(|row| self.stuck.contains(row)) {
            return Err(PlaceError::RowHeld { store_id, product_id });
        }
        let Request { store_id, basket, expected_total, .. } = request;
        let terms = decide(*store_id, basket, *expected_total, &self.prices, &mut self.balances, now)?;
        let id = self.numbers.next().ok_or(PlaceError::Overtaken("numbers ran out"))?;
        Ok(Order { id, customer_email: request.customer_email.clone(), terms })
    }
}
