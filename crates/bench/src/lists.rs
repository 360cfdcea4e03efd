//! Lists of a million rows, at pages all over them: those of the API by number, those of the staff site by key.

mod staff;

use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use tokio::process::Command;

use crate::cpu::{Shares, Watch};
use crate::database::BenchDatabase;
use crate::gateway::{Gateway, beside_us};
use crate::http::{self, Connection, Reply};
use crate::load::{self, Source};
use crate::machine;
use crate::options::Options;
use crate::report::{Bar, Limit, Report, Table};
use crate::tally::{Tally, Verdict};

/// Milliseconds that 99 of 100 pages have to stay below.
const LIMIT: f64 = 50.0;

/// Rows of a page.
const PAGE: i64 = 20;

/// How long getting ready may take, the search's index being built meanwhile.
const PATIENCE: Duration = Duration::from_secs(300);

/// A list, with its filters: what it is, how many rows it has, and its pages.
struct List {
    name: &'static str,
    rows: i64,
    pages: Pages,
}

/// How pages are come by.
enum Pages {
    /// By number, at this address.
    Numbered(String),
    /// At these addresses, by somebody with this cookie.
    Listed { addresses: Vec<String>, cookie: String },
}

/// Fills a database, reads pages of every list, and judges.
pub(crate) async fn run(options: &Options) -> Result<Report> {
    let million = i64::try_from(options.products())?;
    let database = database(options, million).await?;
    let sql = database.sql().await?;
    let machine = machine::describe(&sql).await?;
    eprintln!("{machine}");
    let mut lists = lists(&sql).await?;
    lists.extend(staff::lists(&sql, &staff::sign_in(&sql).await?).await?);
    lists.retain(|list| options.wants(list.name));
    let mut gateway = Gateway::start(&[("DATABASE_URL", database.url())])?;
    gateway.until_ready(PATIENCE).await?;
    let postmaster = database.postmaster().await?;

    let mut report = Report { title: "Lists".into(), ..Report::default() };
    let mut first =
        Table::new("The first page that is read of a list, and the first far one", &["", "rows", "first ms", "far ms"]);
    let mut figures = Table::of_figures("Pages all over the list, one connection");
    let mut read = Vec::new();
    for list in &lists {
        let cold = time(&gateway, list, true).await?;
        let far = time(&gateway, list, false).await?;
        first.row([list.name.to_owned(), list.rows.to_string(), format!("{cold:.1}"), format!("{far:.1}")]);
        let (mut all, mut cpu) = (Tally::new()?, Shares::default());
        for round in 1..=options.rounds {
            let watch = Watch::begin(gateway.pid(), postmaster).await;
            let tally = load::run(gateway.address, options.pace(), vec![list.source(round)], judge).await?;
            let taken = watch.end();
            eprintln!("round {round}, {}: {}, {taken}", list.name, tally.in_short());
            all.add(&tally)?;
            cpu.add(&taken);
        }
        figures.figures(list.name, &all, &cpu);
        report.bars.push(Bar::new(format!("{}: p99", list.name), all.quantile(0.99), "ms", Limit::Below(LIMIT)));
        read.push((list.name.to_owned(), all));
    }
    gateway.stop().await?;
    report.judge_answers(read.iter().map(|(name, tally)| (name.clone(), tally)));
    report.tables.extend([first, figures]);
    report.notes.extend([machine, options.method()]);
    Ok(report)
}

impl List {
    /// Any of its pages.
    fn source(&self, stream: u64) -> Source<'_> {
        let mut rng = SmallRng::seed_from_u64(stream);
        match &self.pages {
            Pages::Numbered(address) => {
                let pages = (self.rows + PAGE - 1) / PAGE;
                Box::new(move |request| http::get(request, &page(address, rng.random_range(1..=pages.max(1)))))
            }
            Pages::Listed { addresses, cookie } => Box::new(move |request| {
                http::get_as(request, &addresses[rng.random_range(0..addresses.len())], cookie);
            }),
        }
    }

    /// Writes a request of the first page, or of one in the middle.
    fn write(&self, request: &mut Vec<u8>, is_first: bool) {
        match &self.pages {
            Pages::Numbered(address) if is_first => http::get(request, &page(address, 1)),
            Pages::Numbered(address) => http::get(request, &page(address, (self.rows / PAGE / 2).max(1))),
            Pages::Listed { addresses, cookie } => {
                http::get_as(request, &addresses[if is_first { 0 } else { addresses.len() / 2 }], cookie);
            }
        }
    }
}

fn page(address: &str, number: i64) -> String {
    let sign = if address.contains('?') { '&' } else { '?' };
    format!("{address}{sign}page={number}&page_size={PAGE}")
}

fn judge(reply: &Reply) -> Verdict {
    if reply.status == 200 { Verdict::Good } else { load::bad(reply) }
}

/// Milliseconds that one page takes.
async fn time(gateway: &Gateway, list: &List, is_first: bool) -> Result<f64> {
    let (mut connection, mut request) = (Connection::open(gateway.address).await?, Vec::new());
    list.write(&mut request, is_first);
    let begun = Instant::now();
    let status = connection.exchange(&request).await?.status;
    ensure!(status == 200, "{}: {status}", list.name);
    Ok(begun.elapsed().as_secs_f64() * 1_000.0)
}

/// A million of everything over some two thousand stores, and one store that has a million of its own.
async fn database(options: &Options, million: i64) -> Result<BenchDatabase> {
    let name = format!("bench_lists_{million}_{}", db::MIGRATIONS_FINGERPRINT);
    let mut database = match BenchDatabase::find(&name).await? {
        Some(kept) => kept,
        None => {
            let database = BenchDatabase::create(&name).await?;
            fill(&database, million).await?;
            database.finish().await?;
            database
        }
    };
    if options.keep {
        database.keep();
    }
    Ok(database)
}

async fn fill(database: &BenchDatabase, million: i64) -> Result<()> {
    let number = |flag: &str, count: i64| [flag.to_owned(), count.to_string()];
    let mut seed = Command::new(beside_us("manage")?);
    seed.arg("seed").args(number("--products", million)).args(number("--stores", million / 450));
    seed.args(number("--orders", million)).env("DATABASE_URL", database.url()).stdin(Stdio::null());
    let status = seed.stdout(Stdio::null()).kill_on_drop(true).status().await?;
    ensure!(status.success(), "manage seed ended with {status}");
    let large = format!(
        "INSERT INTO stores (name) VALUES ('Everything');
         ALTER TABLE inventory DISABLE TRIGGER USER;
         INSERT INTO inventory (store_id, product_id, quantity)
             SELECT (SELECT max(id) FROM stores), id, CASE WHEN id % 10 = 0 THEN 0 ELSE id * 7919 % 300 END FROM products;
         INSERT INTO stores (name) VALUES ('Sparse');
         INSERT INTO inventory (store_id, product_id, quantity)
             SELECT (SELECT max(id) FROM stores), id, id / 50 % 20 FROM products WHERE id % 50 = 0;
         ALTER TABLE inventory ENABLE TRIGGER USER;
         INSERT INTO audit_log (actor, action, object_kind, object_id, created_at)
             SELECT 'till', 'change', CASE WHEN n % 3 = 0 THEN 'inventory' ELSE 'product' END, (n % 100000)::text,
                    now() - n * interval '10 seconds' FROM generate_series(1, {million}) AS n;
         INSERT INTO orders (store_id, status, created_at)
             SELECT (SELECT id FROM stores WHERE name = 'Everything'), CASE n % 50 WHEN 0 THEN 'REJECTED' WHEN 1 THEN 'CANCELLED' ELSE 'CONFIRMED' END,
                    now() - n * interval '31 seconds' FROM generate_series(1, {million}) AS n;
         INSERT INTO confirmations (store_id, order_id, state, attempts, sent_at, created_at)
             SELECT store_id, id, 'sent', 1, created_at, created_at FROM orders
             WHERE store_id = (SELECT id FROM stores WHERE name = 'Everything') AND status <> 'REJECTED';"
    );
    let sql = database.sql().await?;
    sql.batch_execute(&large).await?;
    Ok(sql.batch_execute("VACUUM (ANALYZE)").await?)
}

async fn lists(sql: &tokio_postgres::Client) -> Result<Vec<List>> {
    let store: i64 = sql.query_one("SELECT id FROM stores WHERE name = 'Everything'", &[]).await?.get(0);
    let category: i64 = sql.query_one("SELECT min(category_id) FROM products", &[]).await?.get(0);
    let of_large = format!("inventory JOIN products ON id = product_id WHERE store_id = {store}");
    let orders = format!("orders WHERE store_id = {store}");
    let then = "2020-01-01T00:00:00Z";
    let wanted = [
        ("products", "/products/".to_owned(), "products".to_owned()),
        (
            "products of a category",
            format!("/products/?category={category}"),
            format!("products WHERE category_id = {category}"),
        ),
        ("stores", "/stores/".into(), "stores".into()),
        ("a usual store's inventory", "/stores/1/inventory/".into(), "inventory WHERE store_id = 1".into()),
        (
            "a usual store's inventory, q",
            "/stores/1/inventory/?q=steel".into(),
            "inventory JOIN products ON id = product_id WHERE store_id = 1 AND strpos(title_key, 'steel') > 0".into(),
        ),
        ("a million in one inventory", format!("/stores/{store}/inventory/"), of_large.clone()),
        (
            "a million in one inventory, in stock",
            format!("/stores/{store}/inventory/?in_stock=true"),
            format!("{of_large} AND quantity > 0"),
        ),
        (
            "a million in one inventory, low stock",
            format!("/stores/{store}/inventory/?low_stock=5"),
            format!("{of_large} AND quantity <= 5"),
        ),
        (
            "a million in one inventory, of a category",
            format!("/stores/{store}/inventory/?category={category}"),
            format!("{of_large} AND category_id = {category}"),
        ),
        (
            "a million in one inventory, q",
            format!("/stores/{store}/inventory/?q=steel"),
            format!("{of_large} AND strpos(title_key, 'steel') > 0"),
        ),
        ("a usual store's orders", "/stores/1/orders/".into(), "orders WHERE store_id = 1".into()),
        ("a million orders of one store", format!("/stores/{store}/orders/"), orders.clone()),
        (
            "a million orders, confirmed",
            format!("/stores/{store}/orders/?status=CONFIRMED"),
            format!("{orders} AND status = 'CONFIRMED'"),
        ),
        (
            "a million orders, rejected",
            format!("/stores/{store}/orders/?status=REJECTED"),
            format!("{orders} AND status = 'REJECTED'"),
        ),
        (
            "a million orders, since 2020",
            format!("/stores/{store}/orders/?created_after={then}"),
            format!("{orders} AND created_at >= '{then}'"),
        ),
    ];
    let mut lists = Vec::new();
    for (name, address, rows) in wanted {
        let rows = sql.query_one(&format!("SELECT count(*) FROM {rows}"), &[]).await?.get(0);
        lists.push(List { name, rows, pages: Pages::Numbered(address) });
    }
    Ok(lists)
}
