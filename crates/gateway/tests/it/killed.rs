//! The gateway killed under load: what was acknowledged is there, once.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use reqwest::Client;
use serde_json::{Value, json};
use testkit::{TestDatabase, eventually, size};

use crate::process::{Gateway, until_ready};

const CLIENTS: usize = 16;

/// What a client was told of its orders, and the key whose answer it never got.
#[derive(Default)]
struct Told {
    ids: Vec<i64>,
    keys: u64,
    pending: Option<String>,
}

/// Orders at both stores in turn, with a key at the first, until the connection breaks.
async fn order(url: String, stores: [i64; 2], product: i64, name: String) -> Told {
    let (client, mut told) = (Client::new(), Told::default());
    loop {
        let key = format!("{name}/{}", told.keys);
        told.keys += 1;
        match post(&client, &url, stores[0], product, Some(&key)).await {
            Some(id) => told.ids.push(id),
            None => {
                told.pending = Some(key);
                return told;
            }
        }
        match post(&client, &url, stores[1], product, None).await {
            Some(id) => told.ids.push(id),
            None => return told,
        }
    }
}

/// The order's number; `None` when there was no answer.
async fn post(client: &Client, url: &str, store: i64, product: i64, key: Option<&str>) -> Option<i64> {
    let body = json!({"store_id": store, "items": [{"product_id": product, "quantity_requested": 1}]});
    let mut request = client.post(url).json(&body);
    if let Some(key) = key {
        request = request.header("Idempotency-Key", key);
    }
    let answer = request.send().await.ok()?;
    assert_eq!(answer.status(), 201);
    let order: Value = answer.json().await.ok()?;
    assert_eq!(order["status"], "CONFIRMED");
    order["id"].as_i64()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn load_killed_it_loses_no_order_that_it_acknowledged_and_leaves_no_lock() {
    let database = TestDatabase::new().await;
    let build = database.build().await;
    let stores = [build.store("With keys").await, build.store("Without").await];
    let product = build.product("Oolong Tea", "Tea", "2.50").await;
    for store in stores {
        build.stock(store, product, 10_000_000).await;
    }
    let sql = database.sql().await;
    let (mut acknowledged, mut keys, mut pending) = (HashSet::new(), 0, Vec::<String>::new());
    for round in 0..size(3, 20) {
        let gateway = Gateway::start_with(&database, |_| ());
        until_ready(gateway.base()).await;
        let url = format!("{}/orders/", gateway.base());
        // What the last one left open is asked for again.
        for key in pending.drain(..) {
            let id = post(&Client::new(), &url, stores[0], product, Some(&key)).await;
            acknowledged.insert(id.expect("the gateway is up"));
        }
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| tokio::spawn(order(url.clone(), stores, product, format!("{round}/{client}"))))
            .collect();
        // In the middle of it, each time at another moment.
        let enough = acknowledged.len() as i64 + 50 + 7 * (round as i64 % 10);
        eventually("the gateway is under load", Duration::from_secs(60), async || {
            let stored: i64 = sql.query_one("SELECT count(*) FROM orders", &[]).await.unwrap().get(0);
            (stored >= enough).then_some(())
        })
        .await;
        drop(gateway);
        let killed = Instant::now();
        sql.batch_execute("UPDATE inventory SET quantity = quantity").await.unwrap();
        assert!(killed.elapsed() < Duration::from_secs(1), "rows stayed locked for {:?}", killed.elapsed());
        for client in clients {
            let told = client.await.unwrap();
            for id in told.ids {
                assert!(acknowledged.insert(id), "order {id} was acknowledged twice");
            }
            keys += told.keys;
            pending.extend(told.pending);
        }
    }
    let stored = async |store: i64| -> HashSet<i64> {
        let rows = sql.query("SELECT id FROM orders WHERE store_id = $1", &[&store]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    };
    let (with_keys, without) = (stored(stores[0]).await, stored(stores[1]).await);
    assert!(acknowledged.iter().all(|id| with_keys.contains(id) || without.contains(id)));
    // Of the last round some keys were never asked for again: they may have made an order or not.
    let open = pending.len() as u64;
    assert!((keys - open..=keys).contains(&(with_keys.len() as u64)), "{} orders for {keys} keys", with_keys.len());
    let whole = "SELECT count(*) FROM orders o WHERE status = 'CONFIRMED' \
                 AND EXISTS (SELECT FROM order_items l WHERE (l.store_id, l.order_id) = (o.store_id, o.id)) \
                 AND EXISTS (SELECT FROM confirmations c WHERE (c.store_id, c.order_id) = (o.store_id, o.id)) \
                 AND EXISTS (SELECT FROM outbox WHERE (payload->>'order_id')::bigint = o.id)";
    let whole: i64 = sql.query_one(whole, &[]).await.unwrap().get(0);
    assert_eq!(whole as usize, with_keys.len() + without.len(), "every order is whole");
    let drift = "SELECT count(*) FROM inventory i WHERE quantity <> 10000000 - \
                 (SELECT count(*) FROM orders o WHERE o.store_id = i.store_id)";
    assert_eq!(sql.query_one(drift, &[]).await.unwrap().get::<_, i64>(0), 0);
}
