//! The same questions put to PostgreSQL alone, at its best: one table made for searching, with the words of each
//! product stored, under full-text and trigram indexes; no HTTP, no counting of facets by code.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use anyhow::Result;
use futures_util::future::try_join_all;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Statement};

use super::words::Words;
use crate::cpu::{Shares, Watch};
use crate::database::BenchDatabase;
use crate::load::Window;
use crate::options::{Options, Pace};
use crate::tally::{Tally, Verdict};

/// What searching in PostgreSQL needs. Made once for a database that is kept.
const TABLE: &str = "
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
    CREATE TABLE bench_documents AS
        SELECT id, title, lower(title) AS title_key, price, created_at, category_id,
               setweight(to_tsvector('english', title), 'A') || setweight(to_tsvector('english', description), 'C') AS words
        FROM products;
    ALTER TABLE bench_documents ADD PRIMARY KEY (id);
    CREATE INDEX ON bench_documents USING gin (words) WITH (fastupdate = off);
    CREATE INDEX ON bench_documents USING gin (title_key gin_trgm_ops) WITH (fastupdate = off);
    CREATE INDEX ON bench_documents (title_key text_pattern_ops);
    CREATE INDEX ON bench_documents (price, id);
    CREATE INDEX ON bench_documents (created_at, id);
    VACUUM (ANALYZE) bench_documents";

/// A question in SQL; `$1` is what was typed, if anything.
struct Question {
    name: &'static str,
    query: &'static str,
    words: Option<fn(&Words) -> &[String]>,
    /// Makes what is typed a value of `$1`.
    write: fn(&str) -> String,
}

/// Every word, the last one as a beginning.
fn as_query(typed: &str) -> String {
    format!("{}:*", typed.replace('+', " & "))
}

const RANKED: &str = "
    SELECT id, title, count(*) OVER () FROM bench_documents, to_tsquery('english', $1) AS q
    WHERE words @@ q ORDER BY ts_rank(words, q) DESC, id LIMIT 20";

fn questions() -> Vec<Question> {
    let ranked = |name, words| Question { name, query: RANKED, words: Some(words), write: as_query };
    vec![
        ranked("one broad word", |words| &words.broad),
        ranked("two words", |words| &words.pairs),
        ranked("prefix", |words| &words.prefixes),
        Question {
            name: "typing error",
            query: "SELECT id, title FROM bench_documents WHERE title_key %> $1
                    ORDER BY word_similarity($1, title_key) DESC, id LIMIT 20",
            words: Some(|words| &words.typos),
            write: str::to_owned,
        },
        Question {
            name: "broad, in stock at a store",
            query: "SELECT id, title, count(*) OVER () FROM bench_documents, to_tsquery('english', $1) AS q
                    WHERE words @@ q AND id IN (SELECT product_id FROM inventory WHERE store_id = 1 AND quantity > 0)
                    ORDER BY ts_rank(words, q) DESC, id LIMIT 20",
            words: Some(|words| &words.broad),
            write: as_query,
        },
        Question {
            name: "broad, sort=price",
            query: "SELECT id, title, count(*) OVER () FROM bench_documents
                    WHERE words @@ to_tsquery('english', $1) ORDER BY price, id LIMIT 20",
            words: Some(|words| &words.broad),
            write: as_query,
        },
        Question {
            name: "broad, facets",
            query: "SELECT category_id, width_bucket(price, ARRAY[10, 20, 50, 100, 200]::numeric[]), count(*)
                    FROM bench_documents WHERE words @@ to_tsquery('english', $1)
                    GROUP BY GROUPING SETS ((1), (2))",
            words: Some(|words| &words.broad),
            write: as_query,
        },
        Question {
            name: "everything, sort=price",
            query: "SELECT id, title, (SELECT count(*) FROM bench_documents) FROM bench_documents ORDER BY price, id LIMIT 20",
            words: None,
            write: str::to_owned,
        },
        Question {
            name: "suggest, miss",
            query: "(SELECT title FROM bench_documents WHERE title_key LIKE $1 || '%' ORDER BY title_key LIMIT 10)
                    UNION ALL
                    (SELECT title FROM bench_documents WHERE title_key LIKE '%' || $1 || '%' ORDER BY title_key LIMIT 10)
                    LIMIT 10",
            words: Some(|words| &words.beginnings),
            write: |typed| typed.replace('+', " "),
        },
    ]
}

/// Makes the table and its indexes, unless they are there.
pub(crate) async fn prepare(database: &BenchDatabase) -> Result<()> {
    let sql = database.sql().await?;
    if sql.query_one("SELECT to_regclass('bench_documents') IS NOT NULL", &[]).await?.get(0) {
        return Ok(());
    }
    for statement in TABLE.split(';') {
        sql.batch_execute(statement).await?;
    }
    Ok(())
}

/// Asks every question for a while with `connections` sessions.
pub(crate) async fn measure(
    database: &BenchDatabase,
    postmaster: Option<u32>,
    words: &Words,
    options: &Options,
    connections: usize,
) -> Result<Vec<(&'static str, Tally, Shares)>> {
    let mut found = Vec::new();
    let pace = Pace { measured: Duration::from_secs(5), ..options.pace() };
    for question in questions().into_iter().filter(|question| options.wants(question.name)) {
        let watch = Watch::begin(0, postmaster).await;
        let tally = ask(database, &question, words, pace, connections).await?;
        eprintln!("PostgreSQL alone, {}: {}", question.name, tally.in_short());
        found.push((question.name, tally, watch.end()));
    }
    Ok(found)
}

async fn ask(
    database: &BenchDatabase,
    question: &Question,
    words: &Words,
    pace: Pace,
    connections: usize,
) -> Result<Tally> {
    let sessions = try_join_all((0..connections).map(async |_| {
        let sql = database.sql().await?;
        sql.batch_execute("SET statement_timeout = '60s'; SET jit = off").await?;
        let statement = sql.prepare(question.query).await?;
        anyhow::Ok((sql, statement))
    }));
    let sessions = sessions.await?;
    let tally = RefCell::new(Tally::new()?);
    let window = Window::opening_now(pace);
    let drive = async |(number, (sql, statement)): (usize, (Client, Statement))| -> Result<()> {
        let mut rng = SmallRng::seed_from_u64(number as u64);
        while window.is_open() {
            let typed = question.words.and_then(|kind| kind(words).choose(&mut rng)).map(|word| (question.write)(word));
            let parameters: Vec<&(dyn ToSql + Sync)> = typed.iter().map(|typed| typed as _).collect();
            let begun = Instant::now();
            let rows = sql.query(&statement, &parameters).await?;
            let latency: Option<Duration> = window.latency(begun);
            let verdict = if rows.is_empty() { Verdict::Odd } else { Verdict::Good };
            tally.borrow_mut().count(verdict, latency);
        }
        Ok(())
    };
    try_join_all(sessions.into_iter().enumerate().map(drive)).await?;
    let mut tally = tally.into_inner();
    tally.lasted(pace.measured);
    Ok(tally)
}
