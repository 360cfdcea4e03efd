use std::time::Duration;

use db::Error;
use testkit::{Broker, Proxy, TestDatabase, address_of, eventually, said, watched};
use tokio::time::Instant;

use crate::process::{Process, SOON, binary};

/// An event that no task answers.
#[derive(serde::Serialize)]
struct Unheard {}

impl outbox::Event for Unheard {
    const KIND: &'static str = "test.unheard";

    fn store_id(&self) -> i64 {
        1
    }
}

async fn broker() -> Broker {
    Broker::new(&crate::process::QUEUES).await
}

async fn record(test: &TestDatabase) {
    let recorded = test.transaction::<_, Error, _>(|tx| Box::pin(outbox::record(tx, &Unheard {}, Some("request-1"))));
    recorded.await.unwrap();
}

#[tokio::test]
async fn it_carries_events_counts_them_and_stops_on_sigterm() {
    let (test, broker) = (TestDatabase::new().await, broker().await);
    let mut worker = Process::ready(&test, &broker).await;
    record(&test).await;
    let sql = test.sql().await;
    let parked = "SELECT FROM outbox WHERE parked_at IS NOT NULL";
    eventually("no task answers it", SOON, async || sql.query_opt(parked, &[]).await.unwrap()).await;
    let (_, metrics) = worker.get("metrics").await;
    for line in [
        "jobs_published_total 1",
        "jobs_confirmed_total 1",
        r#"jobs_consumed_total{task="unknown",outcome="dead"} 1"#,
        "outbox_events 0",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line} is not in\n{metrics}");
    }
    let memory = worker.resident_mib();
    assert!(memory < 40, "{memory} MiB");
    let told = Instant::now();
    worker.signal("TERM");
    assert!(worker.ended().await.success());
    assert!(told.elapsed() < Duration::from_secs(5), "nothing was running: {:?}", told.elapsed());
}

#[tokio::test]
async fn one_that_has_just_begun_has_a_value_for_all_that_is_watched() {
    let (test, broker) = (TestDatabase::new().await, broker().await);
    let worker = Process::ready(&test, &broker).await;
    let watched = watched(&["jobs_", "outbox_"]);
    assert!(watched.len() > 12, "{watched:?}");
    let missing = async || {
        let (_, text) = worker.get("metrics").await;
        watched.difference(&said(&text)).cloned().collect::<Vec<_>>()
    };
    let all = async || missing().await.is_empty().then_some(());
    let soon = tokio::time::timeout(SOON, eventually("all", 2 * SOON, all)).await;
    assert!(soon.is_ok(), "missing: {:?}", missing().await);
}

#[tokio::test]
async fn started_first_it_waits_for_its_servers_and_says_which_is_missing() {
    let (test, broker) = (TestDatabase::new().await, broker().await);
    let postgres = Proxy::to(address_of(test.url())).await;
    let rabbitmq = Proxy::to(address_of(broker.url())).await;
    postgres.cut();
    rabbitmq.cut();
    let mut worker = Process::start(&test.url_through(&postgres), Some((&broker.url_through(&rabbitmq), &broker)));
    let missing = async || -> Vec<String> {
        let (status, body) = worker.get("readyz").await;
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        let parts = body["parts"].as_object().unwrap();
        let missing: Vec<_> = parts.iter().filter(|part| part.1 == false).map(|part| part.0.clone()).collect();
        assert_eq!(status == 200, missing.is_empty());
        missing
    };
    assert_eq!(missing().await, ["consumer", "database", "relay"]);
    assert_eq!(worker.get("healthz").await.0, 200, "it is well itself");
    rabbitmq.heal();
    let connected = async || (missing().await == ["database", "relay"]).then_some(());
    eventually("the broker is there; the relay has no outbox to read", SOON, connected).await;
    postgres.heal();
    eventually("all is there", SOON, async || missing().await.is_empty().then_some(())).await;
    postgres.cut();
    rabbitmq.cut();
    eventually("all is gone", SOON, async || (missing().await.len() == 3).then_some(())).await;
    worker.signal("INT");
    assert!(worker.ended().await.success(), "it stops without its servers");
}

#[tokio::test]
async fn without_a_broker_it_takes_events_from_the_outbox() {
    let test = TestDatabase::new().await;
    let mut worker = Process::start(test.url(), None);
    worker.eventually_answers("readyz", 200).await;
    record(&test).await;
    let sql = test.sql().await;
    let parked = "SELECT FROM outbox WHERE parked_at IS NOT NULL";
    eventually("no task answers it", SOON, async || sql.query_opt(parked, &[]).await.unwrap()).await;
    worker.signal("TERM");
    assert!(worker.ended().await.success());
}

#[tokio::test]
async fn a_healthcheck_asks_the_running_worker() {
    let test = TestDatabase::new().await;
    let mut worker = Process::start(test.url(), None);
    let port = worker.ops().rsplit_once(':').unwrap().1.to_owned();
    let healthcheck = |address: String| {
        let output = binary().arg("healthcheck").env("WORKER_OPS_ADDR", address).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(healthcheck(worker.ops().into()), (Some(0), String::new()));
    assert_eq!(healthcheck(format!("0.0.0.0:{port}")), (Some(0), String::new()), "as it is set in a container");
    worker.signal("KILL");
    worker.ended().await;
    let (code, words) = healthcheck(worker.ops().into());
    assert_eq!(code, Some(1));
    assert!(words.contains("does not answer"), "{words}");
}

#[test]
fn it_tells_its_version_and_what_it_does_not_know() {
    let version = binary().arg("--version").output().unwrap();
    assert_eq!(String::from_utf8(version.stdout).unwrap(), concat!("worker ", env!("CARGO_PKG_VERSION"), "\n"));
    assert_eq!(binary().arg("--frobnicate").output().unwrap().status.code(), Some(2));
    let unset = binary().output().unwrap();
    assert!(!unset.status.success());
    assert!(String::from_utf8(unset.stderr).unwrap().contains("DATABASE_URL is not set"));
}
