//! What the triggers that tell the search of sold-out products cost whoever orders: the same load, with them and without
//! them in turns.

use anyhow::Result;
use tokio_postgres::Client;

use super::{Basket, Cell, Ground, Side};
use crate::cpu::Shares;
use crate::options::Options;
use crate::report::{Bar, Limit, Report, Table, thousands};
use crate::tally::Tally;

const NAME: &str = "triggers";

/// Connections of the load.
const CONNECTIONS: usize = 64;

/// The least that is told apart, however alike the rounds are.
const NOISE: f64 = 0.03;

/// Orders a second in each round.
#[derive(Default)]
pub(super) struct Rates {
    with: Vec<f64>,
    without: Vec<f64>,
    /// Orders that were acknowledged.
    pub(super) acknowledged: u64,
}

/// Measures both sides in rounds, if that is asked for.
pub(super) async fn measure(ground: &mut Ground, sql: &Client, options: &Options) -> Result<Rates> {
    let mut rates = Rates::default();
    if !options.wants(NAME) {
        return Ok(rates);
    }
    let side = Side::Gateway { with_keys: false };
    let cell = |tally| Cell { side, basket: Basket::Three, connections: CONNECTIONS, tally, cpu: Shares::default() };
    // Whoever goes first in one round goes second in the next: what gets slower or faster all the while counts for both.
    for round in 0..2 * options.rounds {
        for is_enabled in [round % 2 == 0, round % 2 == 1] {
            let change = if is_enabled { "ENABLE" } else { "DISABLE" };
            sql.batch_execute(&format!("ALTER TABLE inventory {change} TRIGGER USER")).await?;
            let (tally, cpu) = ground.measure(&cell(Tally::new()?)).await?;
            eprintln!("round {}, {NAME} {}d: {}, {cpu}", round + 1, change.to_lowercase(), tally.in_short());
            rates.acknowledged += tally.answered;
            if is_enabled { &mut rates.with } else { &mut rates.without }.push(tally.rate());
        }
    }
    sql.batch_execute("ALTER TABLE inventory ENABLE TRIGGER USER").await?;
    Ok(rates)
}

impl Rates {
    /// With the triggers, throughput is within the noise of what it is without.
    pub(super) fn judge(&self, report: &mut Report) {
        if self.with.is_empty() {
            return;
        }
        let what = "throughput with the search's triggers over that without";
        report.bars.push(Bar::new(what, median(&self.with) / median(&self.without), "×", self.limit()));
        let title = format!("Orders a second, {CONNECTIONS} connections, in each round");
        let mut table = Table::new(title, &["", "with triggers", "without"]);
        for (round, (with, without)) in (1..).zip(self.with.iter().zip(&self.without)) {
            table.row([format!("round {round}"), thousands(*with), thousands(*without)]);
        }
        report.tables.push(table);
    }

    /// As far below one as the middle half of the rounds without them lies apart.
    fn limit(&self) -> Limit {
        let mut sorted = self.without.clone();
        sorted.sort_by(f64::total_cmp);
        let quarter = sorted.len() / 4;
        let spread = (sorted[sorted.len() - 1 - quarter] - sorted[quarter]) / median(&sorted);
        Limit::AtLeast(((1.0 - spread.max(NOISE)) * 1_000.0).round() / 1_000.0)
    }
}

fn median(rates: &[f64]) -> f64 {
    let mut sorted = rates.to_vec();
    sorted.sort_by(f64::total_cmp);
    f64::midpoint(sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_held(with: &[f64], without: &[f64]) -> bool {
        let rates = Rates { with: with.to_vec(), without: without.to_vec(), acknowledged: 0 };
        let mut report = Report::default();
        rates.judge(&mut report);
        report.is_held()
    }

    #[test]
    fn what_is_within_the_noise_is_held_and_what_is_not_is_not() {
        assert!(is_held(&[980.0, 1_000.0, 975.0, 980.0], &[1_000.0; 4]));
        assert!(!is_held(&[900.0, 1_000.0, 920.0, 910.0], &[1_000.0; 4]));
        assert!(is_held(&[900.0, 1_000.0, 920.0, 910.0], &[1_000.0, 900.0, 1_050.0, 880.0]), "as noisy without");
        assert!(!is_held(&[500.0; 4], &[1_000.0, 900.0, 1_050.0, 880.0]));
    }
}
