use std::cell::Cell;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use testkit::{Broker, TestApp, eventually};

use crate::process::{Process, SOON};

/// A store that sells one thing, and a broker.
pub(crate) struct Shop {
    pub(crate) app: TestApp,
    broker: Broker,
    pub(crate) sql: tokio_postgres::Client,
    pub(crate) store: i64,
    pub(crate) product: i64,
}

impl Shop {
    pub(crate) async fn open() -> Self {
        Self::selling("Pen", TestApp::start().await).await
    }

    pub(crate) async fn selling(title: &str, app: TestApp) -> Self {
        let build = app.build().await;
        let (store, product) = (build.store("Corner shop").await, build.product(title, "Office", "2.50").await);
        build.stock(store, product, 10_000).await;
        let (broker, sql) = (Broker::new(&crate::process::QUEUES).await, app.database.sql().await);
        Self { app, broker, sql, store, product }
    }

    /// Places an order over HTTP; its id, and the id of the request.
    pub(crate) async fn order(&self) -> (i64, String) {
        let body =
            json!({ "store_id": self.store, "items": [{ "product_id": self.product, "quantity_requested": 1 }] });
        let answer = self.app.post("/orders/", &body).await;
        let order = answer.expect(201);
        assert_eq!(order["status"], "CONFIRMED");
        (order["id"].as_i64().unwrap(), answer.header("x-request-id").unwrap().to_owned())
    }

    /// Places an order that belongs to a trace; its id.
    async fn traced_order(&self, traceparent: &str) -> i64 {
        let body =
            json!({ "store_id": self.store, "items": [{ "product_id": self.product, "quantity_requested": 1 }] });
        let request = self.app.request(reqwest::Method::POST, "/orders/").header("traceparent", traceparent);
        self.app.send(request.json(&body)).await.expect(201)["id"].as_i64().unwrap()
    }

    pub(crate) async fn orders(&self, count: usize) {
        for _ in 0..count / 10 {
            join_all((0..10).map(|_| self.order())).await;
        }
    }

    pub(crate) fn worker_with(&self, variables: &[(&str, String)]) -> Process {
        Process::start_with(self.app.database.url(), Some((self.broker.url(), &self.broker)), variables)
    }

    pub(crate) fn direct_worker_with(&self, variables: &[(&str, String)]) -> Process {
        Process::start_with(self.app.database.url(), None, variables)
    }

    fn worker(&self) -> Process {
        Process::start(self.app.database.url(), Some((self.broker.url(), &self.broker)))
    }

    async fn sent(&self) -> i64 {
        let count = "SELECT count(*) FROM confirmations WHERE state = 'sent'";
        self.sql.query_one(count, &[]).await.unwrap().get(0)
    }

    pub(crate) async fn eventually_sent(&self, count: i64) {
        let limit = Duration::from_secs(20);
        eventually("confirmed to their customers", limit, async || (self.sent().await == count).then_some(())).await;
    }

    async fn eventually_nothing_recorded(&self) {
        let none = "SELECT count(*) FROM outbox";
        let empty = async || (self.sql.query_one(none, &[]).await.unwrap().get::<_, i64>(0) == 0).then_some(());
        eventually("the outbox is empty", SOON, empty).await;
    }

    /// Nothing waits in the outbox or in any queue.
    pub(crate) async fn eventually_idle(&self) {
        self.eventually_nothing_recorded().await;
        for queue in crate::process::QUEUES {
            eventually(queue, SOON, async || (self.broker.ready(queue).await == Some(0)).then_some(())).await;
        }
    }
}

#[tokio::test]
async fn a_confirmed_order_is_told_to_its_customer_and_the_log_has_one_line_of_it() {
    let shop = Shop::open().await;
    let worker = shop.worker();
    let (order, request) = shop.order().await;
    shop.eventually_sent(1).await;
    shop.eventually_idle().await;
    let traced = shop.traced_order("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").await;
    shop.eventually_sent(2).await;
    let sent = eventually("the trace is in the log", SOON, async || {
        let said = worker.said("order confirmation sent");
        said.into_iter().find(|line| line["order_id"] == traced)
    })
    .await;
    assert_eq!(sent["span"]["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736", "{sent}");
    let done = eventually("it says so", SOON, async || worker.said("task done").into_iter().next()).await;
    for (field, value) in [
        ("task", json!("send_order_confirmation")),
        ("kind", json!("order.confirmed")),
        ("request_id", json!(request)),
        ("attempt", json!(1)),
        ("outcome", json!("done")),
    ] {
        assert_eq!(done[field], value, "{done}");
    }
    assert!(done["elapsed_ms"].as_f64().unwrap() > 0.0);
    assert_eq!(done.get("payload"), None);
    let sent: Value = worker.said("order confirmation sent").remove(0);
    assert_eq!((&sent["order_id"], &sent["span"]["request_id"]), (&json!(order), &json!(request)), "{sent}");
}

/// The gateway says so after the order's COMMIT.
#[tokio::test]
async fn a_worker_that_rarely_looks_is_told_of_an_order() {
    let shop = Shop::open().await;
    let worker = shop.worker_with(&[("JOBS_POLL_MS", "60000".into())]);
    worker.eventually_answers("readyz", 200).await;
    let listens = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND query = 'LISTEN outbox'";
    eventually("it listens", SOON, async || shop.sql.query_opt(listens, &[]).await.unwrap()).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    for sent in 1..=5 {
        let ordered = std::time::Instant::now();
        shop.order().await;
        shop.eventually_sent(sent).await;
        println!("sent after {:?}", ordered.elapsed());
    }
}

#[tokio::test]
async fn sigterm_lets_a_running_task_end_and_acknowledges_it() {
    let shop = Shop::open().await;
    shop.order().await;
    // The task will wait for a row that the test holds.
    let mut other = shop.app.database.sql().await;
    let held = other.transaction().await.unwrap();
    held.execute("SELECT FROM confirmations FOR UPDATE", &[]).await.unwrap();
    let mut worker = shop.worker();
    let waiting = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    eventually("the task has begun", SOON, async || shop.sql.query_opt(waiting, &[]).await.unwrap()).await;
    worker.signal("TERM");
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(!worker.has_ended(), "it waits for the task");
    held.commit().await.unwrap();
    assert!(worker.ended().await.success());
    assert_eq!(shop.sent().await, 1);
    shop.eventually_idle().await;
}

#[tokio::test]
async fn workers_that_are_killed_over_and_over_lose_no_confirmation() {
    let shop = Shop::open().await;
    let steady = shop.worker();
    steady.eventually_answers("readyz", 200).await;
    let killed = Cell::new(false);
    let ordering = async {
        let mut placed = 0;
        loop {
            shop.orders(10).await;
            placed += 10;
            tokio::time::sleep(Duration::from_millis(50)).await;
            if killed.get() {
                return placed;
            }
        }
    };
    let kills = async {
        for _ in 0..6 {
            let mut worker = shop.worker();
            worker.eventually_answers("readyz", 200).await;
            worker.signal("KILL");
            worker.ended().await;
        }
        killed.set(true);
    };
    let (placed, ()) = tokio::join!(ordering, kills);
    shop.eventually_sent(placed).await;
    shop.eventually_idle().await;
}

#[tokio::test]
async fn an_ending_that_cannot_be_written_down_is_warned_of_once() {
    let shop = Shop::open().await;
    let refuse = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'made up'; END $$; \
                  CREATE TRIGGER refuse BEFORE DELETE ON outbox FOR EACH ROW EXECUTE FUNCTION refuse()";
    shop.sql.batch_execute(refuse).await.unwrap();
    shop.order().await;
    let worker = shop.worker_with(&[("RUST_LOG", "info,jobs=debug".into())]);
    let levels = async || {
        let said = worker.said("how a task ended cannot be written down yet");
        let levels: Vec<_> = said.into_iter().map(|line| line["level"].clone()).collect();
        (levels.len() >= 3).then_some(levels)
    };
    assert_eq!(eventually("it is tried again", SOON, levels).await[..3], ["WARN", "DEBUG", "DEBUG"]);
    shop.sql.batch_execute("DROP TRIGGER refuse ON outbox").await.unwrap();
    shop.eventually_idle().await;
}

#[tokio::test]
async fn without_a_broker_orders_are_confirmed_as_well() {
    let shop = Shop::open().await;
    let workers = [(); 2].map(|()| Process::start(shop.app.database.url(), None));
    shop.orders(100).await;
    shop.eventually_sent(100).await;
    shop.eventually_nothing_recorded().await;
    let sent: usize = workers.iter().map(|worker| worker.said("order confirmation sent").len()).sum();
    assert_eq!(sent, 100);
}

/// 25 seconds are enough for the broker to notice.
#[tokio::test]
async fn what_a_worker_that_hangs_had_is_taken_over_and_the_late_one_changes_nothing() {
    let shop = Shop::open().await;
    let (order, _) = shop.order().await;
    // The task will wait for a row that the test holds, until its worker hangs.
    let mut other = shop.app.database.sql().await;
    let held = other.transaction().await.unwrap();
    held.execute("SELECT FROM confirmations FOR UPDATE", &[]).await.unwrap();
    let hung = shop.worker();
    let waiting = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    eventually("the task has begun", SOON, async || shop.sql.query_opt(waiting, &[]).await.unwrap()).await;
    hung.signal("STOP");
    let stopped = std::time::Instant::now();
    held.rollback().await.unwrap();
    let well = shop.worker();
    shop.eventually_sent(1).await;
    println!("taken over after {:?}", stopped.elapsed());
    assert!(stopped.elapsed() < Duration::from_secs(20), "{:?}", stopped.elapsed());
    let by = |worker: &Process| {
        let said = worker.said("order confirmation sent");
        said.iter().filter(|line| line["order_id"] == order).count()
    };
    eventually("the other says so", SOON, async || (by(&well) == 1).then_some(())).await;
    let hang = Duration::from_secs(testkit::size(25, 60) as u64);
    tokio::time::sleep(hang.saturating_sub(stopped.elapsed())).await;
    let before = shop.sql.query_one("SELECT sent_at::text, attempts FROM confirmations", &[]).await.unwrap();
    hung.signal("CONT");
    hung.eventually_answers("readyz", 200).await;
    // It works again, and has left alone what it was late for.
    shop.order().await;
    shop.eventually_sent(2).await;
    shop.eventually_idle().await;
    let select = format!("SELECT sent_at::text, attempts FROM confirmations WHERE order_id = {order}");
    let after = shop.sql.query_one(&select, &[]).await.unwrap();
    assert_eq!(after.get::<_, &str>(0), before.get::<_, &str>(0));
    assert_eq!(after.get::<_, i32>(1), before.get::<_, i32>(1));
    assert_eq!(by(&hung) + by(&well), 1, "told once");
}
