//! Taking stock of the ledger.

use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::{Args, Subcommand};
use db::{Config, Database};
use orders::ledger::{self, Drift, Movement, Proof};
use serde_json::{Value, json};

use crate::show::thousands;

#[derive(Debug, Args)]
pub(crate) struct Ledger {
    #[command(subcommand)]
    question: Question,
}

#[derive(Debug, Subcommand)]
enum Question {
    /// Prove that all stock = adjustments − lines of confirmed orders; exit status 1 if any is not
    Verify {
        /// Only the store with this id
        #[arg(long)]
        store: Option<i64>,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// List what moved the stock of a product in a store
    History {
        /// The store's id
        store: i64,
        /// The product's id
        product: i64,
    },
}

pub(crate) async fn run(config: &Config, ledger: &Ledger) -> Result<ExitCode> {
    let database = Database::new(config)?;
    match ledger.question {
        Question::Verify { store, json } => {
            if let Some(store) = store {
                // Nothing adds up there, and nothing does not.
                let known = stores::existing(&*database.connection().await?, &[store]).await?;
                ensure!(known.contains(&store), "there is no store {store}");
            }
            let proof = ledger::verify(&database, store).await?;
            if json {
                say!("{}", as_json(&proof))
            } else {
                print(&proof)
            }
            Ok(if proof.drifted.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Question::History { store, product } => {
            let movements = ledger::history(&database, store, product).await?;
            say!("{:<27} {:>8} {:>8}  WHY", "AT", "DELTA", "BALANCE");
            movements.iter().for_each(|movement| say!("{}", line(movement)));
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn line(Movement { at, delta, balance, reason, by }: &Movement) -> String {
    let at = at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    format!("{at:<27} {delta:>+8} {balance:>8}  {reason}: {by}")
}

fn print(proof: &Proof) {
    for Drift { store_id, product_id, quantity, accounted } in &proof.drifted {
        let held = quantity.map_or("no row".to_owned(), |quantity| format!("{quantity} in stock"));
        say!("store {store_id}, product {product_id}: {held}, {accounted} accounted for");
    }
    let (checked, drifted) = (thousands(proof.checked.unsigned_abs()), thousands(proof.drifted.len() as u64));
    match proof.drifted.len() {
        0 => say!("{checked} rows checked: every one adds up"),
        _ => say!("{checked} rows checked: {drifted} do not add up"),
    }
}

fn as_json(proof: &Proof) -> Value {
    let drift = |drift: &Drift| {
        let Drift { store_id, product_id, quantity, accounted } = drift;
        json!({"store_id": store_id, "product_id": product_id, "quantity": quantity, "accounted": accounted})
    };
    json!({"checked": proof.checked, "drifted": proof.drifted.iter().map(drift).collect::<Vec<_>>()})
}
