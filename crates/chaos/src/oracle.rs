//! What must hold in the end, whatever was done to the store.

use std::collections::{BTreeMap, HashMap};

use anyhow::Result;
use serde_json::{Value, json};
use testkit::Mail;
use tokio_postgres::Client;

use crate::client::{History, lock};
use crate::shop::Shop;

/// Faults of the store, in words.
pub(crate) type Violations = Vec<String>;

/// Compares the client's history with what the database holds.
pub(crate) async fn judge(sql: &Client, shop: &Shop, history: &History) -> Result<Violations> {
    let mut found = lock(&history.odd).clone();
    orders(sql, history, &mut found).await?;
    stock(sql, shop, &mut found).await?;
    confirmations(sql, &mut found).await?;
    println!("client: {} repeats", history.repeats());
    Ok(found)
}

/// Every answered order is stored as it was answered, and no other is there.
async fn orders(sql: &Client, history: &History, found: &mut Violations) -> Result<()> {
    let mut stored: HashMap<i64, (i64, String)> = HashMap::new();
    for row in sql.query("SELECT id, store_id, status FROM orders", &[]).await? {
        stored.insert(row.get(0), (row.get(1), row.get(2)));
    }
    let mut addresses: HashMap<i64, String> = HashMap::new();
    for row in sql.query("SELECT id, customer_email FROM orders WHERE customer_email IS NOT NULL", &[]).await? {
        addresses.insert(row.get(0), row.get(1));
    }
    let mut lines: HashMap<i64, BTreeMap<i64, i64>> = HashMap::new();
    for row in sql.query("SELECT order_id, product_id, quantity_requested::bigint FROM order_items", &[]).await? {
        lines.entry(row.get(0)).or_default().insert(row.get(1), row.get(2));
    }
    let (answered, cancelled) = (lock(&history.answered), lock(&history.cancelled));
    let mut keys_of: HashMap<i64, usize> = HashMap::new();
    for (number, known) in answered.iter() {
        let id = known.answer["id"].as_i64().unwrap_or(-1);
        if let Some(other) = keys_of.insert(id, *number) {
            found.push(format!("orders {other} and {number} of the client were both answered with order {id}"));
        }
        let Some((store, status)) = stored.get(&id) else {
            found.push(format!("lost: order {id} was answered and is not stored"));
            continue;
        };
        let expected = if cancelled.contains(number) { json!("CANCELLED") } else { known.answer["status"].clone() };
        if known.body["store_id"] != *store || expected != status.as_str() {
            found.push(format!(
                "order {id} is stored as {status} of store {store}, and was answered as {}",
                known.answer
            ));
        }
        if known.body["customer_email"].as_str() != addresses.get(&id).map(String::as_str) {
            found.push(format!("order {id} is stored with another address than {}", known.body));
        }
        if asked(&known.body) != lines.get(&id).cloned().unwrap_or_default() {
            found.push(format!("order {id} is stored with other lines than {}", known.body));
        }
    }
    for id in stored.keys().filter(|id| !keys_of.contains_key(id)) {
        found.push(format!("duplicate: order {id} is stored, and was never answered"));
    }
    println!("orders: {} answered, {} of them cancelled, {} stored", answered.len(), cancelled.len(), stored.len());
    Ok(())
}

fn asked(body: &Value) -> BTreeMap<i64, i64> {
    let lines = body["items"].as_array().into_iter().flatten();
    lines.filter_map(|line| Some((line["product_id"].as_i64()?, line["quantity_requested"].as_i64()?))).collect()
}

/// Nothing was sold twice, and nothing refused that was there.
async fn stock(sql: &Client, shop: &Shop, found: &mut Violations) -> Result<()> {
    let query = "SELECT i.store_id, i.product_id, i.quantity::bigint, coalesce(sold.units, 0)::bigint, least_seen, coalesce(sold.returned, 0)::bigint \
                 FROM inventory i \
                 LEFT JOIN (SELECT l.store_id, l.product_id, sum(l.quantity_requested) FILTER (WHERE status = 'CONFIRMED') AS units, \
                                   sum(l.quantity_requested) FILTER (WHERE status = 'CANCELLED') AS returned, \
                                   min(l.available)::bigint AS least_seen \
                            FROM order_items l JOIN orders o ON o.store_id = l.store_id AND o.id = l.order_id \
                            GROUP BY 1, 2) sold USING (store_id, product_id)";
    let mut sold = 0;
    for row in sql.query(query, &[]).await? {
        let (store, product, left, units): (i64, i64, i64, i64) = (row.get(0), row.get(1), row.get(2), row.get(3));
        sold += units;
        if left < 0 || left + units != i64::from(shop.supply) {
            found.push(format!("stock: {left} left and {units} sold of {} ({store}, {product})", shop.supply));
        }
        if let Some(least) = row.get::<_, Option<i64>>(4)
            // What was cancelled may have come back later.
            && least + row.get::<_, i64>(5) < left
        {
            found.push(format!("undersold: refused with {least} available, and {left} are left ({store}, {product})"));
        }
    }
    let refused = "SELECT count(*) FROM orders o WHERE status = 'REJECTED' AND NOT EXISTS \
                   (SELECT FROM order_items l WHERE l.store_id = o.store_id AND l.order_id = o.id \
                    AND l.available < l.quantity_requested)";
    let groundless: i64 = sql.query_one(refused, &[]).await?.get(0);
    if groundless > 0 {
        found.push(format!("{groundless} orders were refused without a line that could not be served"));
    }
    println!("stock: {sold} units sold");
    Ok(())
}

/// One confirmation on record for each confirmed order, sent; none for another.
async fn confirmations(sql: &Client, found: &mut Violations) -> Result<()> {
    let count = async |what: &str| -> Result<i64> {
        Ok(sql.query_one(&format!("SELECT count(*) FROM {what}"), &[]).await?.get(0))
    };
    for (what, rows) in [
        (
            "confirmed orders without a confirmation on record",
            "orders o WHERE status IN ('CONFIRMED', 'CANCELLED') AND NOT EXISTS (SELECT FROM confirmations c WHERE c.store_id = o.store_id AND c.order_id = o.id)",
        ),
        (
            "confirmations of orders that were not confirmed",
            "confirmations c WHERE NOT EXISTS (SELECT FROM orders o WHERE c.store_id = o.store_id AND c.order_id = o.id AND status IN ('CONFIRMED', 'CANCELLED'))",
        ),
        ("confirmations that were never sent", "confirmations WHERE state <> 'sent'"),
        ("times that a confirmation was sent which was on record as sent", "sent_again"),
        ("events whose task is not done", "outbox WHERE parked_at IS NULL"),
        ("events that were given up", "outbox WHERE parked_at IS NOT NULL"),
    ] {
        let number = count(rows).await?;
        if number > 0 {
            found.push(format!("{number} {what}"));
        }
    }
    println!("confirmations: {} sent", count("confirmations WHERE state = 'sent'").await?);
    Ok(())
}

/// Whoever left an address with a confirmed order got its letter, unless it was cancelled first; repeats can be told, and
/// nobody else got any. Returns how many were repeats.
pub(crate) async fn mail(sql: &Client, mails: &[Mail], found: &mut Violations) -> Result<usize> {
    let mut ids_by_address: HashMap<&str, Vec<String>> = HashMap::new();
    for mail in mails {
        let id = mail.header("Message-ID").unwrap_or_default();
        for address in &mail.to {
            ids_by_address.entry(address).or_default().push(id.clone());
        }
    }
    let mut owners: HashMap<String, String> = HashMap::new();
    let addressed = "SELECT id, status, customer_email FROM orders WHERE customer_email IS NOT NULL";
    let (mut told, mut repeats) = (0, 0);
    for row in sql.query(addressed, &[]).await? {
        let (id, status, address): (i64, String, String) = (row.get(0), row.get(1), row.get(2));
        match (status.as_str(), ids_by_address.remove(address.as_str())) {
            // One that was cancelled was confirmed before, and its customer may have heard of that.
            ("CONFIRMED" | "CANCELLED", Some(ids)) => {
                told += 1;
                repeats += ids.len() - 1;
                if ids.iter().any(|other| other != &ids[0] || other.is_empty()) {
                    found.push(format!("order {id} was confirmed by letters of several Message-IDs: {ids:?}"));
                }
                if let Some(other) = owners.insert(ids[0].clone(), address) {
                    found.push(format!(
                        "order {id} and that of {other} were confirmed under one Message-ID, {}",
                        ids[0]
                    ));
                }
            }
            ("CONFIRMED", None) => {
                found.push(format!("missing: order {id} was confirmed, and its customer got no mail"))
            }
            (_, Some(_)) => found.push(format!("order {id} is {status}, and its customer got mail")),
            (_, None) => {}
        }
    }
    for address in ids_by_address.keys() {
        found.push(format!("{address} got mail without an order"));
    }
    println!("mail: {told} orders told of, {repeats} repetitions");
    Ok(repeats)
}

/// What the workers' logs tell.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// How often each order was told of.
    pub(crate) orders: HashMap<i64, usize>,
    /// Events that were lost on the way and had to be published again.
    pub(crate) recalled: i64,
}

/// Reads the workers' logs.
pub(crate) fn told(logs: &[String]) -> Told {
    let mut told = Told::default();
    for line in logs.iter().flat_map(|log| log.lines()) {
        // A line that a killed process left unfinished is no JSON.
        let Ok(line) = serde_json::from_str::<Value>(line) else { continue };
        match line["message"].as_str() {
            Some("order confirmation sent") => {
                *told.orders.entry(line["order_id"].as_i64().unwrap_or(-1)).or_default() += 1;
            }
            Some("events were overdue, and are published again") => {
                told.recalled += line["events"].as_i64().unwrap_or(0);
            }
            _ => {}
        }
    }
    told
}
