//! What the figures of searching are held to.

use super::questions::{CONSTANT, SUGGEST};
use super::{Asked, Life, against};
use crate::cpu::Shares;
use crate::report::{Bar, Limit, Report, Table, thousands};
use crate::tally::Tally;

/// Seconds within which a gateway without an index is ready, and one that finds its index again.
const BUILD_SECONDS: f64 = 15.0;
const RESTART_SECONDS: f64 = 3.0;

/// MiB that the gateway may hold.
const RESIDENT_MIB: f64 = 700.0;

/// Suggestions a second, as a multiple of the answers a second that ask for nothing.
const OF_CONSTANT: f64 = 0.4;

/// Judges what was measured.
pub(super) fn judge(products: usize, life: &Life, asked: &[Asked], sql: &[(&'static str, Tally, Shares)]) -> Report {
    let title = format!("Search, {} products", thousands(products as f64));
    let mut report = Report { title, ..Report::default() };
    let rate =
        |name| asked.iter().find(|asked| asked.question.name == name).map_or(f64::NAN, |asked| asked.tally.rate());
    let what = format!("{SUGGEST}: throughput over that of a constant answer");
    report.bars.push(Bar::new(what, rate(SUGGEST) / rate(CONSTANT), "×", Limit::AtLeast(OF_CONSTANT)));
    for Asked { question, tally, .. } in asked {
        let Some((p50, p99)) = question.limits else { continue };
        report.bars.push(Bar::new(format!("{}: p50", question.name), tally.quantile(0.5), "ms", Limit::Below(p50)));
        report.bars.push(Bar::new(format!("{}: p99", question.name), tally.quantile(0.99), "ms", Limit::Below(p99)));
    }
    let seconds = |what, time: std::time::Duration, bar| Bar::new(what, time.as_secs_f64(), "s", Limit::Below(bar));
    let memory = |what, figure| Bar::new(what, figure, "MiB", Limit::Below(RESIDENT_MIB));
    report.bars.extend([
        seconds("from start without an index until ready", life.built, BUILD_SECONDS),
        seconds("from restart until ready", life.restarted, RESTART_SECONDS),
        memory("resident when ready", life.when_ready.resident),
        memory("resident after the load", life.after_load.resident),
    ]);

    report.judge_answers(asked.iter().map(|asked| (asked.question.name.to_owned(), &asked.tally)));

    let mut table = Table::of_figures("Over HTTP, 4 connections (the last four columns: processors kept busy)");
    for Asked { question, tally, cpu, .. } in asked {
        table.figures(question.name, tally, cpu);
    }
    report.tables.push(table);
    let mut table = Table::of_figures("PostgreSQL alone, 4 sessions, full-text and trigram indexes");
    for (name, tally, cpu) in sql {
        table.figures(*name, tally, cpu);
    }
    report.tables.push(table);
    report.tables.push(comparison(asked, sql));
    report.tables.extend(against::ratios(asked));
    let odd = asked.iter().filter(|asked| asked.tally.odd_share() > 0.001);
    let odd: Vec<String> =
        odd.map(|asked| format!("{} {:.1} %", asked.question.name, asked.tally.odd_share() * 100.0)).collect();
    report.notes.extend([
        format!(
            "Memory in MiB: {:.0} resident when ready ({:.0} of them its own, the rest mapped files), {:.0} after the \
             load ({:.0}), {:.0} at most.",
            life.when_ready.resident,
            life.when_ready.anonymous,
            life.after_load.resident,
            life.after_load.anonymous,
            life.after_load.peak
        ),
        format!(
            "Answers that found nothing, or came from the cache where they should not, or the other way round: {}.",
            if odd.is_empty() { "none".to_owned() } else { odd.join(", ") }
        ),
    ]);
    report
}

/// How often faster the gateway is, where both were asked the same.
fn comparison(asked: &[Asked], sql: &[(&'static str, Tally, Shares)]) -> Table {
    let mut table = Table::new("PostgreSQL alone over the gateway, times as slow", &["", "p50", "p99"]);
    for (name, theirs, _) in sql {
        let Some(ours) = asked.iter().find(|asked| asked.question.name == *name).map(|asked| &asked.tally) else {
            continue;
        };
        let times = |share| format!("{:.1} ×", theirs.quantile(share) / ours.quantile(share));
        table.row([(*name).to_owned(), times(0.5), times(0.99)]);
    }
    table
}
