//! What the follower asks of PostgreSQL.

use db::{Connection, Tx};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text};
use diesel_async::RunQueryDsl;

use crate::follow::position::Position;
use crate::index::Entry;
use crate::schema::categories;

/// Products read at a time.
pub(super) const BATCH: i64 = 20_000;

/// A row of `search_changes`.
#[derive(QueryableByName)]
pub(super) struct Change {
    #[diesel(sql_type = Text)]
    pub(super) kind: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub(super) product_id: Option<i64>,
}

#[derive(QueryableByName)]
struct EntryRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    title: String,
    #[diesel(sql_type = Text)]
    description: String,
    #[diesel(sql_type = BigInt)]
    category_id: i64,
    #[diesel(sql_type = BigInt)]
    price: i64,
    #[diesel(sql_type = BigInt)]
    created: i64,
    #[diesel(sql_type = Array<BigInt>)]
    in_stock: Vec<i64>,
}

#[derive(QueryableByName)]
struct TextRow {
    #[diesel(sql_type = Text)]
    text: String,
}

#[derive(QueryableByName)]
struct NumberRow {
    #[diesel(sql_type = Nullable<BigInt>)]
    number: Option<i64>,
}

#[derive(QueryableByName)]
struct PollRow {
    #[diesel(sql_type = Integer)]
    connection: i32,
    #[diesel(sql_type = BigInt)]
    table: i64,
    #[diesel(sql_type = Text)]
    position: String,
    #[diesel(sql_type = Bool)]
    has_changes: bool,
    #[diesel(sql_type = Nullable<BigInt>)]
    pruned_below: Option<i64>,
}

/// What was asked: where it is another than before, the database may be another, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asked {
    /// The connection's process. Between two, the server may have crashed or been replaced.
    connection: i32,
    /// The number of the table of products. A backup that is loaded over the database brings another.
    table: i64,
}

/// What a look at the log tells.
pub(super) struct Poll {
    /// What was asked.
    pub(super) asked: Asked,
    pub(super) position: Position,
    pub(super) has_changes: bool,
    pub(super) pruned_below: i64,
}

/// Tells databases apart, also from what they were before they were restored or promoted.
pub(crate) async fn identity(conn: &mut Connection) -> QueryResult<String> {
    let query = "SELECT concat_ws('/', (SELECT system_identifier FROM pg_control_system()), \
                 (SELECT timeline_id FROM pg_control_checkpoint()), \
                 (SELECT oid FROM pg_database WHERE datname = current_database()), \
                 'products'::regclass::oid) AS text";
    Ok(sql_query(query).get_result::<TextRow>(conn).await?.text)
}

/// The number of the next transaction. What bears this one or a later one was not written by this server: a dump brings
/// the log along, and with it the numbers of the server that it was made on.
const NEXT: &str = "pg_snapshot_xmax(pg_current_snapshot())::text::bigint";

/// Whether there is anything that `seen` does not hold; one statement, so that the answer is of one moment.
///
/// Here and below, what came later and what was under way are asked for apart: each is a range of the index, while
/// `OR` of both would read the whole log, which holds millions of rows for an hour after a bulk load.
pub(super) async fn poll(conn: &mut Connection, seen: &Position) -> QueryResult<Poll> {
    let query = "SELECT pg_backend_pid() AS connection, 'products'::regclass::oid::bigint AS table, \
                 concat(pg_current_snapshot(), '@', (extract(epoch FROM now()) * 1000000)::bigint) AS position, \
                 EXISTS (SELECT FROM search_changes WHERE xid >= $1 AND xid < $3) \
                     OR EXISTS (SELECT FROM search_changes WHERE xid = ANY ($2)) AS has_changes, \
                 (SELECT pruned_below FROM search_log WHERE pruned_below <= $3) AS pruned_below";
    let query = query.replace("$3", NEXT);
    let query = sql_query(query).bind::<BigInt, _>(seen.next).bind::<Array<BigInt>, _>(&seen.under_way);
    let row: PollRow = db::CachedDsl::cached(query).get_result(conn).await?;
    let PollRow { connection, table, position, has_changes, pruned_below } = row;
    Ok(Poll {
        asked: Asked { connection, table },
        position: parse(&position)?,
        has_changes,
        pruned_below: pruned_below.unwrap_or_default(),
    })
}

/// How many changes `seen` does not hold.
pub(crate) async fn behind(conn: &mut Connection, seen: &Position) -> QueryResult<i64> {
    let query = format!(
        "SELECT (SELECT count(*) FROM search_changes WHERE xid >= $1 AND xid < {NEXT}) \
         + (SELECT count(*) FROM search_changes WHERE xid = ANY ($2)) AS number"
    );
    let query = sql_query(query).bind::<BigInt, _>(seen.next).bind::<Array<BigInt>, _>(&seen.under_way);
    Ok(query.get_result::<NumberRow>(conn).await?.number.unwrap_or_default())
}

/// Whether there are more products than are read at a time.
pub(super) async fn are_many(conn: &mut Connection) -> QueryResult<bool> {
    let query = "SELECT count(*) AS number FROM (SELECT FROM products LIMIT $1 + 1) first";
    let first: NumberRow = sql_query(query).bind::<BigInt, _>(BATCH).get_result(conn).await?;
    Ok(first.number > Some(BATCH))
}

/// Where the database is now.
pub(super) async fn position(conn: &mut Connection) -> QueryResult<Position> {
    // The moment is when the transaction began, hence not after the snapshot.
    let query = "SELECT concat(pg_current_snapshot(), '@', (extract(epoch FROM now()) * 1000000)::bigint) AS text";
    parse(&sql_query(query).get_result::<TextRow>(conn).await?.text)
}

/// Makes the transaction one moment, however long it reads, and tells which. It must not have read anything yet.
pub(super) async fn freeze(tx: &mut Tx) -> QueryResult<Position> {
    sql_query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY").execute(&mut **tx).await?;
    // Reading everything takes longer than a request's statement may, and so does taking it in between statements.
    sql_query("SET LOCAL statement_timeout = 0").execute(&mut **tx).await?;
    sql_query("SET LOCAL idle_in_transaction_session_timeout = 0").execute(&mut **tx).await?;
    position(tx).await
}

/// The changes that `seen` does not hold, at most `most`.
pub(super) async fn changes(tx: &mut Tx, seen: &Position, most: i64) -> QueryResult<Vec<Change>> {
    let query = format!(
        "SELECT kind, product_id FROM search_changes WHERE xid >= $1 AND xid < {NEXT} \
         UNION ALL SELECT kind, product_id FROM search_changes WHERE xid = ANY ($2) LIMIT $3"
    );
    sql_query(query)
        .bind::<BigInt, _>(seen.next)
        .bind::<Array<BigInt>, _>(&seen.under_way)
        .bind::<BigInt, _>(most)
        .load(&mut **tx)
        .await
}

/// Transactions whose numbers a server that crashed may give out again: those of the moment before, of which none was
/// committed. Many more than there can be.
const GIVEN_OUT_AGAIN: i64 = 100_000;

/// The changes that `seen` does not hold although their transactions' numbers say so: see [`Position`].
pub(super) async fn changes_in_doubt(tx: &mut Tx, seen: &Position) -> QueryResult<Vec<Change>> {
    let query = "SELECT kind, product_id FROM search_changes WHERE xid >= $1 AND xid < $2 \
                 AND created_at > to_timestamp($3 / 1000000.0)";
    sql_query(query)
        .bind::<BigInt, _>(seen.next - GIVEN_OUT_AGAIN)
        .bind::<BigInt, _>(seen.next)
        .bind::<BigInt, _>(seen.taken_at)
        .load(&mut **tx)
        .await
}

/// How often titles have changed: one, or all of them at once. A table that was made anew, as when a backup is loaded,
/// begins higher than any before: what was suggested of that one is of no generation of this.
pub(super) async fn generation(tx: &mut Tx) -> QueryResult<i64> {
    let query = "SELECT ('products'::regclass::oid::bigint << 31) + (SELECT pruned_titles FROM search_log) \
                 + (SELECT count(*) FROM search_changes WHERE kind IN ('title', 'everything')) AS number";
    Ok(sql_query(query).get_result::<NumberRow>(&mut **tx).await?.number.unwrap_or_default())
}

/// Ids and names of all categories.
pub(super) async fn all_categories(tx: &mut Tx) -> QueryResult<Vec<(i64, String)>> {
    categories::table.select((categories::id, categories::name)).load(&mut **tx).await
}

/// The products after this id, by id, about [`BATCH`] of them; and the id to go on after, until there are none.
pub(super) async fn products_after(tx: &mut Tx, id: i64) -> QueryResult<Option<(Vec<Entry>, i64)>> {
    let last = "SELECT max(id) AS number FROM (SELECT id FROM products WHERE id > $1 ORDER BY id LIMIT $2) batch";
    let last: NumberRow = sql_query(last).bind::<BigInt, _>(id).bind::<BigInt, _>(BATCH).get_result(&mut **tx).await?;
    let Some(last) = last.number else { return Ok(None) };
    let query = format!(
        "{PRODUCTS} LEFT JOIN (SELECT product_id, array_agg(store_id) AS stores FROM inventory \
         WHERE product_id > $1 AND product_id <= $2 AND quantity > 0 GROUP BY product_id) stock ON product_id = p.id \
         WHERE p.id > $1 AND p.id <= $2"
    );
    let rows = sql_query(query).bind::<BigInt, _>(id).bind::<BigInt, _>(last).load(&mut **tx).await?;
    Ok(Some((entries(rows), last)))
}

/// Those of these products that exist.
pub(super) async fn products(tx: &mut Tx, ids: &[i64]) -> QueryResult<Vec<Entry>> {
    let query = format!(
        "{PRODUCTS} LEFT JOIN (SELECT product_id, array_agg(store_id) AS stores FROM inventory \
         WHERE product_id = ANY ($1) AND quantity > 0 GROUP BY product_id) stock ON product_id = p.id \
         WHERE p.id = ANY ($1)"
    );
    let rows = sql_query(query).bind::<Array<BigInt>, _>(ids).load(&mut **tx).await?;
    Ok(entries(rows))
}

const PRODUCTS: &str = "SELECT p.id, p.title, p.description, p.category_id, (p.price * 100)::bigint AS price, \
                        (extract(epoch FROM p.created_at) * 1000000)::bigint AS created, \
                        coalesce(stores, '{}') AS in_stock FROM products p";

fn entries(rows: Vec<EntryRow>) -> Vec<Entry> {
    let entry = |row: EntryRow| Entry {
        id: row.id,
        title: row.title,
        description: row.description,
        category: row.category_id,
        price: row.price,
        created: row.created,
        in_stock: row.in_stock,
    };
    rows.into_iter().map(entry).collect()
}

/// Deletes changes over an hour old, of transactions that everybody who looks has long been able to see; and those of
/// another server, which nobody has to follow. Whoever has not looked for so long builds anew. Gives how many went,
/// [`PRUNED`] at most.
pub(super) async fn prune(tx: &mut Tx) -> QueryResult<i64> {
    let query = "WITH gone AS (\
                     DELETE FROM search_changes WHERE (xid, id) IN (\
                         SELECT xid, id FROM (SELECT * FROM search_changes ORDER BY xid, id LIMIT $2) oldest \
                         WHERE xid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint \
                           AND created_at < now() - interval '1 hour' \
                         UNION ALL (SELECT xid, id FROM search_changes WHERE xid >= $3 LIMIT $2)) \
                       AND pg_try_advisory_xact_lock($1) \
                     RETURNING xid, kind), \
                 noted AS (\
                     UPDATE search_log SET pruned_below = greatest(\
                             CASE WHEN pruned_below <= $3 THEN pruned_below ELSE 0 END, \
                             (SELECT max(xid) + 1 FROM gone WHERE xid < $3)), \
                         pruned_titles = pruned_titles \
                             + (SELECT count(*) FROM gone WHERE kind IN ('title', 'everything')) \
                     WHERE EXISTS (SELECT FROM gone)) \
                 SELECT count(*) AS number FROM gone";
    let query = sql_query(query.replace("$3", NEXT)).bind::<BigInt, _>(PRUNING).bind::<BigInt, _>(PRUNED);
    let gone: NumberRow = query.get_result(&mut **tx).await?;
    Ok(gone.number.unwrap_or_default())
}

/// Changes that are pruned at a time.
pub(super) const PRUNED: i64 = 50_000;

/// The advisory lock of whoever prunes. The number means nothing.
const PRUNING: i64 = 0x7072_756e;

fn parse(text: &str) -> QueryResult<Position> {
    text.parse().map_err(|error| diesel::result::Error::DeserializationError(Box::new(error)))
}

#[cfg(test)]
mod tests {
    use testkit::{TestDatabase, rows_read, rows_read_so_far};

    use super::*;

    async fn look(test: &TestDatabase) -> (i64, i64, i64) {
        test.transaction(|tx| {
            Box::pin(async {
                let count = sql_query("SELECT count(*) AS number FROM search_changes");
                let left: NumberRow = count.get_result(&mut **tx).await?;
                let nothing = Position { least: 0, next: 0, under_way: Vec::new(), taken_at: 0 };
                let poll = poll(tx, &nothing).await?;
                let generation = generation(tx).await? & ((1 << 31) - 1);
                Ok::<_, db::Error>((left.number.unwrap(), generation, poll.pruned_below))
            })
        })
        .await
        .unwrap()
    }

    #[tokio::test]
    async fn what_is_old_is_pruned_and_stays_counted() {
        let test = TestDatabase::new().await;
        let (build, sql) = (test.build().await, test.sql().await);
        build.product("Green Tea", "drinks", "1").await;
        sql.batch_execute("UPDATE search_changes SET created_at = now() - interval '61 minutes'").await.unwrap();
        build.product("Black Tea", "drinks", "1").await;
        let (all, generation, pruned_below) = look(&test).await;
        assert_eq!((generation, pruned_below), (2, 0));
        let prune = || test.transaction(|tx| Box::pin(async { Ok::<_, db::Error>(prune(tx).await?) }));
        // What anybody's transaction began before, in any database of the server, has to stay for now.
        let mut pruned = 0;
        while pruned < 2 {
            pruned += prune().await.unwrap();
            tokio::task::yield_now().await;
        }
        let (left, still, pruned_below) = look(&test).await;
        assert!(left >= 1, "{pruned} of {all} went");
        assert_eq!((left + pruned, still), (all, generation));
        let kept: i64 = sql.query_one("SELECT min(xid) FROM search_changes", &[]).await.unwrap().get(0);
        assert!(0 < pruned_below && pruned_below <= kept, "{pruned_below}, {kept}");
        assert_eq!(prune().await.unwrap(), 0);
    }

    /// A dump brings along the numbers of the server that it was made on.
    #[tokio::test]
    async fn numbers_of_another_server_mean_nothing_and_go() {
        let test = TestDatabase::new().await;
        let (build, sql) = (test.build().await, test.sql().await);
        build.product("Green Tea", "drinks", "1").await;
        let forge = "UPDATE search_changes SET xid = xid + 1000000000000; \
                     UPDATE search_log SET pruned_below = 1000000000000";
        sql.batch_execute(forge).await.unwrap();
        let (_, generation, pruned_below) = look(&test).await;
        assert_eq!((generation, pruned_below), (1, 0));
        let mut conn = test.connection().await.unwrap();
        let now = position(&mut conn).await.unwrap();
        assert!(!poll(&mut conn, &now).await.unwrap().has_changes);
        assert_eq!(behind(&mut conn, &now).await.unwrap(), 0);
        let prune = || test.transaction(|tx| Box::pin(async { Ok::<_, db::Error>(prune(tx).await?) }));
        assert_eq!(prune().await.unwrap(), 2, "the product and its category");
        let (left, generation, pruned_below) = look(&test).await;
        assert_eq!((left, generation, pruned_below), (0, 1, 0));
        // What is pruned from now on counts, though its numbers are lower.
        build.product("Black Tea", "drinks", "1").await;
        sql.batch_execute("UPDATE search_changes SET created_at = now() - interval '61 minutes'").await.unwrap();
        while prune().await.unwrap() == 0 {
            tokio::task::yield_now().await;
        }
        let (_, generation, pruned_below) = look(&test).await;
        assert!(generation == 2 && 0 < pruned_below && pruned_below < 1_000_000_000_000, "{pruned_below}");
    }

    #[tokio::test]
    async fn what_was_seen_is_not_read_again() {
        let test = TestDatabase::new().await;
        let log = "INSERT INTO search_changes (xid, kind) SELECT 3, 'category' FROM generate_series(1, 5000)";
        test.sql().await.batch_execute(log).await.unwrap();
        let mut conn = test.connection().await.unwrap();
        let now = position(&mut conn).await.unwrap();
        // More often than PostgreSQL plans for each call anew.
        for _ in 0..8 {
            let (found, read) = rows_read(&mut conn, async |conn| poll(conn, &now).await.unwrap().has_changes).await;
            assert!(!found && read < 10, "{read} rows read");
        }
        let (found, read) = rows_read(&mut conn, async |conn| behind(conn, &now).await.unwrap()).await;
        assert!(found == 0 && read < 10, "{read} rows read");
        let looked = test.transaction(move |tx| {
            Box::pin(async move {
                let before = rows_read_so_far(tx).await;
                let found = changes(tx, &now, 10).await?.len();
                Ok::<_, db::Error>((found, rows_read_so_far(tx).await - before))
            })
        });
        let (found, read) = looked.await.unwrap();
        assert!(found == 0 && read < 10, "{read} rows read");
    }
}
