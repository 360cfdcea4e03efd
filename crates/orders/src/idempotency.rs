//! The answers given to idempotency keys.
//!
//! A key is a row of the same transaction as its order, so there is never one without the other. Its primary key
//! decides; the advisory lock is there to tell a repeat, without making it wait, that the first request is still being
//! worked on.

use chrono::{DateTime, TimeDelta, Utc};
use db::{CachedDsl, Clock, Database, Tx};
use diesel::sql_types::{Array, BigInt, Binary, Bool, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use futures_util::try_join;
use sha2::{Digest, Sha256};

/// How long an answer is kept.
pub(crate) const KEPT: TimeDelta = TimeDelta::hours(72);

/// A client's name for one intended order. Belongs to the store that the order is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// Whose key it is: empty for clients without a token.
    pub client: String,
    /// The key, 1 to 255 characters.
    pub key: String,
}

/// What is known of a key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// Nothing: it is ours until the transaction ends.
    New,
    /// It was answered too long ago to count. It is ours, too.
    Expired,
    /// Another transaction works on it.
    InFlight,
    /// It was answered.
    Answered(Answer),
}

/// An answer, as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// [Digest](crate::Basket::digest) of the basket that it answers.
    pub(crate) digest: Vec<u8>,
    /// The order that it tells of.
    pub(crate) order_id: i64,
    /// The body.
    pub(crate) body: String,
}

#[derive(diesel::QueryableByName)]
struct Row {
    #[diesel(sql_type = Bool)]
    free: bool,
    #[diesel(sql_type = Nullable<Bool>)]
    expired: Option<bool>,
    #[diesel(sql_type = Nullable<Binary>)]
    request_hash: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<BigInt>)]
    order_id: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    answer: Option<String>,
}

/// Claims these keys of stores until the transaction ends, or says what stands against it; one claim per key, in their
/// order. The keys must be different ones: a transaction never stands in its own way. Each is looked up by the primary
/// key, whatever the planner believes of the table's size: `OFFSET 0` keeps the lateral query a query of its own.
///
/// The rows are those that were there when the statement began, so a key that was answered in the same instant can look
/// new; [`keep`] notices.
pub(crate) async fn claim(tx: &Tx, keys: &[(i64, Key)], now: DateTime<Utc>) -> Result<Vec<Claim>, db::Error> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<Row> = diesel::sql_query(
        "SELECT pg_try_advisory_xact_lock(asked.lock) AS free, kept.created_at <= $5 AS expired, \
             kept.request_hash, kept.order_id, kept.answer \
         FROM unnest($1, $2, $3, $4) WITH ORDINALITY AS asked (store_id, client, key, lock, place) \
         LEFT JOIN LATERAL ( \
             SELECT request_hash, order_id, answer, created_at FROM idempotency_keys AS kept \
             WHERE kept.store_id = asked.store_id AND kept.client = asked.client AND kept.key = asked.key \
             OFFSET 0) AS kept ON true \
         ORDER BY asked.place",
    )
    .bind::<Array<BigInt>, _>(keys.iter().map(|(store, _)| *store).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(keys.iter().map(|(_, key)| key.client.as_str()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(keys.iter().map(|(_, key)| key.key.as_str()).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(keys.iter().map(|(store, key)| lock_number(*store, key)).collect::<Vec<_>>())
    .bind::<Timestamptz, _>(now - KEPT)
    .cached()
    .load(&mut &***tx)
    .await?;
    Ok(rows.into_iter().map(Claim::from).collect())
}

impl From<Row> for Claim {
    fn from(row: Row) -> Self {
        let is_expired = row.expired == Some(true);
        match (row.request_hash, row.order_id, row.answer) {
            (Some(digest), Some(order_id), Some(body)) if !is_expired => {
                Self::Answered(Answer { digest, order_id, body })
            }
            _ if !row.free => Self::InFlight,
            _ if is_expired => Self::Expired,
            _ => Self::New,
        }
    }
}

/// Keeps the answers to keys that were [claimed](claim), instead of those that are too old to count if `some_expired`.
///
/// # Errors
/// Those of the database. Where another transaction has answered one of the keys meanwhile, that the primary key refuses
/// it: nothing of the transaction can be kept then.
pub(crate) async fn keep(
    tx: &Tx,
    answers: &[(i64, &Key, Answer)],
    some_expired: bool,
    now: DateTime<Utc>,
) -> Result<(), db::Error> {
    if answers.is_empty() {
        return Ok(());
    }
    let stores: Vec<i64> = answers.iter().map(|(store, ..)| *store).collect();
    let clients: Vec<&str> = answers.iter().map(|(_, key, _)| key.client.as_str()).collect();
    let keys: Vec<&str> = answers.iter().map(|(_, key, _)| key.key.as_str()).collect();
    let forget_expired = async {
        // To be ready for a row that is there already would take a new one twice as long, and hardly any is.
        if some_expired {
            forget(tx, &stores, &clients, &keys, now - KEPT).await?;
        }
        Ok(())
    };
    let insert = diesel::sql_query(
        "INSERT INTO idempotency_keys (store_id, client, key, request_hash, order_id, answer, created_at) \
         SELECT *, $7 FROM unnest($1, $2, $3, $4, $5, $6)",
    )
    .bind::<Array<BigInt>, _>(&stores)
    .bind::<Array<Text>, _>(&clients)
    .bind::<Array<Text>, _>(&keys)
    .bind::<Array<Binary>, _>(answers.iter().map(|(.., answer)| answer.digest.as_slice()).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(answers.iter().map(|(.., answer)| answer.order_id).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(answers.iter().map(|(.., answer)| answer.body.as_str()).collect::<Vec<_>>())
    .bind::<Timestamptz, _>(now)
    .cached();
    let insert = async { Ok(insert.execute(&mut &***tx).await?) };
    // Sent in this order.
    try_join!(forget_expired, insert).map(|_| ())
}

/// Forgets those of these answers that were given until `end`.
async fn forget(
    tx: &Tx,
    stores: &[i64],
    clients: &[&str],
    keys: &[&str],
    end: DateTime<Utc>,
) -> Result<usize, db::Error> {
    let forget = diesel::sql_query(
        "DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY( \
             SELECT kept.ctid FROM unnest($1, $2, $3) AS asked (store_id, client, key) CROSS JOIN LATERAL ( \
                 SELECT ctid FROM idempotency_keys \
                 WHERE store_id = asked.store_id AND client = asked.client AND key = asked.key AND created_at <= $4 \
                 OFFSET 0) AS kept)) AND created_at <= $4",
    );
    let forget = forget.bind::<Array<BigInt>, _>(stores).bind::<Array<Text>, _>(clients);
    let forget = forget.bind::<Array<Text>, _>(keys).bind::<Timestamptz, _>(end);
    Ok(forget.cached().execute(&mut &***tx).await?)
}

/// Forgets up to `limit` answers that are too old to count; how many there were. Those that an order is about to
/// overwrite are left to it.
///
/// # Errors
/// Those of the database.
pub async fn forget_old_keys(database: &Database, clock: &Clock, limit: i64) -> Result<usize, db::Error> {
    let end = clock.now() - KEPT;
    database
        .transaction(move |tx| {
            Box::pin(async move {
                let forget = diesel::sql_query(
                    "DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY( \
                         SELECT ctid FROM idempotency_keys WHERE created_at <= $1 ORDER BY created_at LIMIT $2 \
                         FOR UPDATE SKIP LOCKED))",
                );
                let forget = forget.bind::<Timestamptz, _>(end).bind::<BigInt, _>(limit);
                Ok(forget.execute(&mut **tx).await?)
            })
        })
        .await
}

/// The key's advisory lock: 64 bits of its SHA-256. Two keys that share one would at worst answer "in flight" once.
fn lock_number(store_id: i64, key: &Key) -> i64 {
    let mut hasher = Sha256::new();
    hasher.update(b"idempotency key");
    hasher.update(store_id.to_be_bytes());
    hasher.update(key.client.len().to_be_bytes());
    hasher.update(&key.client);
    hasher.update(&key.key);
    let digest: [u8; 32] = hasher.finalize().into();
    i64::from_be_bytes([digest[0], digest[1], digest[2], digest[3], digest[4], digest[5], digest[6], digest[7]])
}
