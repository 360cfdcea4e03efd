use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jobs::{Registry, TaskError, Worker};
use outbox::Event;
use testkit::{Moment, Proxy, address_of, eventually};
use tokio::sync::Semaphore;

use crate::bench::{Bench, Happened, SOON, number};

#[tokio::test]
async fn two_workers_without_a_broker_give_each_event_its_effect_once() {
    let bench = Bench::new().await;
    let workers = [(); 2].map(|()| bench.start(&bench.direct(), bench.writer().registry()));
    bench.record(0..200).await;
    bench.eventually_count("effects", 200).await;
    bench.eventually_count("outbox", 0).await;
    for worker in workers {
        worker.stop().await;
    }
    assert_eq!(bench.count("runs").await, 200);
}

#[tokio::test]
async fn without_a_broker_what_fails_comes_again_until_it_is_parked() {
    let bench = Bench::new().await;
    let writer = bench.writer();
    let registry = Registry::new().on(Happened::KIND, "write_down", move |delivery| {
        let writer = writer.clone();
        async move {
            writer.attempt(number(&delivery)).await?;
            match (number(&delivery), delivery.attempt) {
                (0, _) => Err(TaskError::retry("made up")),
                (1, _) => Err(TaskError::permanent("made up")),
                (2, 1..3) => Err(TaskError::retry("made up")),
                (3, 1) if writer.runs(3).await < 12 => Err(TaskError::not_tried("made up")),
                _ => writer.write(number(&delivery)).await,
            }
        }
    });
    let worker = bench.start(&bench.direct(), registry);
    bench.record(0..5).await;
    bench.record_unheard().await;
    bench.eventually_count("effects", 3).await;
    bench.eventually_count("outbox WHERE parked_at IS NOT NULL", 3).await;
    bench.eventually_count("outbox", 3).await;
    let runs = async |number: i64| bench.count(&format!("runs WHERE number = {number}")).await;
    assert_eq!((runs(0).await, runs(1).await, runs(2).await), (8, 1, 4));
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(runs(0).await, 8, "what is parked rests");
    worker.stop().await;
}

#[tokio::test]
async fn a_task_longer_than_its_lease_is_run_once() {
    let bench = Bench::new().await;
    let (writer, gate) = (bench.writer(), Arc::new(Semaphore::new(0)));
    let registry = Registry::new().on(Happened::KIND, "write_down", {
        let gate = gate.clone();
        move |delivery| {
            let (writer, gate) = (writer.clone(), gate.clone());
            async move {
                let _pass = gate.acquire().await;
                writer.write(number(&delivery)).await
            }
        }
    });
    let workers = [(); 2].map(|()| bench.start(&bench.direct(), registry.clone()));
    bench.record(0..5).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    gate.add_permits(1000);
    bench.eventually_count("effects", 5).await;
    bench.eventually_count("outbox", 0).await;
    for worker in workers {
        worker.stop().await;
    }
    assert_eq!(bench.count("runs").await, 5);
}

#[tokio::test]
async fn what_a_killed_worker_held_is_taken_over() {
    let bench = Bench::new().await;
    let begun = Arc::new(AtomicUsize::new(0));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let registry = Registry::new().on(Happened::KIND, "write_down", {
        let begun = begun.clone();
        move |_| {
            begun.fetch_add(1, Ordering::Relaxed);
            std::future::pending()
        }
    });
    {
        let _inside = runtime.enter();
        bench.start(&bench.direct(), registry);
    }
    bench.record(0..5).await;
    eventually("it began them all", SOON, async || (begun.load(Ordering::Relaxed) == 5).then_some(())).await;
    runtime.shutdown_background();
    let worker = bench.start(&bench.direct(), bench.writer().registry());
    bench.eventually_count("effects", 5).await;
    bench.eventually_count("outbox", 0).await;
    worker.stop().await;
}

#[tokio::test]
async fn without_a_broker_too_a_crash_is_counted_and_three_give_a_task_up() {
    let bench = Bench::new().await;
    bench.record(0..3).await;
    let sql = bench.test.sql().await;
    // Left behind by a worker that is no more.
    let dead = "UPDATE outbox SET worker = 1, crashes = CASE payload WHEN '{\"number\": 0}' THEN 2 ELSE 0 END \
                WHERE payload <> '{\"number\": 2}'";
    sql.batch_execute(dead).await.unwrap();
    let worker = bench.start(&bench.direct(), bench.writer().registry());
    bench.eventually_count("effects", 2).await;
    bench.eventually_parked(1).await;
    worker.stop().await;
    assert_eq!(bench.count("runs WHERE number = 0").await, 0);
}

#[tokio::test]
async fn a_database_that_goes_away_is_waited_for() {
    let bench = Bench::new().await;
    let proxy = Proxy::to(address_of(bench.test.url())).await;
    let database = db::Database::new(&db::Config::new(bench.test.url_through(&proxy), db::Role::Worker)).unwrap();
    let worker = Worker::start(&bench.direct(), &database, bench.writer().registry());
    bench.record(0..20).await;
    bench.eventually_count("effects", 20).await;
    proxy.cut();
    bench.record(20..40).await;
    eventually("it says so", SOON, async || (!worker.health().parts()[0].ready).then_some(())).await;
    assert!(worker.health().parts()[0].alive);
    proxy.heal();
    bench.eventually_count("effects", 40).await;
    bench.eventually_count("outbox", 0).await;
    worker.stop().await;
}

#[tokio::test]
async fn it_says_so_as_well_when_the_first_to_notice_is_the_connection_that_shows_it_alive() {
    let bench = Bench::new().await;
    let proxy = Proxy::to(address_of(bench.test.url())).await;
    let database = db::Database::new(&db::Config::new(bench.test.url_through(&proxy), db::Role::Worker)).unwrap();
    let worker = Worker::start(&bench.direct(), &database, bench.writer().registry());
    bench.record(0..20).await;
    bench.eventually_count("effects", 20).await;
    proxy.cut_for_good(Moment::After, b"SELECT 1\0");
    let limit = Duration::from_secs(4);
    eventually("it says so", limit, async || (!worker.health().parts()[0].ready).then_some(())).await;
    assert!(!proxy.is_armed(), "it was cut when it looked after its lock");
    proxy.heal();
    bench.record(20..40).await;
    bench.eventually_count("effects", 40).await;
    worker.stop().await;
}

#[tokio::test]
async fn stopping_without_a_broker_lets_running_tasks_end() {
    let bench = Bench::new().await;
    let (writer, gate, begun) = (bench.writer(), Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
    let registry = Registry::new().on(Happened::KIND, "write_down", {
        let (gate, begun) = (gate.clone(), begun.clone());
        move |delivery| {
            let (writer, gate) = (writer.clone(), gate.clone());
            begun.fetch_add(1, Ordering::Relaxed);
            async move {
                let _pass = gate.acquire().await;
                writer.write(number(&delivery)).await
            }
        }
    });
    let worker = bench.start(&bench.direct(), registry);
    bench.record(0..40).await;
    eventually("as many as may run at once", SOON, async || (begun.load(Ordering::Relaxed) == 16).then_some(())).await;
    let stopping = tokio::spawn(worker.stop());
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!stopping.is_finished(), "it waits for the tasks");
    gate.add_permits(1000);
    let limit = tokio::time::timeout(Duration::from_secs(3), stopping);
    limit.await.expect("it stops once the tasks have ended").unwrap();
    assert_eq!((bench.count("effects").await, bench.count("outbox").await), (16, 24));
}
