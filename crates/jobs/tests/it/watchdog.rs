//! What the watchdog must not take for a deaf loop.

use std::sync::Arc;
use std::time::Duration;

use jobs::{Config, Registry, Worker};
use outbox::Event;
use testkit::{Proxy, address_of, eventually};
use tokio::sync::Semaphore;

use crate::bench::{Bench, Happened, SOON, number};

const PATIENCE: Duration = Duration::from_secs(8);

/// Long enough for the relay to have seen that messages lie ready.
const SWEPT: Duration = Duration::from_millis(5_300);

/// A worker behind two proxies with more to do than it has slots for, whose tasks wait for the gate.
struct Busy {
    bench: Bench,
    worker: Worker,
    postgres: Proxy,
    rabbitmq: Proxy,
    gate: Arc<Semaphore>,
}

impl Busy {
    async fn start() -> Self {
        let (bench, gate) = (Bench::new().await, Arc::new(Semaphore::new(0)));
        let postgres = Proxy::to(address_of(bench.test.url())).await;
        let rabbitmq = Proxy::to(address_of(bench.broker.url())).await;
        let registry = Registry::new().on(Happened::KIND, "write_down", {
            let (writer, gate) = (bench.writer(), gate.clone());
            move |delivery| {
                let (writer, gate) = (writer.clone(), gate.clone());
                async move {
                    let _pass = gate.acquire().await;
                    writer.write(number(&delivery)).await
                }
            }
        });
        let url = bench.test.url_through(&postgres);
        let database = db::Database::new(&db::Config::new(url, db::Role::Worker)).unwrap();
        let config = Config { patience: PATIENCE, ..bench.config(&bench.broker.url_through(&rabbitmq)) };
        let worker = Worker::start(&config, &database, registry);
        bench.record(0..40).await;
        bench.eventually_count("outbox WHERE worker IS NOT NULL", 16).await;
        tokio::time::sleep(SWEPT).await;
        Self { bench, worker, postgres, rabbitmq, gate }
    }

    /// The watchdog says nothing for so long.
    async fn is_left_alone_for(&self, time: Duration) {
        let told = tokio::time::timeout(time, self.worker.stuck()).await;
        assert!(told.is_err(), "{told:?} is said to be deaf");
    }

    async fn ends_well(self) {
        self.bench.eventually_count("effects", 40).await;
        self.bench.eventually_idle().await;
        self.worker.stop().await;
    }
}

#[tokio::test]
async fn a_broker_that_was_away_for_long_leaves_no_debt_from_before() {
    let busy = Busy::start().await;
    busy.gate.add_permits(1000);
    busy.bench.eventually_count("effects", 40).await;
    busy.rabbitmq.cut();
    tokio::time::sleep(PATIENCE).await;
    busy.rabbitmq.heal();
    let health = busy.worker.health();
    let ready = async || health.parts().iter().all(|part| part.ready).then_some(());
    eventually("it is back", SOON, ready).await;
    busy.is_left_alone_for(Duration::from_secs(3)).await;
    busy.ends_well().await;
}

#[tokio::test]
async fn a_database_that_is_away_makes_no_loop_deaf() {
    let busy = Busy::start().await;
    busy.postgres.cut();
    busy.is_left_alone_for(PATIENCE + Duration::from_secs(1)).await;
    busy.gate.add_permits(1000);
    busy.postgres.heal();
    busy.ends_well().await;
}
