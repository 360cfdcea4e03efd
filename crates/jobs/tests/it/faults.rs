use std::sync::Arc;
use std::time::Duration;

use jobs::{Registry, Worker};
use outbox::Event;
use testkit::{Proxy, address_of, eventually};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::bench::{Bench, Happened, SOON, number};

#[tokio::test]
async fn a_consumer_cut_off_in_the_middle_of_a_task_leaves_one_effect() {
    let bench = Bench::new().await;
    let proxy = Proxy::to(address_of(bench.broker.url())).await;
    let (writer, gate) = (bench.writer(), Arc::new(Semaphore::new(0)));
    let registry = Registry::new().on(Happened::KIND, "write_down", {
        let gate = gate.clone();
        move |delivery| {
            let (writer, gate) = (writer.clone(), gate.clone());
            async move {
                writer.attempt(number(&delivery)).await?;
                let _pass = gate.acquire().await;
                writer.write(number(&delivery)).await
            }
        }
    });
    let worker = bench.start(&bench.config(&bench.broker.url_through(&proxy)), registry);
    bench.record(0..10).await;
    bench.eventually_count("runs", 10).await;
    bench.eventually_published().await;
    proxy.cut();
    bench.eventually_ready("tasks", 10).await;
    proxy.heal();
    bench.eventually_ready("tasks", 0).await;
    gate.add_permits(1000);
    bench.eventually_count("effects", 10).await;
    bench.eventually_idle().await;
    worker.stop().await;
    // Before the gate and behind it. What was delivered again waited for the attempt under way, and found it done.
    assert_eq!((bench.count("runs").await, bench.count("outbox").await), (20, 0));
}

#[tokio::test]
async fn events_recorded_while_the_broker_is_away_are_delivered_when_it_is_back() {
    let bench = Bench::new().await;
    let proxy = Proxy::to(address_of(bench.broker.url())).await;
    let worker = bench.start(&bench.config(&bench.broker.url_through(&proxy)), bench.writer().registry());
    bench.record(0..50).await;
    bench.eventually_count("effects", 50).await;
    proxy.cut();
    for start in (50..250).step_by(20) {
        bench.record(start..start + 20).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(bench.count("outbox").await, 200, "they wait");
    assert!(!ready(&worker) && alive(&worker));
    proxy.heal();
    let healed = Instant::now();
    bench.eventually_count("effects", 250).await;
    assert!(healed.elapsed() < SOON);
    bench.eventually_idle().await;
    assert!(ready(&worker));
    worker.stop().await;
}

#[tokio::test]
async fn a_broker_that_hangs_is_noticed_and_the_sessions_are_built_anew() {
    let bench = Bench::new().await;
    let proxy = Proxy::to(address_of(bench.broker.url())).await;
    let url = format!("{}?heartbeat=1", bench.broker.url_through(&proxy));
    let worker = bench.start(&bench.config(&url), bench.writer().registry());
    bench.record(0..10).await;
    bench.eventually_count("effects", 10).await;
    proxy.freeze();
    bench.record(10..20).await;
    eventually("both sessions are given up", SOON, async || {
        worker.health().parts().iter().all(|part| !part.ready).then_some(())
    })
    .await;
    assert!(alive(&worker));
    assert_eq!(bench.count("outbox").await, 10, "they wait");
    proxy.heal();
    bench.eventually_count("effects", 20).await;
    bench.eventually_idle().await;
    worker.stop().await;
}

#[tokio::test]
async fn a_relay_that_dies_between_confirm_and_commit_publishes_twice_and_loses_nothing() {
    let bench = Bench::new().await;
    let sql = bench.test.sql().await;
    // Marking waits for a lock that the test holds.
    sql.batch_execute(
        "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             PERFORM pg_advisory_xact_lock(1); RETURN NEW; END $$; \
         CREATE TRIGGER wait BEFORE UPDATE OF published_at ON outbox FOR EACH ROW EXECUTE FUNCTION wait(); \
         SELECT pg_advisory_lock(1)",
    )
    .await
    .unwrap();
    let worker = bench.start(&bench.config(bench.broker.url()), bench.writer().registry());
    bench.record(0..100).await;
    let waiting = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'";
    eventually("the relay has published", SOON, async || sql.query_opt(waiting, &[]).await.unwrap()).await;
    assert_eq!(bench.count("outbox WHERE published_at IS NULL").await, 100, "published, not marked");
    let killed = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                  WHERE datname = current_database() AND wait_event = 'advisory'";
    assert_eq!(sql.query_one(killed, &[]).await.unwrap().get::<_, i64>(0), 1);
    sql.batch_execute("DROP TRIGGER wait ON outbox; SELECT pg_advisory_unlock(1)").await.unwrap();
    bench.eventually_count("effects", 100).await;
    bench.eventually_idle().await;
    worker.stop().await;
    assert_eq!((bench.count("effects").await, bench.count("outbox").await), (100, 0));
}

#[tokio::test]
async fn a_worker_started_before_its_servers_waits_for_them() {
    let bench = Bench::new().await;
    let postgres = Proxy::to(address_of(bench.test.url())).await;
    let rabbitmq = Proxy::to(address_of(bench.broker.url())).await;
    postgres.cut();
    rabbitmq.cut();
    let database = db::Database::new(&db::Config::new(bench.test.url_through(&postgres), db::Role::Worker)).unwrap();
    let config = bench.config(&bench.broker.url_through(&rabbitmq));
    let worker = Worker::start(&config, &database, bench.writer().registry());
    bench.record(0..20).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(alive(&worker) && !ready(&worker));
    rabbitmq.heal();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(alive(&worker));
    postgres.heal();
    bench.eventually_count("effects", 20).await;
    bench.eventually_idle().await;
    worker.stop().await;
}

#[tokio::test]
async fn queues_that_vanish_are_made_again_and_no_event_is_lost() {
    let bench = Bench::new().await;
    let worker = bench.start(&bench.config(bench.broker.url()), bench.writer().registry());
    bench.record(0..10).await;
    bench.eventually_count("effects", 10).await;
    bench.eventually_idle().await;
    // The relay keeps its session, and learns from the message that comes back.
    bench.broker.delete("tasks").await;
    bench.record(10..30).await;
    bench.eventually_count("effects", 30).await;
    bench.eventually_idle().await;
    worker.stop().await;
}

fn ready(worker: &Worker) -> bool {
    worker.health().parts().iter().all(|part| part.ready)
}

fn alive(worker: &Worker) -> bool {
    worker.health().parts().iter().all(|part| part.alive)
}
