//! RabbitMQ away, or in an alarm: no order fails or takes longer, and what waited is told of swiftly.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::ValueEnum;

use crate::Options;
use crate::client::{self, Answer, lock};
use crate::oracle::Violations;
use crate::rig::{Rig, SETTLING, waiting};
use crate::shop::connect;

/// What RabbitMQ suffers from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Outage {
    /// It is stopped, and started again in the end.
    Down,
    /// It believes its disk to be full, and takes no message.
    Disk,
    /// It believes its memory to be full, and takes no message.
    Memory,
}

/// Not measured: connections, caches and plans get warm.
const WARM_UP: Duration = Duration::from_secs(5);

/// How much longer an order may take while RabbitMQ is away.
const SLOWER: f64 = 1.2;

/// Confirmations a second that have to be made up for afterwards.
const CATCHING_UP: f64 = 500.0;

/// How long orders took.
struct Latencies(Vec<Duration>);

impl Rig {
    /// Load for a while as a measure, as long under the outage, and then the backlog has its time. Returns what did not
    /// go as it must, beside what the oracle finds.
    pub(crate) async fn suffer(&mut self, outage: Outage, options: &Options) -> Result<Violations> {
        let time = Duration::from_secs(options.seconds);
        let pace = Duration::from_millis(options.pace);
        self.faults = 1;
        let sql = connect(self.servers.url("DATABASE_URL")?).await?;
        self.history.release(usize::MAX);
        let load = client::place(&self.history, &self.shop, &self.addresses, options.seed, usize::MAX / 2, pace);
        let script = async {
            tokio::time::sleep(WARM_UP).await;
            let (before, repeats) = (Instant::now(), self.history.repeats());
            tokio::time::sleep(time).await;
            let calm = self.between(before, Instant::now());
            self.servers.strike(outage).await?;
            let struck = Instant::now();
            tokio::time::sleep(time).await;
            let hard = self.between(struck, Instant::now());
            self.history.end();
            anyhow::Ok((calm, hard, self.history.repeats() - repeats))
        };
        let (loaded, measured) = tokio::join!(load, script);
        let (calm, hard, repeats) = measured?;
        loaded?;
        let waited = waiting(&sql).await?;
        self.servers.relieve(outage).await?;
        let relieved = Instant::now();
        let mut left = waited;
        while left > 0 && relieved.elapsed() < SETTLING {
            tokio::time::sleep(Duration::from_millis(20)).await;
            left = waiting(&sql).await?;
        }
        let rate = (waited - left) as f64 / relieved.elapsed().as_secs_f64();
        println!("before: {calm}\n{outage:?}:   {hard}\nafter:  {waited} confirmations waited, {rate:.0} a second");

        let mut found = Violations::new();
        if repeats > 0 {
            found.push(format!("{repeats} orders were not placed at once"));
        }
        for share in [0.5, 0.99] {
            let (before, under) = (calm.quantile(share), hard.quantile(share));
            if under > before.mul_f64(SLOWER) {
                found.push(format!("{} of 100 orders took up to {under:?} instead of {before:?}", share * 100.0));
            }
        }
        if rate < CATCHING_UP || left > 0 {
            found.push(format!("{left} of {waited} confirmations are left; {rate:.0} a second were made up for"));
        }
        Ok(found)
    }

    /// Of the orders that were begun and answered between these moments.
    fn between(&self, from: Instant, until: Instant) -> Latencies {
        let answers = lock(&self.history.times);
        let within = answers.iter().filter(|Answer { asked, took }| *asked >= from && *asked + *took <= until);
        let mut latencies: Vec<Duration> = within.map(|answer| answer.took).collect();
        latencies.sort();
        Latencies(latencies)
    }
}

impl Latencies {
    /// What this share of them did not exceed.
    fn quantile(&self, share: f64) -> Duration {
        let place = (self.0.len() as f64 * share).ceil() as usize;
        self.0.get(place.saturating_sub(1)).copied().unwrap_or(Duration::MAX)
    }
}

impl fmt::Display for Latencies {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = |share| self.quantile(share).as_secs_f64() * 1e3;
        write!(to, "{} orders, p50 {:.1} ms, p99 {:.1} ms", self.0.len(), millis(0.5), millis(0.99))
    }
}
