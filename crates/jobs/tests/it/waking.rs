//! Workers that are told of what was recorded, and do not have to look for it.

use std::time::Duration;

use jobs::Config;
use outbox::Bell;
use testkit::eventually;
use tokio::time::Instant;

use crate::bench::{Bench, SOON};

/// Longer than any of this may take.
const RARELY: Duration = Duration::from_secs(60);

async fn is_done_long_before_the_next_look(config: impl Fn(&Bench) -> Config) {
    let bench = Bench::new().await;
    let config = Config { poll: RARELY, ..config(&bench) };
    let workers = [(); 2].map(|()| bench.start(&config, bench.writer().registry()));
    for worker in &workers {
        let health = worker.health();
        eventually("it is ready", SOON, async || health.parts().iter().all(|part| part.ready).then_some(())).await;
    }
    eventually("both listen", SOON, async || {
        let listening = "pg_stat_activity WHERE datname = current_database() AND query = 'LISTEN outbox'";
        (bench.count(listening).await == 2).then_some(())
    })
    .await;
    // What they do when they begin to listen is over.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let bell = Bell::hang(&bench.test).unwrap();
    for event in 0..5 {
        let recorded = Instant::now();
        bench.record(event..event + 1).await;
        bell.ring();
        bench.eventually_count("effects", event + 1).await;
        println!("done after {:?}", recorded.elapsed());
    }
    // More than a relay takes at once, rung for once.
    bench.record(5..1_005).await;
    bell.ring();
    bench.eventually_count("effects", 1_005).await;
    for worker in workers {
        worker.stop().await;
    }
}

#[tokio::test]
async fn what_is_rung_for_is_done_long_before_the_next_look() {
    is_done_long_before_the_next_look(|bench| bench.config(bench.broker.url())).await;
}

/// Its leases have it look more often than it is told to.
#[tokio::test]
async fn without_a_broker_what_is_rung_for_is_done_long_before_the_next_look() {
    is_done_long_before_the_next_look(|bench| Config { lease: 8 * RARELY, ..bench.direct() }).await;
}

#[tokio::test]
async fn what_nobody_rings_for_is_found() {
    let bench = Bench::new().await;
    for config in [bench.config(bench.broker.url()), bench.direct()] {
        let config = Config { poll: Duration::from_millis(300), ..config };
        let worker = bench.start(&config, bench.writer().registry());
        let begun = bench.count("effects").await;
        for event in begun..begun + 3 {
            bench.record(event..event + 1).await;
            bench.eventually_count("effects", event + 1).await;
        }
        worker.stop().await;
    }
}
