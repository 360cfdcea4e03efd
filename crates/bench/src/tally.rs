//! What was measured on one side of a comparison.

use std::time::Duration;

use anyhow::Result;
use hdrhistogram::Histogram;

/// What a request came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// As it should be.
    Good,
    /// Right, but not what this figure is about: nothing was found, say.
    Odd,
    /// Wrong, and what was said.
    Bad(String),
}

/// Latencies and counts.
pub(crate) struct Tally {
    /// Microseconds of the requests that were begun in the time that is measured.
    latencies: Histogram<u64>,
    /// The time that was measured.
    measured: Duration,
    /// Every request that was answered rightly, those of the warm-up too.
    pub(crate) answered: u64,
    odd: u64,
    bad: u64,
    first_bad: Option<String>,
}

impl Tally {
    /// Nothing yet.
    pub(crate) fn new() -> Result<Self> {
        let latencies = Histogram::new(3)?;
        Ok(Self { latencies, measured: Duration::ZERO, answered: 0, odd: 0, bad: 0, first_bad: None })
    }

    /// Counts a request; its latency too, if it was begun in the time that is measured.
    pub(crate) fn count(&mut self, verdict: Verdict, latency: Option<Duration>) {
        if let Verdict::Bad(what) = verdict {
            self.bad += 1;
            self.first_bad.get_or_insert(what);
            return;
        }
        self.answered += 1;
        if let Some(latency) = latency {
            self.odd += u64::from(verdict == Verdict::Odd);
            // Grows by itself; only a latency of centuries could fail.
            _ = self.latencies.record(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX));
        }
    }

    /// So much time was measured.
    pub(crate) fn lasted(&mut self, measured: Duration) {
        self.measured += measured;
    }

    /// Takes in another round of the same.
    pub(crate) fn add(&mut self, round: &Self) -> Result<()> {
        self.latencies.add(&round.latencies)?;
        self.measured += round.measured;
        self.answered += round.answered;
        self.odd += round.odd;
        self.bad += round.bad;
        self.first_bad = self.first_bad.take().or_else(|| round.first_bad.clone());
        Ok(())
    }

    /// Requests a second.
    pub(crate) fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.measured.as_secs_f64().max(f64::EPSILON)
    }

    /// The latency in milliseconds that this share of the requests did not exceed; no number when there were none.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        if self.latencies.is_empty() {
            return f64::NAN;
        }
        self.latencies.value_at_quantile(share) as f64 / 1_000.0
    }

    /// The figures in a line, for whoever waits.
    pub(crate) fn in_short(&self) -> String {
        let wrong = if self.bad == 0 { String::new() } else { format!(", {} WRONG", self.bad) };
        format!("{:.0}/s, p50 {:.2} ms, p99 {:.2} ms{wrong}", self.rate(), self.quantile(0.5), self.quantile(0.99))
    }

    /// Share of the requests measured that were answered rightly, but not with what the figure is about.
    pub(crate) fn odd_share(&self) -> f64 {
        self.odd as f64 / self.latencies.len().max(1) as f64
    }

    /// How many answers were wrong, and the first of them.
    pub(crate) fn wrong(&self) -> (u64, Option<&str>) {
        (self.bad, self.first_bad.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_add_up_and_wrong_answers_show() {
        let mut all = Tally::new().unwrap();
        assert!(all.quantile(0.5).is_nan(), "nothing measured");
        for millis in [2, 6] {
            let mut round = Tally::new().unwrap();
            round.count(Verdict::Good, None);
            round.count(Verdict::Odd, Some(Duration::from_millis(millis)));
            round.lasted(Duration::from_secs(1));
            all.add(&round).unwrap();
        }
        assert_eq!((all.rate(), all.answered, all.odd_share()), (1.0, 4, 1.0));
        assert!((all.quantile(0.5) - 2.0).abs() < 0.01 && (all.quantile(0.99) - 6.0).abs() < 0.01);
        assert_eq!(all.wrong(), (0, None));
        all.count(Verdict::Bad("503".into()), Some(Duration::ZERO));
        all.count(Verdict::Bad("500".into()), Some(Duration::ZERO));
        assert_eq!((all.wrong(), all.answered), ((2, Some("503")), 4), "a wrong answer is no answer");
    }
}
