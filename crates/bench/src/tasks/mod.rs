//! Confirmations: how many a second one worker brings to their end, and what it keeps in memory meanwhile.
//!
//! Nobody is to be mailed: a confirmation is then a line of the log and a mark on disk.

mod worker;

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tokio_postgres::Client;

pub(crate) use self::worker::Worker;
use crate::database::BenchDatabase;
use crate::machine;
use crate::options::Options;
use crate::orders::seed;
use crate::report::{Bar, Limit, Report, Table, thousands};

/// Confirmations that wait when the worker starts.
const WAITING: i64 = 40_000;

/// What one worker has to bring to its end in a second.
const RATE: f64 = 2_000.0;

/// Confirmations a second while the memory is watched: several times what a busy shop has.
const STEADY: i64 = 500;

/// How much the worker's memory may grow, in MiB, from the second quarter of that time to the last.
const GROWTH: f64 = 4.0;

/// How long a backlog may take before the run has failed.
const LIMIT: Duration = Duration::from_secs(120);

/// Between two looks at what is left. To count it takes the database several milliseconds, which the worker lacks.
const GLANCE: Duration = Duration::from_millis(250);

/// By which way confirmations come to the worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Broker,
    Outbox,
}

/// The bulk of a confirmed order, without lines: what its confirmation needs.
const RECORD: &str = "
    WITH placed AS (
        INSERT INTO orders (store_id, status, total_items, total_price)
        SELECT 1 + number % $2::bigint, 'CONFIRMED', 1, 1 FROM generate_series(1, $1::bigint) AS number
        RETURNING store_id, id),
    told AS (
        INSERT INTO confirmations (store_id, order_id) SELECT store_id, id FROM placed)
    INSERT INTO outbox (store_id, kind, payload)
    SELECT store_id, 'order.confirmed', jsonb_build_object('store_id', store_id, 'order_id', id) FROM placed";

/// Measures both ways in rounds, then watches the memory; judges.
pub(crate) async fn run(options: &Options) -> Result<Report> {
    let amqp = std::env::var("AMQP_URL").context("AMQP_URL is not set: start this with `make bench`")?;
    let database = BenchDatabase::create("bench_tasks").await?;
    let sql = database.sql().await?;
    let machine = machine::describe(&sql).await?;
    eprintln!("{machine}");
    seed::fill(&sql).await?;

    let mut report = Report { title: "Confirmations".into(), ..Report::default() };
    let mut table = Table::new("", &["", "a second, by round"]);
    for (way, what) in [(Way::Broker, "through RabbitMQ"), (Way::Outbox, "straight from the outbox")] {
        if !options.wants(what) {
            continue;
        }
        let mut rates = Vec::new();
        for round in 1..=options.rounds {
            let rate = drain(&database, &sql, way.url(&amqp)).await?;
            eprintln!("round {round}, {what}: {rate:.0}/s");
            rates.push(rate);
        }
        table.row([what.to_owned(), rates.iter().map(|rate| thousands(*rate)).collect::<Vec<_>>().join(", ")]);
        rates.sort_by(f64::total_cmp);
        let median = rates[rates.len() / 2];
        report.bars.push(Bar::new(format!("confirmations a second, {what}: median"), median, "", Limit::AtLeast(RATE)));
    }
    report.tables.push(table);
    if options.wants("memory") {
        let (growth, note) = watch(&database, &sql, &amqp, options.steady()).await?;
        report.bars.push(Bar::new("growth of the worker's memory", growth, "MiB", Limit::Below(GROWTH)));
        report.notes.push(note);
    }
    let twice: i64 = sql.query_one("SELECT count(*) FROM confirmations WHERE attempts <> 1", &[]).await?.get(0);
    report.bars.push(Bar::new("confirmations that took more than one attempt", twice as f64, "", Limit::Below(1.0)));
    report.notes.extend([machine, format!("A backlog of {} is brought to its end.", thousands(WAITING as f64))]);
    Ok(report)
}

/// Has a backlog worked off; confirmations a second, of the last nine tenths.
async fn drain(database: &BenchDatabase, sql: &Client, amqp: Option<&str>) -> Result<f64> {
    record(sql, WAITING).await?;
    // Apart: what is sent together is one transaction, and VACUUM wants none.
    sql.batch_execute("VACUUM (ANALYZE) orders, confirmations, outbox").await?;
    sql.batch_execute("CHECKPOINT").await?;
    let worker = Worker::start(database.url(), amqp)?;
    let warm = until(sql, WAITING * 9 / 10).await?;
    let over = until(sql, 0).await?;
    worker.stop().await?;
    let done = (warm.1 - over.1) as f64;
    Ok(done / (over.0 - warm.0).as_secs_f64())
}

/// A steady load for so long. Returns how much the memory grew, and how it went.
async fn watch(database: &BenchDatabase, sql: &Client, amqp: &str, time: Duration) -> Result<(f64, String)> {
    let worker = Worker::start(database.url(), Some(amqp))?;
    let (began, mut sizes) = (Instant::now(), Vec::new());
    let mut ticks = tokio::time::interval(Duration::from_millis(200));
    let mut recorded = 0;
    while began.elapsed() < time {
        ticks.tick().await;
        record(sql, STEADY / 5).await?;
        recorded += STEADY / 5;
        sizes.push(worker.resident()?);
    }
    until(sql, 0).await?;
    worker.stop().await?;
    let quarter = sizes.len() / 4;
    let mean = |sizes: &[f64]| sizes.iter().sum::<f64>() / sizes.len().max(1) as f64;
    let (early, late) = (mean(&sizes[quarter..2 * quarter]), mean(&sizes[3 * quarter..]));
    let note = format!(
        "Memory: {} confirmations in {} s; resident {early:.1} MiB in the second quarter of the time, {late:.1} in the last.",
        thousands(recorded as f64),
        time.as_secs()
    );
    Ok((late - early, note))
}

async fn record(sql: &Client, orders: i64) -> Result<()> {
    let recorded = sql.execute(RECORD, &[&orders, &seed::STORES]).await?;
    ensure!(i64::try_from(recorded) == Ok(orders), "{recorded} of {orders} orders were recorded");
    Ok(())
}

/// Waits until no more than so many events are left; when that was, and how many were left.
async fn until(sql: &Client, most: i64) -> Result<(Instant, i64)> {
    let began = Instant::now();
    loop {
        let left: i64 = sql.query_one("SELECT count(*) FROM outbox", &[]).await?.get(0);
        if left <= most {
            return Ok((Instant::now(), left));
        }
        ensure!(began.elapsed() < LIMIT, "{left} confirmations are not sent after {LIMIT:?}");
        tokio::time::sleep(GLANCE).await;
    }
}

impl Way {
    fn url(self, amqp: &str) -> Option<&str> {
        match self {
            Self::Broker => Some(amqp),
            Self::Outbox => None,
        }
    }
}
