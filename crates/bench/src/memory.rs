//! What a gateway and a worker keep in memory, in a shop of the default seed after a morning's requests.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures_util::future::try_join_all;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use tokio_postgres::Client;

use crate::database::BenchDatabase;
use crate::gateway::Gateway;
use crate::http::{self, Connection};
use crate::machine;
use crate::manage::manage;
use crate::report::{Bar, Limit, Report, Table};
use crate::tasks::Worker;

/// Requests in all: orders, searches, suggestions and lists.
const REQUESTS: usize = 10_000;

/// Connections that share them.
const CLIENTS: usize = 16;

/// What the gateway may keep, in MiB.
const GATEWAY: f64 = 60.0;

/// What the worker may keep, in MiB.
const WORKER: f64 = 40.0;

/// How long the confirmations of these orders may take.
const CONFIRMING: Duration = Duration::from_secs(60);

/// What people type.
const WORDS: [&str; 8] = ["steel", "watter bottle", "pan", "lamp oak", "ceramic mug", "wol", "travel", "blue canvas"];

/// Seeds, asks, waits for what comes of it, weighs and judges.
pub(crate) async fn run() -> Result<Report> {
    let amqp = std::env::var("AMQP_URL").context("AMQP_URL is not set: start this with `make bench`")?;
    let database = BenchDatabase::create("bench_memory").await?;
    let sql = database.sql().await?;
    let machine = machine::describe(&sql).await?;
    eprintln!("{machine}");
    manage(&database, &["seed"]).await?;
    let stock = "SELECT store_id, product_id FROM inventory WHERE quantity > 20 ORDER BY random() LIMIT 5000";
    let stock: Vec<(i64, i64)> = sql.query(stock, &[]).await?.iter().map(|row| (row.get(0), row.get(1))).collect();

    let mut gateway = Gateway::start(&[("DATABASE_URL", database.url())])?;
    let worker = Worker::start(database.url(), Some(&amqp))?;
    gateway.until_ready(Duration::from_secs(30)).await?;
    let mut table = Table::new("Resident, MiB", &["", "gateway", "its own", "worker"]);
    let mut weigh = |when: &str| {
        let (memory, worker) = (gateway.memory()?, worker.resident()?);
        let figures = [memory.resident, memory.anonymous, worker].map(|mib| format!("{mib:.1}"));
        let [resident, anonymous, of_worker] = figures;
        table.row([when.to_owned(), resident, anonymous, of_worker]);
        Ok::<_, anyhow::Error>((memory.resident, worker))
    };
    weigh("at the start")?;
    let begun = Instant::now();
    try_join_all((0..CLIENTS).map(|client| ask(&gateway, &stock, client))).await?;
    eprintln!("{REQUESTS} requests in {:.1} s", begun.elapsed().as_secs_f64());
    let confirmed = until_confirmed(&sql).await?;
    let (of_gateway, of_worker) = weigh("in the end")?;
    gateway.stop().await?;
    worker.stop().await?;

    let mut report = Report { title: "Memory".into(), ..Report::default() };
    report.bars.push(Bar::new("gateway, resident", of_gateway, "MiB", Limit::Below(GATEWAY)));
    report.bars.push(Bar::new("worker, resident", of_worker, "MiB", Limit::Below(WORKER)));
    report.tables.push(table);
    let what =
        format!("{REQUESTS} requests over {CLIENTS} connections to the default seed; {confirmed} orders confirmed.");
    report.notes.extend([machine, what]);
    Ok(report)
}

/// One client's share of the requests, each of which must be served.
async fn ask(gateway: &Gateway, stock: &[(i64, i64)], client: usize) -> Result<()> {
    let mut random = SmallRng::seed_from_u64(client as u64);
    let mut connection = Connection::open(gateway.address).await?;
    for number in 0..REQUESTS / CLIENTS {
        let (store, product) = stock[random.random_range(0..stock.len())];
        let words = WORDS[random.random_range(0..WORDS.len())].replace(' ', "+");
        let mut request = Vec::new();
        match number % 10 {
            0..4 => {
                let body =
                    format!(r#"{{"store_id":{store},"items":[{{"product_id":{product},"quantity_requested":1}}]}}"#);
                http::post(&mut request, "/orders/", None, &body);
            }
            4..6 => http::get(&mut request, &format!("/api/search/products/?q={words}&store_id={store}&facets=true")),
            6..8 => http::get(&mut request, &format!("/api/search/suggest/?q={words}")),
            8 => http::get(&mut request, &format!("/stores/{store}/inventory/?page={}", random.random_range(1..15))),
            _ => http::get(&mut request, &format!("/stores/{store}/orders/")),
        }
        let status = connection.exchange(&request).await?.status;
        ensure!([200, 201].contains(&status), "{} is answered {status}", String::from_utf8_lossy(&request));
    }
    Ok(())
}

/// Waits until every confirmed order was told of; how many that are.
async fn until_confirmed(sql: &Client) -> Result<i64> {
    let begun = Instant::now();
    let waiting = "SELECT count(*) FILTER (WHERE state <> 'sent'), count(*) FROM confirmations";
    while begun.elapsed() < CONFIRMING {
        let row = sql.query_one(waiting, &[]).await?;
        if row.get::<_, i64>(0) == 0 {
            return Ok(row.get(1));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    anyhow::bail!("not every order is confirmed after {CONFIRMING:?}")
}
