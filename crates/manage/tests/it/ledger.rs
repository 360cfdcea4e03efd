use serde_json::{Value, json};

use crate::support::Bench;

struct Stocked {
    bench: Bench,
    store: i64,
    other: i64,
    tea: i64,
    pot: i64,
}

/// Two stores; the first has 10 tea, of which 3 were sold, 2 more were ordered and cancelled, and 7 were refused.
async fn stocked() -> Stocked {
    let bench = Bench::new().await;
    let build = bench.database.build().await;
    let (store, other) = (build.store("Corner").await, build.store("Far").await);
    let (tea, pot) = (build.product("Tea", "Tea", "1.00").await, build.product("Pot", "Tea", "9.00").await);
    build.stock(store, tea, 10).await;
    build.stock(other, pot, 4).await;
    build.stock(other, tea, 0).await;
    let orders = format!(
        "INSERT INTO orders (store_id, id, status) VALUES ({store}, 1, 'CONFIRMED'), ({store}, 2, 'CANCELLED'), \
                                                          ({store}, 3, 'REJECTED'), ({store}, 4, 'PENDING'); \
         INSERT INTO order_items (store_id, order_id, line, product_id, quantity_requested, unit_price) \
             VALUES ({store}, 1, 1, {tea}, 3, 1), ({store}, 2, 1, {tea}, 2, 1), ({store}, 3, 1, {tea}, 70, 1), \
                    ({store}, 4, 1, {tea}, 1, 1); \
         UPDATE inventory SET quantity = 7 WHERE store_id = {store} AND product_id = {tea}"
    );
    bench.database.sql().await.batch_execute(&orders).await.unwrap();
    Stocked { bench, store, other, tea, pot }
}

#[tokio::test]
async fn a_ledger_that_adds_up_is_proved() {
    let Stocked { bench, other, .. } = stocked().await;
    let run = bench.manage(&["ledger", "verify"]).await.ok();
    assert_eq!(run.out, "3 rows checked: every one adds up\n");
    let run = bench.manage(&["ledger", "verify", "--json", "--store", &other.to_string()]).await.ok();
    assert_eq!(serde_json::from_str::<Value>(&run.out).unwrap(), json!({"checked": 2, "drifted": []}));
}

#[tokio::test]
async fn a_store_that_there_is_not_proves_nothing() {
    let Stocked { bench, other, .. } = stocked().await;
    let run = bench.manage(&["ledger", "verify", "--store", &(other + 1).to_string()]).await;
    assert_eq!((run.status, run.out.as_str()), (1, ""));
    assert!(run.err.contains(&format!("there is no store {}", other + 1)), "{}", run.err);
}

#[tokio::test]
async fn every_row_that_drifted_is_named_with_both_numbers_and_nothing_is_repaired() {
    let Stocked { bench, store, other, tea, pot } = stocked().await;
    let spoil = format!(
        "UPDATE inventory SET quantity = 8 WHERE store_id = {store} AND product_id = {tea}; \
         DELETE FROM inventory WHERE store_id = {other} AND product_id = {pot}"
    );
    bench.database.sql().await.batch_execute(&spoil).await.unwrap();
    for _ in 0..2 {
        let run = bench.manage(&["ledger", "verify"]).await;
        let expected = format!(
            "store {store}, product {tea}: 8 in stock, 7 accounted for\n\
             store {other}, product {pot}: no row, 4 accounted for\n\
             3 rows checked: 2 do not add up\n"
        );
        assert_eq!((run.status, run.out), (1, expected));
    }
    let run = bench.manage(&["ledger", "verify", "--json", "--store", &store.to_string()]).await;
    let drift = json!({"store_id": store, "product_id": tea, "quantity": 8, "accounted": 7});
    assert_eq!(serde_json::from_str::<Value>(&run.out).unwrap(), json!({"checked": 1, "drifted": [drift]}));
    assert_eq!(run.status, 1);
}

#[tokio::test]
async fn a_history_lists_what_moved_a_product_and_ends_at_its_stock() {
    let Stocked { bench, store, tea, .. } = stocked().await;
    let run = bench.manage(&["ledger", "history", &store.to_string(), &tea.to_string()]).await.ok();
    let rows: Vec<Vec<&str>> = run.out.lines().skip(1).map(|line| line.split_whitespace().skip(1).collect()).collect();
    assert_eq!(
        rows,
        [
            vec!["+10", "10", "test:", "system"],
            vec!["-3", "7", "order:", "1", "CONFIRMED"],
            vec!["+0", "7", "order:", "2", "CANCELLED"],
        ]
    );
}
