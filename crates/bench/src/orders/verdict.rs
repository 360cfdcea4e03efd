//! What the figures are held to: the gateway's throughput as a multiple of the best that pgbench reached in the same
//! run, and the times in which it answers.

use super::{Basket, Cell, Script, Side};
use crate::report::{Bar, Limit, Report, Table};

/// Multiples of pgbench's best, by what is ordered and with how many connections.
const MULTIPLES: &[(Basket, usize, f64)] =
    &[(Basket::Three, 64, 1.5), (Basket::Three, 256, 2.0), (Basket::Hot, 256, 8.0)];

/// With 64 connections, 99 of 100 orders are answered within so many milliseconds.
const P99_MILLIS: f64 = 60.0;

/// A lone order's median, as a multiple of that of a transaction that goes statement by statement.
const LONE: f64 = 1.3;

/// Judges what was measured.
pub(super) fn judge(cells: &[Cell]) -> Report {
    let mut report = Report { title: "Orders".into(), ..Report::default() };
    for with_keys in [false, true] {
        let keys = if with_keys { ", with keys" } else { "" };
        let ours = |basket, connections| find(cells, Side::Gateway { with_keys }, basket, connections);
        for &(basket, connections, multiple) in MULTIPLES {
            let (what, rate) = (basket.words(), rate(ours(basket, connections)));
            report.bars.push(Bar::new(
                format!("{what}, {connections} connections{keys}: throughput over pgbench's best"),
                rate / best(cells, basket),
                "×",
                Limit::AtLeast(multiple),
            ));
        }
        for basket in [Basket::Three, Basket::Hot] {
            let p99 = ours(basket, 64).map_or(f64::NAN, |cell| cell.tally.quantile(0.99));
            let what = format!("{}, 64 connections{keys}: p99", basket.words());
            report.bars.push(Bar::new(what, p99, "ms", Limit::Below(P99_MILLIS)));
            let median = |cell: Option<&Cell>| cell.map_or(f64::NAN, |cell| cell.tally.quantile(0.5));
            // That writes the same rows.
            let script = if with_keys { Script::NaiveWithKey } else { Script::Naive };
            let plain = median(find(cells, Side::Pgbench(script), basket, 1));
            let what = format!("{}, 1 connection{keys}: median over a plain transaction's", basket.words());
            report.bars.push(Bar::new(what, median(ours(basket, 1)) / plain, "×", Limit::Below(LONE)));
        }
    }
    report.judge_answers(cells.iter().map(|cell| (cell.name(), &cell.tally)));
    for basket in [Basket::Three, Basket::Hot] {
        let mut table = Table::of_figures(format!("{} (the last four columns: processors kept busy)", basket.words()));
        for cell in cells.iter().filter(|cell| cell.basket == basket) {
            table.figures(cell.name(), &cell.tally, &cell.cpu);
        }
        report.tables.push(table);
    }
    report
}

fn find(cells: &[Cell], side: Side, basket: Basket, connections: usize) -> Option<&Cell> {
    cells.iter().find(|cell| cell.side == side && cell.basket == basket && cell.connections == connections)
}

fn rate(cell: Option<&Cell>) -> f64 {
    cell.map_or(f64::NAN, |cell| cell.tally.rate())
}

/// The most that pgbench reached with this basket, by whichever script, with several sessions: the lone one is there for
/// its latency, and nobody waits for a hot row in it.
fn best(cells: &[Cell], basket: Basket) -> f64 {
    let theirs = cells
        .iter()
        .filter(|cell| cell.basket == basket && cell.connections > 1 && matches!(cell.side, Side::Pgbench(_)));
    theirs.map(|cell| cell.tally.rate()).fold(f64::NAN, f64::max)
}

impl Basket {
    fn words(self) -> &'static str {
        match self {
            Self::Three => "Three lines, all products",
            Self::Hot => "One line, hot product",
        }
    }
}
