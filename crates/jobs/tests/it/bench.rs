//! What the tests share: events with a number, and a task that writes the number down.

use std::ops::Range;
use std::time::Duration;

use db::{Database, Error, Role};
use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl;
use jobs::{Config, Delivery, Registry, Retry, TaskError, Worker};
use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};
use outbox::Event;
use testkit::{Broker, TestDatabase, eventually};

pub(crate) const SOON: Duration = Duration::from_secs(10);

#[derive(serde::Serialize)]
pub(crate) struct Happened {
    pub(crate) number: i64,
}

impl Event for Happened {
    const KIND: &'static str = "test.happened";

    fn store_id(&self) -> i64 {
        1 + self.number % 3
    }
}

/// An event that no task answers.
#[derive(serde::Serialize)]
pub(crate) struct Unheard {}

impl Event for Unheard {
    const KIND: &'static str = "test.unheard";

    fn store_id(&self) -> i64 {
        1
    }
}

/// A database with two tables: `effects`, which takes each number once, and `runs`, which takes every attempt.
pub(crate) struct Bench {
    pub(crate) test: TestDatabase,
    pub(crate) broker: Broker,
}

impl Bench {
    pub(crate) async fn new() -> Self {
        let test = TestDatabase::new().await;
        let tables = "CREATE TABLE effects (number bigint PRIMARY KEY); CREATE TABLE runs (number bigint NOT NULL)";
        test.sql().await.batch_execute(tables).await.unwrap();
        let ways = ["tasks", "tasks.mail", "tasks.webhook"];
        let steps = ways.iter().flat_map(|way| ["100ms", "1s", "3s"].map(|step| format!("{way}.retry.{step}")));
        let queues: Vec<String> = ways.iter().chain(&["tasks.dead"]).map(ToString::to_string).chain(steps).collect();
        Self { test, broker: Broker::new(&queues.iter().map(String::as_str).collect::<Vec<_>>()).await }
    }

    pub(crate) async fn record(&self, numbers: Range<i64>) {
        let recorded = self.test.transaction::<_, Error, _>(move |tx| {
            Box::pin(async move {
                let events: Vec<Happened> = numbers.map(|number| Happened { number }).collect();
                let events: Vec<_> = events.iter().map(|event| (event, Some("request-1"))).collect();
                outbox::record_all(tx, &events).await
            })
        });
        recorded.await.unwrap();
    }

    pub(crate) async fn record_unheard(&self) {
        let recorded =
            self.test.transaction::<_, Error, _>(|tx| Box::pin(async { outbox::record(tx, &Unheard {}, None).await }));
        recorded.await.unwrap();
    }

    /// Tasks by way of the broker, with a short delay between attempts.
    pub(crate) fn config(&self, url: &str) -> Config {
        let config = Config::new(Some(url), self.broker.prefix()).unwrap();
        Config { retry: Retry::new([Duration::from_millis(100)]), ..config }
    }

    /// Tasks straight from the outbox.
    pub(crate) fn direct(&self) -> Config {
        let config = Config::new(None, self.broker.prefix()).unwrap();
        Config { retry: Retry::new([Duration::from_millis(100)]), lease: Duration::from_millis(900), ..config }
    }

    pub(crate) fn worker_database(&self) -> Database {
        self.test.as_role(Role::Worker)
    }

    pub(crate) fn start(&self, config: &Config, registry: Registry) -> Worker {
        Worker::start(config, &self.worker_database(), registry)
    }

    /// Writes down the attempt, then the effect.
    pub(crate) fn writer(&self) -> Writer {
        Writer(self.test.handle())
    }

    pub(crate) async fn count(&self, what: &str) -> i64 {
        self.test.sql().await.query_one(&format!("SELECT count(*) FROM {what}"), &[]).await.unwrap().get(0)
    }

    pub(crate) async fn eventually_count(&self, what: &str, expected: i64) {
        let limit = SOON;
        eventually(&format!("{expected} {what}"), limit, async || (self.count(what).await == expected).then_some(()))
            .await;
    }

    /// Publishes messages of events once more, as a relay does that died before it could mark them.
    pub(crate) async fn publish_again(&self, numbers: Range<i64>) {
        let numbers: Vec<i64> = numbers.collect();
        let rows = "SELECT id, store_id, payload::text FROM outbox WHERE (payload->>'number')::bigint = ANY ($1)";
        for row in self.test.sql().await.query(rows, &[&numbers]).await.unwrap() {
            self.publish(row.get(0), row.get(1), row.get(2)).await;
        }
    }

    /// Publishes the message of an event.
    pub(crate) async fn publish(&self, event: i64, store: i64, payload: &str) {
        let mut headers = FieldTable::default();
        headers.insert("store".into(), AMQPValue::LongLongInt(store));
        let properties = BasicProperties::default()
            .with_type(Happened::KIND.into())
            .with_message_id(event.to_string().into())
            .with_headers(headers);
        self.broker.publish("tasks", payload.as_bytes(), properties).await;
    }

    /// As if no worker had ever died.
    pub(crate) async fn forget_crashes(&self) {
        self.test.sql().await.batch_execute("UPDATE outbox SET worker = NULL, crashes = 0").await.unwrap();
    }

    /// Nothing waits anywhere: the outbox is empty, and so are the queues of tasks and retries.
    pub(crate) async fn eventually_idle(&self) {
        self.eventually_count("outbox WHERE parked_at IS NULL", 0).await;
        for queue in ["tasks", "tasks.retry.100ms"] {
            self.eventually_ready(queue, 0).await;
        }
    }

    pub(crate) async fn eventually_parked(&self, expected: i64) {
        self.eventually_count("outbox WHERE parked_at IS NOT NULL", expected).await;
    }

    /// Everything that was recorded is with the broker, or done.
    pub(crate) async fn eventually_published(&self) {
        self.eventually_count("outbox WHERE published_at IS NULL", 0).await;
    }

    pub(crate) async fn eventually_ready(&self, queue: &str, expected: u32) {
        let ready = async || (self.broker.ready(queue).await == Some(expected)).then_some(());
        eventually(&format!("{expected} messages in {queue}"), SOON, ready).await;
    }
}

/// The task of most tests.
#[derive(Clone)]
pub(crate) struct Writer(Database);

impl Writer {
    pub(crate) async fn write(&self, number: i64) -> Result<(), TaskError> {
        self.insert("INSERT INTO runs (number) VALUES ($1)", number).await?;
        self.insert("INSERT INTO effects (number) VALUES ($1) ON CONFLICT DO NOTHING", number).await?;
        Ok(())
    }

    pub(crate) async fn attempt(&self, number: i64) -> Result<(), TaskError> {
        Ok(self.insert("INSERT INTO runs (number) VALUES ($1)", number).await?)
    }

    /// How often `number` was attempted.
    pub(crate) async fn runs(&self, number: i64) -> i64 {
        let mut conn = self.0.connection().await.unwrap();
        let query = diesel::sql_query("SELECT count(*) FROM runs WHERE number = $1").bind::<BigInt, _>(number);
        query.get_result::<Count>(&mut conn).await.unwrap().count
    }

    pub(crate) fn registry(self) -> Registry {
        Registry::new().on(Happened::KIND, "write_down", move |delivery| {
            let writer = self.clone();
            async move { writer.write(number(&delivery)).await }
        })
    }

    async fn insert(&self, sql: &'static str, number: i64) -> Result<(), Error> {
        let work = self.0.transaction(move |tx| {
            Box::pin(async move {
                diesel::sql_query(sql).bind::<BigInt, _>(number).execute(&mut **tx).await?;
                Ok(())
            })
        });
        work.await
    }
}

pub(crate) fn number(delivery: &Delivery) -> i64 {
    delivery.payload["number"].as_i64().unwrap()
}

#[derive(diesel::QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}
