//! What a run says in the end: ratios and bars first, then the figures they come from. Markdown, to be pasted.

use std::fmt::Write;

use crate::cpu::Shares;
use crate::tally::Tally;

/// What a figure has to keep to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Limit {
    /// At least this.
    AtLeast(f64),
    /// Below this.
    Below(f64),
}

/// A figure that is judged.
#[derive(Debug)]
pub(crate) struct Bar {
    what: String,
    figure: f64,
    unit: &'static str,
    limit: Limit,
}

impl Bar {
    /// `figure`, in `unit`, has to keep to `limit`.
    pub(crate) fn new(what: impl Into<String>, figure: f64, unit: &'static str, limit: Limit) -> Self {
        Self { what: what.into(), figure, unit, limit }
    }

    /// Whether it does.
    pub(crate) fn is_held(&self) -> bool {
        match self.limit {
            Limit::AtLeast(bar) => self.figure >= bar,
            Limit::Below(bar) => self.figure < bar,
        }
    }
}

/// What a suite has found.
#[derive(Default)]
pub(crate) struct Report {
    /// What it is about, for the heading.
    pub(crate) title: String,
    /// Machine, PostgreSQL, how it was measured.
    pub(crate) notes: Vec<String>,
    /// What is judged.
    pub(crate) bars: Vec<Bar>,
    /// The figures behind it, in tables.
    pub(crate) tables: Vec<Table>,
}

impl Report {
    /// Adds the bar that no answer of these figures may be wrong, with the first wrong one as a note.
    pub(crate) fn judge_answers<'t>(&mut self, figures: impl IntoIterator<Item = (String, &'t Tally)>) {
        let mut wrong = 0;
        for (what, tally) in figures {
            let (count, first) = tally.wrong();
            wrong += count;
            self.notes.extend(first.map(|first| format!("{what}: {count} wrong answers, the first: {first}")));
        }
        self.bars.push(Bar::new("wrong answers", wrong as f64, "", Limit::Below(1.0)));
    }

    /// Leaves out the bars that lack a figure.
    pub(crate) fn leave_out_unmeasured(&mut self) {
        self.bars.retain(|bar| !bar.figure.is_nan());
    }

    /// Whether every bar is held.
    pub(crate) fn is_held(&self) -> bool {
        self.bars.iter().all(Bar::is_held)
    }

    /// The report as Markdown.
    pub(crate) fn markdown(&self) -> String {
        let mut bars = Table::new("", &["what", "figure", "bar", ""]);
        for bar in &self.bars {
            let limit = match bar.limit {
                Limit::AtLeast(limit) => format!("≥ {limit}"),
                Limit::Below(limit) => format!("< {limit}"),
            };
            let verdict = if bar.is_held() { "held" } else { "**NOT HELD**" };
            bars.row([
                bar.what.clone(),
                format!("{:.2} {}", bar.figure, bar.unit).trim_end().to_owned(),
                limit,
                verdict.into(),
            ]);
        }
        let missed = self.bars.iter().filter(|bar| !bar.is_held()).count();
        let mut text =
            format!("## {}\n\n{} of {} bars held.\n\n", self.title, self.bars.len() - missed, self.bars.len());
        text += &bars.markdown();
        for table in &self.tables {
            text += &table.markdown();
        }
        for note in &self.notes {
            _ = writeln!(text, "- {note}");
        }
        text
    }
}

/// A table of texts.
pub(crate) struct Table {
    title: String,
    heads: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows.
    pub(crate) fn new(title: impl Into<String>, heads: &[&str]) -> Self {
        Self { title: title.into(), heads: heads.iter().map(ToString::to_string).collect(), rows: Vec::new() }
    }

    /// A table of [figures](Table::figures).
    pub(crate) fn of_figures(title: impl Into<String>) -> Self {
        Self::new(title, &["", "a second", "p50 ms", "p99 ms", "gateway", "PostgreSQL", "load", "others"])
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Adds what was measured, and the processors that each kept busy meanwhile.
    pub(crate) fn figures(&mut self, what: impl Into<String>, tally: &Tally, cpu: &Shares) {
        let share = |share: f64| format!("{share:.2}");
        self.row([
            what.into(),
            thousands(tally.rate()),
            format!("{:.2}", tally.quantile(0.5)),
            format!("{:.2}", tally.quantile(0.99)),
            share(cpu.gateway),
            share(cpu.postgres),
            share(cpu.load),
            share(cpu.others),
        ]);
    }

    fn markdown(&self) -> String {
        let lines = || std::iter::once(&self.heads).chain(&self.rows);
        let width = |column: usize| {
            let widths = lines().filter_map(|line| line.get(column)).map(|cell| cell.chars().count());
            widths.max().unwrap_or_default()
        };
        let widths: Vec<usize> = (0..self.heads.len()).map(width).collect();
        let mut text = String::new();
        if !self.title.is_empty() {
            _ = writeln!(text, "{}\n", self.title);
        }
        for (number, line) in lines().enumerate() {
            for (column, (cell, width)) in line.iter().zip(&widths).enumerate() {
                // Words to the left, numbers to the right.
                let fill = " ".repeat(width - cell.chars().count());
                _ = if column == 0 { write!(text, "| {cell}{fill} ") } else { write!(text, "| {fill}{cell} ") };
            }
            text += "|\n";
            if number == 0 {
                for (column, width) in widths.iter().enumerate() {
                    _ = write!(text, "|{}{}", "-".repeat(width + 1), if column == 0 { "-" } else { ":" });
                }
                text += "|\n";
            }
        }
        text.push('\n');
        text
    }
}

/// A number without decimals, in groups of three digits.
pub(crate) fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_judged() {
        let bar = |figure, limit| Bar::new("it", figure, "×", limit).is_held();
        assert!(bar(1.5, Limit::AtLeast(1.5)) && !bar(1.49, Limit::AtLeast(1.5)));
        assert!(bar(1.9, Limit::Below(2.0)) && !bar(2.0, Limit::Below(2.0)));
        assert!(!bar(f64::NAN, Limit::AtLeast(1.0)) && !bar(f64::NAN, Limit::Below(1.0)), "no figure holds no bar");
    }

    #[test]
    fn a_report_says_what_is_not_held() {
        let bars =
            vec![Bar::new("rate", 2_000.0, "×", Limit::AtLeast(2.0)), Bar::new("p99", 61.0, "ms", Limit::Below(60.0))];
        let report = Report { title: "Orders".into(), bars, ..Report::default() };
        let text = report.markdown();
        assert!(!report.is_held());
        assert!(text.contains("1 of 2 bars held"), "{text}");
        assert!(text.contains("| p99  |  61.00 ms | < 60 | **NOT HELD** |"), "{text}");
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!([9.0, 999.6, 12_345.0, 1_234_567.0].map(thousands), ["9", "1,000", "12,345", "1,234,567"]);
    }
}
