//! What is done to whom, and when: chosen by the seed alone.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

use crate::link::Frame;

/// A process of ours, by its place, or a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Victim {
    Gateway(usize),
    Worker(usize),
    Postgres,
    RabbitMq,
    Redis,
}

/// A way between two of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    GatewayToPostgres,
    WorkerToPostgres,
    WorkerToRabbitMq,
    WorkerToMail,
    GatewayToRedis,
}

impl Way {
    pub(crate) const ALL: [Self; 5] = [
        Self::GatewayToPostgres,
        Self::WorkerToPostgres,
        Self::WorkerToRabbitMq,
        Self::WorkerToMail,
        Self::GatewayToRedis,
    ];
}

/// One fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// SIGKILL; started again at once, servers with their data.
    Kill(Victim),
    /// RabbitMQ is killed and its disk wiped: every message that it had confirmed is gone.
    Wipe,
    /// SIGSTOP, and SIGCONT after a while.
    Hang(Victim, Duration),
    /// Every connection of a way ends, and none is made for a while.
    Cut(Way, Duration),
    /// Everything on a way takes up to so much longer, for a while.
    Slow(Way, Duration, Duration),
    /// So many connections end right after such a frame.
    CutAfter(Way, Frame, u32),
}

/// `kills` kills over all five, in equal parts of the load, with other faults between them, and a wiped broker in the
/// middle if `wipe` says so.
pub(crate) fn schedule(seed: u64, kills: usize, wipe: bool) -> Vec<Fault> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut deaths = deaths(&mut rng, kills);
    deaths.shuffle(&mut rng);
    let mut faults = Vec::new();
    for death in deaths {
        if rng.random_bool(0.6) {
            faults.push(other(&mut rng));
        }
        faults.push(Fault::Kill(death));
    }
    if wipe {
        faults.insert(faults.len() / 2, Fault::Wipe);
    }
    faults
}

/// Four in ten are workers, three gateways, and the servers share the rest.
fn deaths(rng: &mut StdRng, kills: usize) -> Vec<Victim> {
    let pattern = [
        Victim::Worker(0),
        Victim::RabbitMq,
        Victim::Gateway(0),
        Victim::Postgres,
        Victim::Worker(0),
        Victim::Redis,
        Victim::Gateway(0),
        Victim::Worker(0),
        Victim::RabbitMq,
        Victim::Worker(0),
        Victim::Postgres,
        Victim::Gateway(0),
        Victim::Worker(0),
    ];
    let mut place = |victim: &Victim| match victim {
        Victim::Gateway(_) => Victim::Gateway(rng.random_range(0..2)),
        Victim::Worker(_) => Victim::Worker(rng.random_range(0..2)),
        server => *server,
    };
    pattern.iter().cycle().take(kills).map(&mut place).collect()
}

fn other(rng: &mut StdRng) -> Fault {
    let moment = Duration::from_millis(rng.random_range(200..1_500));
    match rng.random_range(0..10) {
        0 => Fault::Hang(Victim::Worker(rng.random_range(0..2)), moment * 2),
        1 => Fault::Hang(Victim::Gateway(rng.random_range(0..2)), moment),
        2 => Fault::Hang(Victim::Redis, moment),
        3 => Fault::Cut(Way::WorkerToRabbitMq, moment),
        4 => Fault::Cut(Way::WorkerToPostgres, moment),
        9 => Fault::Cut(Way::WorkerToMail, moment),
        5 => Fault::Slow(Way::GatewayToPostgres, Duration::from_millis(20), moment * 2),
        6 => Fault::CutAfter(Way::GatewayToPostgres, Frame::Commit, rng.random_range(1..5)),
        7 => Fault::CutAfter(Way::WorkerToRabbitMq, Frame::Publish, rng.random_range(1..4)),
        _ => Fault::CutAfter(Way::WorkerToRabbitMq, Frame::Ack, rng.random_range(1..4)),
    }
}
