//! A shop to order from, and questions to its database that go around the code under test.

use std::sync::Arc;
use std::time::Duration;

use db::{Clock, Database, Role};
use orders::{Basket, Config, Key, Order, Orders, PlaceError, Placed, Request, Wanted};
use testkit::TestDatabase;
use tokio_postgres::Client;
use tokio_postgres::types::ToSql;

pub(crate) struct Shop {
    pub(crate) database: TestDatabase,
    /// A handle that waits for its turn.
    pub(crate) patient: Database,
    pub(crate) orders: Arc<Orders>,
    pub(crate) clock: Clock,
    pub(crate) sql: Client,
    pub(crate) store: i64,
}

/// Limits under which nobody is refused because the machine is slow.
pub(crate) fn relaxed() -> Config {
    Config { patience: Duration::from_secs(60), ..Config::default() }
}

pub(crate) fn basket(lines: &[(i64, i32)]) -> Basket {
    let wanted = lines.iter().map(|&(product_id, quantity)| Wanted { product_id, quantity });
    Basket::new(wanted.collect()).unwrap()
}

impl Shop {
    /// A shop whose clock stands still.
    pub(crate) async fn open() -> Self {
        let database = TestDatabase::new().await;
        let clock = Clock::fixed("2026-03-01T09:30:00.123456Z".parse().unwrap());
        // Patient, so that no test is about how fast the machine is.
        let patient = Duration::from_secs(30);
        let gateway = db::Config::new(database.url(), Role::Gateway);
        let config = db::Config { wait: patient, connect: patient, statement: patient, lock: patient, ..gateway };
        let patient = Database::new(&config).unwrap();
        let orders = Arc::new(Orders::new(patient.clone(), clock.clone(), &relaxed()).unwrap());
        let store = database.build().await.store("Corner shop").await;
        let sql = database.sql().await;
        Self { database, patient, orders, clock, sql, store }
    }

    /// A product at `price`, of which the shop has `stock`; `None` if it does not carry it.
    pub(crate) async fn product(&self, price: &str, stock: Option<i32>) -> i64 {
        let build = self.database.build().await;
        let product = build.product("A thing", "Things", price).await;
        if let Some(stock) = stock {
            build.stock(self.store, product, stock).await;
        }
        product
    }

    pub(crate) fn request(&self, lines: &[(i64, i32)]) -> Request {
        Request {
            store_id: self.store,
            basket: basket(lines),
            expected_total: None,
            key: None,
            customer_email: None,
            request_id: Some("test".into()),
            traceparent: None,
        }
    }

    pub(crate) fn keyed(&self, key: &str, lines: &[(i64, i32)]) -> Request {
        let key = Key { client: String::new(), key: key.into() };
        Request { key: Some(key), ..self.request(lines) }
    }

    pub(crate) async fn try_place(&self, lines: &[(i64, i32)]) -> Result<Placed, PlaceError> {
        self.orders.place(self.request(lines)).await
    }

    pub(crate) async fn place(&self, lines: &[(i64, i32)]) -> Order {
        new(self.try_place(lines).await.unwrap())
    }

    pub(crate) async fn stock(&self, product: i64) -> i32 {
        let select = "SELECT quantity FROM inventory WHERE store_id = $1 AND product_id = $2";
        self.sql.query_one(select, &[&self.store, &product]).await.unwrap().get(0)
    }

    /// Another process that places orders in the same database.
    pub(crate) fn another_gateway(&self) -> Orders {
        Orders::new(self.patient.clone(), self.clock.clone(), &relaxed()).unwrap()
    }

    /// Adjusts a stock by so many units, with the entry in the ledger, unless there are too few.
    pub(crate) async fn adjust(&self, product: i64, delta: i32) {
        let adjust = "WITH moved AS (UPDATE inventory SET quantity = quantity + $3 \
                                     WHERE store_id = $1 AND product_id = $2 AND quantity + $3 >= 0 RETURNING 1) \
                      INSERT INTO stock_adjustments (store_id, product_id, delta, reason) \
                      SELECT $1, $2, $3, 'test' FROM moved";
        self.sql.execute(adjust, &[&self.store, &product, &delta]).await.unwrap();
    }

    /// The answer to a query for one number.
    pub(crate) async fn number(&self, select: &str, params: &[&(dyn ToSql + Sync)]) -> i64 {
        self.sql.query_one(select, params).await.unwrap().get(0)
    }

    /// Rows in orders, order_items, confirmations, outbox and idempotency_keys.
    pub(crate) async fn rows(&self) -> [i64; 5] {
        let select = "SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM order_items), \
                      (SELECT count(*) FROM confirmations), (SELECT count(*) FROM outbox), \
                      (SELECT count(*) FROM idempotency_keys)";
        let row = self.sql.query_one(select, &[]).await.unwrap();
        std::array::from_fn(|table| row.get(table))
    }

    /// Waits until this many transactions wait for others.
    pub(crate) async fn until_waiting(&self, transactions: i64) {
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
                       AND datname = current_database()";
        while self.number(waiting, &[]).await < transactions {
            tokio::task::yield_now().await;
        }
    }

    /// How many deadlocks PostgreSQL has met here. A connection reports them for certain when it ends, so all are ended.
    pub(crate) async fn deadlocks(self) -> i64 {
        let Self { database, patient, orders, sql, .. } = self;
        drop((patient, orders));
        let open = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'stockroom-gateway' \
                    AND datname = current_database()";
        while sql.query_one(open, &[]).await.unwrap().get::<_, i64>(0) > 0 {
            tokio::task::yield_now().await;
        }
        let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
        let met = sql.query_one(deadlocks, &[]).await.unwrap().get(0);
        drop(database);
        met
    }

    /// Asserts for every row of the inventory that it holds what was put there less what was sold.
    pub(crate) async fn assert_ledger(&self) {
        let drift = self
            .number(
                "SELECT count(*) FROM inventory WHERE quantity <> \
                     (SELECT coalesce(sum(delta), 0) FROM stock_adjustments AS put \
                      WHERE (put.store_id, put.product_id) = (inventory.store_id, inventory.product_id)) \
                   - (SELECT coalesce(sum(quantity_requested), 0) FROM order_items AS sold \
                      JOIN orders ON (orders.store_id, orders.id) = (sold.store_id, sold.order_id) \
                      WHERE orders.status = 'CONFIRMED' \
                        AND (sold.store_id, sold.product_id) = (inventory.store_id, inventory.product_id))",
                &[],
            )
            .await;
        assert_eq!(drift, 0, "rows of the inventory that do not add up");
    }
}

pub(crate) fn new(placed: Placed) -> Order {
    match placed {
        Placed::New(order) => order,
        Placed::Replayed { order_id, .. } => panic!("order {order_id} was replayed"),
    }
}
