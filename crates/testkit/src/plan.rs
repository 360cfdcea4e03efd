//! What PostgreSQL does for a statement: looked at from the connection that prepared it.

use db::Connection;
use diesel::sql_types::{BigInt, Json, Text};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use serde_json::Value;

/// A plan that was run, with what it took.
#[derive(Debug)]
pub struct Plan(Value);

#[derive(diesel::QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(diesel::QueryableByName)]
struct Explained {
    #[diesel(sql_type = Json, column_name = "QUERY PLAN")]
    plan: Value,
}

#[derive(diesel::QueryableByName)]
struct RowsRead {
    #[diesel(sql_type = BigInt)]
    rows: i64,
}

impl Plan {
    /// Runs the one statement that `conn` has prepared whose text contains `part`, with `arguments` as SQL.
    pub async fn of(conn: &mut Connection, part: &str, arguments: &str) -> Self {
        let names = "SELECT name FROM pg_prepared_statements WHERE strpos(statement, $1) > 0 \
                     AND strpos(statement, 'pg_prepared_statements') = 0";
        let names: Vec<Name> =
            diesel::sql_query(names).bind::<Text, _>(part).load(conn).await.expect("the statements can be listed");
        let [Name { name }] = names.as_slice() else { panic!("{} statements have {part}", names.len()) };
        let explain = format!("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE {name}({arguments})");
        let explained: Explained = diesel::sql_query(explain).get_result(conn).await.expect("the statement runs");
        Self(explained.plan[0]["Plan"].clone())
    }

    /// Pages of 8 kB that it looked at, in memory or not.
    pub fn buffers(&self) -> i64 {
        ["Shared Hit Blocks", "Shared Read Blocks"].iter().filter_map(|key| self.0[*key].as_i64()).sum()
    }

    /// Rows that it returned.
    pub fn rows(&self) -> i64 {
        self.0["Actual Rows"].as_f64().map_or(-1, |rows| rows as i64)
    }

    /// Every step, such as `Seq Scan on products`, from the top.
    pub fn steps(&self) -> Vec<String> {
        fn visit(step: &Value, steps: &mut Vec<String>) {
            let kind = step["Node Type"].as_str().unwrap_or_default();
            let table = step["Relation Name"].as_str().map(|table| format!(" on {table}")).unwrap_or_default();
            steps.push(format!("{kind}{table}"));
            step["Plans"].as_array().into_iter().flatten().for_each(|step| visit(step, steps));
        }
        let mut steps = Vec::new();
        visit(&self.0, &mut steps);
        steps
    }
}

/// What `work` returns, and how many rows of tables PostgreSQL read for it, by scans and through indexes. What the
/// connection did before may not be in the statistics yet, so a difference is taken.
pub async fn rows_read<T>(conn: &mut Connection, work: impl AsyncFnOnce(&mut Connection) -> T) -> (T, i64) {
    conn.batch_execute("BEGIN").await.expect("a transaction begins");
    let before = rows_read_so_far(conn).await;
    let value = work(conn).await;
    let after = rows_read_so_far(conn).await;
    conn.batch_execute("COMMIT").await.expect("the transaction ends");
    (value, after - before)
}

/// How many rows of tables this connection read since it last gave its statistics away, which it never does inside a
/// transaction.
pub async fn rows_read_so_far(conn: &mut Connection) -> i64 {
    let read = "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint AS rows FROM pg_stat_xact_user_tables";
    let read: RowsRead = diesel::sql_query(read).get_result(conn).await.expect("the statistics can be read");
    read.rows
}
