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

/// Longer than the broker waits for a sign of life (two silent heartbeats of 5 s), so that another worker takes over.
const UNHEARD: Duration = Duration::from_secs(16);

impl Fault {
    /// Whether somebody hangs for so long that the broker gives it up.
    pub(crate) fn is_unheard(&self) -> bool {
        matches!(self, Self::Hang(Victim::Worker(_), time) if *time >= UNHEARD)
    }
}

/// `kills` kills over all five, in equal parts of the load, with other faults between them, and a wiped broker in the
/// middle if `wipe` says so.
pub(crate) fn schedule(seed: u64, kills: usize, wipe: bool) -> Vec<Fault> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut deaths = deaths(&mut rng, kills);
    deaths.shuffle(&mut rng);
    let (mut faults, mut deck) = (Vec::new(), Vec::new());
    for (place, death) in deaths.into_iter().enumerate() {
        // However few there are, one is a cut after a frame.
        if place == 1 || rng.random_bool(0.6) {
            // Each kind comes up once before any comes up again.
            if deck.is_empty() {
                deck = others(&mut rng);
            }
            faults.extend(deck.pop());
        }
        faults.push(Fault::Kill(death));
    }
    if wipe {
        faults.insert(faults.len() / 2, Fault::Wipe);
    }
    faults
}

/// Of twenty, eight are workers, six gateways, three RabbitMQ, two PostgreSQL, and one is Redis; the first six are all
/// five.
fn deaths(rng: &mut StdRng, kills: usize) -> Vec<Victim> {
    use Victim::{Gateway, Postgres, RabbitMq, Redis, Worker};
    let (worker, gateway) = (Worker(0), Gateway(0));
    let pattern = [
        [worker, RabbitMq, gateway, Postgres, worker],
        [Redis, gateway, worker, RabbitMq, worker],
        [gateway, worker, gateway, Postgres, worker],
        [RabbitMq, gateway, worker, gateway, worker],
    ];
    let mut place = |victim: &Victim| match victim {
        Gateway(_) => Gateway(rng.random_range(0..2)),
        Worker(_) => Worker(rng.random_range(0..2)),
        server => *server,
    };
    pattern.concat().iter().cycle().take(kills).map(&mut place).collect()
}

/// One of each kind, in an order by chance.
fn others(rng: &mut StdRng) -> Vec<Fault> {
    let mut moment = || Duration::from_millis(rng.random_range(200..1_500));
    let moments: [Duration; 13] = std::array::from_fn(|_| moment());
    let (worker, gateway) = (rng.random_range(0..2), rng.random_range(0..2));
    let [often, more, most] = [(); 3].map(|()| rng.random_range(1..4));
    let little = Duration::from_millis(20);
    let mut all = vec![
        Fault::Hang(Victim::Worker(worker), moments[0] * 2),
        Fault::Hang(Victim::Worker(1 - worker), UNHEARD),
        Fault::Hang(Victim::Gateway(gateway), moments[1]),
        Fault::Hang(Victim::Redis, moments[2]),
        Fault::Hang(Victim::RabbitMq, moments[3] * 2),
        Fault::Hang(Victim::Postgres, moments[4]),
        Fault::Cut(Way::WorkerToRabbitMq, moments[5]),
        Fault::Cut(Way::WorkerToPostgres, moments[6]),
        Fault::Cut(Way::WorkerToMail, moments[7]),
        Fault::Slow(Way::GatewayToPostgres, little, moments[8] * 2),
        Fault::Slow(Way::WorkerToPostgres, little, moments[9] * 2),
        Fault::Slow(Way::WorkerToRabbitMq, little * 2, moments[10] * 2),
        Fault::Slow(Way::WorkerToMail, little * 5, moments[11] * 2),
        Fault::Slow(Way::GatewayToRedis, little, moments[12]),
        Fault::CutAfter(Way::GatewayToPostgres, Frame::Committed, often + 1),
        Fault::CutAfter(Way::WorkerToPostgres, Frame::Commit, often),
        Fault::CutAfter(Way::WorkerToRabbitMq, Frame::Publish, more),
        Fault::CutAfter(Way::WorkerToRabbitMq, Frame::Ack, most),
    ];
    all.shuffle(rng);
    // The last is taken first.
    let cut = all.iter().rposition(|fault| matches!(fault, Fault::CutAfter(..)));
    let last = all.len() - 1;
    all.swap(cut.unwrap_or(last), last);
    all
}
