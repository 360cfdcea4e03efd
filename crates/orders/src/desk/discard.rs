//! Giving up for good.

use db::Tx;
use diesel::sql_types::{Array, BigInt};
use diesel_async::RunQueryDsl;
use outbox::{Event, Parked, Which};

use crate::events::OrderConfirmed;

/// Throws up to `limit` parked events away for good; returns their numbers, none when there are no more. The confirmations
/// among them have failed until somebody has them sent again; those of orders that were cancelled are settled.
///
/// # Errors
/// Those of the database.
pub async fn discard(tx: &mut Tx, which: &Which, limit: i64) -> Result<Vec<i64>, db::Error> {
    loop {
        let parked = outbox::parked(tx, which, 0, limit).await?;
        lock(tx, &parked).await?;
        let these = Which { ids: Some(parked.iter().map(|event| event.id).collect()), ..which.clone() };
        let gone = outbox::discard(tx, &these, limit).await?;
        // Somebody else may have taken all of them meanwhile.
        if parked.is_empty() || !gone.is_empty() {
            give_up(tx, parked.iter().filter(|event| gone.binary_search(&event.id).is_ok())).await?;
            return Ok(gone);
        }
    }
}

/// Locks the confirmations among these before anything of the outbox, as whoever sends one does, and one after the other.
async fn lock(tx: &Tx, events: &[Parked]) -> Result<(), db::Error> {
    let (stores, orders): (Vec<i64>, Vec<i64>) = events.iter().filter_map(confirmation).unzip();
    if !orders.is_empty() {
        let locked = "SELECT FROM confirmations WHERE (store_id, order_id) IN (SELECT * FROM unnest($1, $2)) \
                      ORDER BY store_id, order_id FOR NO KEY UPDATE";
        let locked = diesel::sql_query(locked).bind::<Array<BigInt>, _>(stores).bind::<Array<BigInt>, _>(orders);
        locked.execute(&mut &***tx).await?;
    }
    Ok(())
}

/// What is left of a confirmation that nobody sends any more.
async fn give_up<'a>(tx: &Tx, events: impl Iterator<Item = &'a Parked>) -> Result<(), db::Error> {
    let (stores, orders): (Vec<i64>, Vec<i64>) = events.filter_map(confirmation).unzip();
    if !orders.is_empty() {
        let settled = "UPDATE confirmations SET state = CASE status WHEN 'CANCELLED' THEN 'sent' ELSE 'failed' END, \
                              sent_at = CASE status WHEN 'CANCELLED' THEN now() END \
                       FROM orders WHERE (confirmations.store_id, confirmations.order_id) IN \
                              (SELECT * FROM unnest($1, $2)) AND state = 'pending' \
                         AND orders.store_id = confirmations.store_id AND orders.id = confirmations.order_id";
        let settled = diesel::sql_query(settled).bind::<Array<BigInt>, _>(stores).bind::<Array<BigInt>, _>(orders);
        settled.execute(&mut &***tx).await?;
    }
    Ok(())
}

/// The order that an event was to confirm: its store and its number.
fn confirmation(event: &Parked) -> Option<(i64, i64)> {
    let number = |name: &str| event.payload.get(name)?.as_i64();
    if event.kind != OrderConfirmed::KIND {
        return None;
    }
    Some((number("store_id")?, number("order_id")?))
}
