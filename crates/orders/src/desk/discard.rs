//! Giving up for good.

use db::Tx;
use diesel::sql_types::{Array, BigInt};
use diesel_async::RunQueryDsl;
use outbox::{Discarded, Event, Which};

use crate::events::OrderConfirmed;

/// Throws up to `limit` parked events away for good; returns their numbers. The confirmations among them have failed, until
/// somebody has them sent again.
///
/// # Errors
/// Those of the database.
pub async fn discard(tx: &mut Tx, which: &Which, limit: i64) -> Result<Vec<i64>, db::Error> {
    let gone = outbox::discard(tx, which, limit).await?;
    let (stores, orders): (Vec<i64>, Vec<i64>) = gone.iter().filter_map(confirmation).unzip();
    if !orders.is_empty() {
        let failed = "UPDATE confirmations SET state = 'failed' \
                      FROM (SELECT DISTINCT * FROM unnest($1, $2) AS given (store_id, order_id)) AS given \
                      WHERE confirmations.store_id = given.store_id AND confirmations.order_id = given.order_id \
                        AND state = 'pending'";
        diesel::sql_query(failed)
            .bind::<Array<BigInt>, _>(stores)
            .bind::<Array<BigInt>, _>(orders)
            .execute(&mut **tx)
            .await?;
    }
    Ok(gone.into_iter().map(|event| event.id).collect())
}

/// The order that an event was to confirm.
fn confirmation(event: &Discarded) -> Option<(i64, i64)> {
    let number = |name: &str| event.payload.get(name)?.as_i64();
    if event.kind != OrderConfirmed::KIND {
        return None;
    }
    Some((number("store_id")?, number("order_id")?))
}
