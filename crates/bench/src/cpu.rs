//! Where the processor's time went. Everything shares it, so a figure can be read only beside what the others took.

use std::time::Duration;
use std::{fmt, fs};

use crate::machine;

/// Processors kept busy by each, on the average of a time.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Shares {
    /// The gateway.
    pub(crate) gateway: f64,
    /// PostgreSQL with all its sessions, where it runs on this machine.
    pub(crate) postgres: f64,
    /// Whoever makes the load: we, and pgbench.
    pub(crate) load: f64,
    /// Everything else: Redis, and what has no business here.
    pub(crate) others: f64,
    /// How many times were averaged.
    rounds: f64,
}

impl Shares {
    /// Averages in another round.
    pub(crate) fn add(&mut self, round: &Self) {
        let (old, all) = (self.rounds, self.rounds + round.rounds);
        let mean = |ours: f64, theirs: f64| (ours * old + theirs * round.rounds) / all.max(1.0);
        *self = Self {
            gateway: mean(self.gateway, round.gateway),
            postgres: mean(self.postgres, round.postgres),
            load: mean(self.load, round.load),
            others: mean(self.others, round.others),
            rounds: all,
        };
    }
}

impl fmt::Display for Shares {
    fn fmt(&self, to: &mut fmt::Formatter) -> fmt::Result {
        let Self { gateway, postgres, load, others, .. } = self;
        write!(to, "processors: gateway {gateway:.2}, PostgreSQL {postgres:.2}, load {load:.2}, others {others:.2}")
    }
}

/// Watches the processor from its making on.
#[derive(Debug)]
pub(crate) struct Watch {
    gateway: u32,
    postmaster: Option<u32>,
    before: Sample,
}

/// How long sessions whose client has gone may take to end.
const SETTLING: Duration = Duration::from_millis(200);

/// Ticks of the clock so far.
#[derive(Debug, Clone, Copy, Default)]
struct Sample {
    all: u64,
    busy: u64,
    gateway: u64,
    postgres: u64,
    load: u64,
}

impl Watch {
    /// Watches these processes. Without a postmaster on this machine, its time is not told apart.
    pub(crate) async fn begin(gateway: u32, postmaster: Option<u32>) -> Self {
        // Sessions of the load before this one come to their end, and do not fall between two counts.
        tokio::time::sleep(SETTLING).await;
        Self { gateway, postmaster, before: sample(gateway, postmaster) }
    }

    /// What was taken since.
    pub(crate) fn end(self) -> Shares {
        let (now, before) = (sample(self.gateway, self.postmaster), self.before);
        let all = now.all.saturating_sub(before.all).max(1) as f64 / machine::cores() as f64;
        let share = |now: u64, before: u64| now.saturating_sub(before) as f64 / all;
        let (gateway, postgres) = (share(now.gateway, before.gateway), share(now.postgres, before.postgres));
        let load = share(now.load, before.load);
        let others = (share(now.busy, before.busy) - gateway - postgres - load).max(0.0);
        Shares { gateway, postgres, load, others, rounds: 1.0 }
    }
}

fn sample(gateway: u32, postmaster: Option<u32>) -> Sample {
    let (all, busy) = total().unwrap_or_default();
    let own = Times::of(std::process::id()).unwrap_or_default();
    Sample {
        all,
        busy,
        gateway: Times::of(gateway).map_or(0, |times| times.own),
        postgres: postmaster.map_or(0, server),
        load: own.own + own.reaped,
    }
}

/// Ticks of all processors since the start, and those of them that were worked in.
fn total() -> Option<(u64, u64)> {
    let text = fs::read_to_string("/proc/stat").ok()?;
    let ticks: Vec<u64> = text.lines().next()?.split_whitespace().skip(1).filter_map(|n| n.parse().ok()).collect();
    // user, nice, system, idle, iowait, irq, softirq, steal; the guests' are in user already.
    let all: u64 = ticks.iter().take(8).sum();
    Some((all, all - ticks.get(3)? - ticks.get(4)?))
}

/// PostgreSQL: the postmaster, the sessions that are, and those that have ended.
fn server(postmaster: u32) -> u64 {
    settled(|| Times::of(postmaster), || children(postmaster)).unwrap_or(0)
}

/// Ticks of the children that have not been waited for.
fn children(parent: u32) -> u64 {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(Times::of).filter(|child| child.parent == parent).map(|child| child.own).sum()
}

/// A parent with all its children. One that ends meanwhile would be counted neither among those that are nor among
/// those that were, or twice: so it is counted again until none does.
fn settled(parent: impl Fn() -> Option<Times>, children: impl Fn() -> u64) -> Option<u64> {
    let mut before = parent()?;
    loop {
        let children = children();
        let after = parent()?;
        if after.reaped == before.reaped {
            return Some(after.own + after.reaped + children);
        }
        before = after;
    }
}

/// What `/proc/PID/stat` says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Times {
    parent: u32,
    /// Ticks of its own.
    own: u64,
    /// Ticks of the children that it has waited for.
    reaped: u64,
}

impl Times {
    fn of(pid: u32) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    fn parse(stat: &str) -> Option<Self> {
        // The second field is a name in parentheses, which may hold anything.
        let (_, rest) = stat.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let ticks = |at: usize| fields.get(at)?.parse::<u64>().ok();
        Some(Self {
            parent: fields.get(1)?.parse().ok()?,
            own: ticks(11)? + ticks(12)?,
            reaped: ticks(13)? + ticks(14)?,
        })
    }
}

/// The parent of a process: of a session of PostgreSQL, the postmaster.
pub(crate) fn parent(pid: u32) -> Option<u32> {
    Times::of(pid).map(|times| times.parent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_behind_any_name() {
        let stat = "77 (a) b) S 12 77 77 0 -1 4194560 100 200 0 0 30 4 500 60 20 0 1 0 9 0 0";
        assert_eq!(Times::parse(stat), Some(Times { parent: 12, own: 34, reaped: 560 }));
    }

    #[test]
    fn a_child_that_ends_while_it_is_counted_counts_once() {
        let counts = std::cell::Cell::new(0);
        let parent = || {
            // Seen first with its child, and from then on without.
            let reaped = if counts.get() == 0 { 0 } else { 500 };
            Some(Times { parent: 1, own: 7, reaped })
        };
        let children = || {
            counts.set(counts.get() + 1);
            30
        };
        assert_eq!(settled(parent, children), Some(537));
        assert_eq!(counts.get(), 2);
        assert_eq!(settled(|| None, children), None);
    }

    #[tokio::test]
    async fn a_busy_process_shows() {
        let watch = Watch::begin(0, None).await;
        let begun = std::time::Instant::now();
        while begun.elapsed().as_millis() < 200 {
            std::hint::black_box(fs::read_to_string("/proc/stat").ok());
        }
        assert!(watch.end().load > 0.05, "work of our own is counted as the load's");
    }
}
