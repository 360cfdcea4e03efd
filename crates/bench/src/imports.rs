//! Imports of files, and a made-up million: rows a second, from the program's start to its end.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use anyhow::Result;

use crate::database::BenchDatabase;
use crate::gateway::folder;
use crate::machine;
use crate::manage::manage;
use crate::report::{Bar, Limit, Report, Table, thousands};

/// Rows of each file.
const ROWS: usize = 200_000;

/// Stores that the inventory is spread over.
const STORES: usize = 10;

/// What an import has to bring in a second.
const RATE: f64 = 20_000.0;

/// Seconds that a million products may take.
const MILLION: f64 = 60.0;

/// Writes the files, imports each twice, seeds a million; judges.
pub(crate) async fn run() -> Result<Report> {
    let mut report = Report { title: "Imports".into(), ..Report::default() };
    let mut table = Table::new(format!("Rows a second, files of {}", thousands(ROWS as f64)), &["", "new", "again"]);
    {
        let database = BenchDatabase::create("bench_imports").await?;
        let machine = machine::describe(&database.sql().await?).await?;
        eprintln!("{machine}");
        report.notes.push(machine);
        manage(&database, &["import", "stores", &written("stores", stores())?]).await?;
        for (kind, lines) in [("products", products()), ("inventory", inventory())] {
            let file = written(kind, lines)?;
            let mut rates = Vec::new();
            for _ in 0..2 {
                let took = manage(&database, &["import", kind, &file]).await?;
                rates.push(ROWS as f64 / took.as_secs_f64());
            }
            eprintln!("{kind}: {rates:.0?} rows a second");
            for (rate, when) in rates.iter().zip(["new rows", "rows that are there"]) {
                let what = format!("{kind}, {when}: rows a second");
                report.bars.push(Bar::new(what, *rate, "", Limit::AtLeast(RATE)));
            }
            table.row([kind.to_owned(), thousands(rates[0]), thousands(rates[1])]);
        }
    }
    let database = BenchDatabase::create("bench_imports").await?;
    let took = manage(&database, &["seed", "--products", "1000000"]).await?.as_secs_f64();
    report.bars.push(Bar::new("a million made-up products", took, "s", Limit::Below(MILLION)));
    report.tables.push(table);
    Ok(report)
}

fn stores() -> String {
    (0..STORES).fold("name,location\n".to_owned(), |mut lines, store| {
        _ = writeln!(lines, "Market {store},District {store}");
        lines
    })
}

fn products() -> String {
    (0..ROWS).fold("sku,title,category,price,description\n".to_owned(), |mut lines, row| {
        _ = writeln!(
            lines,
            "B-{row},\"Kettle {row}, steel\",Category {},{}.{:02},boils",
            row % 40,
            row % 90,
            row % 100
        );
        lines
    })
}

fn inventory() -> String {
    (0..ROWS).fold("store,sku,quantity\n".to_owned(), |mut lines, row| {
        _ = writeln!(lines, "Market {},B-{row},{}", row % STORES, row % 500);
        lines
    })
}

/// The path of a file that holds these lines.
fn written(name: &str, lines: String) -> Result<String> {
    let path: PathBuf = folder()?.join(format!("{name}.csv"));
    fs::write(&path, lines)?;
    Ok(path.display().to_string())
}
