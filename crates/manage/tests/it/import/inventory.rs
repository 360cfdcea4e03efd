use crate::support::Bench;

/// Two stores and three products, A-1 to A-3, of which North has 10 A-1.
async fn bench() -> Bench {
    let bench = Bench::new().await;
    bench
        .import(
            "products",
            "sku,title,category,price,description\nA-1,Apple,Fruit,1,\nA-2,Pear,Fruit,1,\nA-3,Plum,Fruit,1,\n",
        )
        .await
        .ok();
    bench.import("stores", "name,location\nNorth,Oslo\nSouth,Rome\n").await.ok();
    bench.import("inventory", "store,sku,quantity\nNorth,A-1,10\n").await.ok();
    bench
}

#[tokio::test]
async fn the_difference_goes_into_the_ledger() {
    let bench = bench().await;
    let file = "store,sku,quantity\nNORTH,A-1,7\nNorth,A-2,0\nsouth,A-1,5\nSouth,A-3, 1000000000 \n";
    assert_eq!(bench.import("inventory", file).await.ok().figures(), [4, 3, 1, 0, 0]);
    assert_eq!(bench.drift().await, 0);
    assert_eq!(bench.number("SELECT count(*) FROM inventory").await, 4, "no units are a row as well");
    let deltas = "SELECT array_agg(delta::bigint ORDER BY id) FROM stock_adjustments WHERE (reason, actor) = ('import', 'manage')";
    let deltas: Vec<i64> = bench.database.sql().await.query_one(deltas, &[]).await.unwrap().get(0);
    assert_eq!(deltas, [10, 5, 1_000_000_000, -3], "no adjustment of 0");
    let before = bench.checksum().await;
    assert_eq!(bench.import("inventory", file).await.ok().figures(), [4, 0, 0, 4, 0]);
    assert_eq!(bench.checksum().await, before);
}

#[tokio::test]
async fn wrong_rows_are_told_of_and_the_rest_is_kept() {
    let bench = bench().await;
    let build = bench.database.build().await;
    build.store("Twin").await;
    build.store("Twin").await;
    let rows = [
        ("North,A-1,-1", "quantity: negative: \"-1\""),
        ("North,A-1,1000000001", "quantity: more than 1000000000: \"1000000001\""),
        ("North,A-1,99999999999999999999", "quantity: more than 1000000000: \"99999999999999999999\""),
        ("North,A-1,2.5", "quantity: not a whole number: \"2.5\""),
        ("North,A-1,+5", "quantity: not a whole number: \"+5\""),
        ("West,A-1,1", "no store is called West"),
        ("Twin,A-1,1", "2 stores are called Twin"),
        ("North,a-1,1", "no product has the sku a-1"),
        ("West,B-1,1", "no store is called West; no product has the sku B-1"),
        ("North,A-1,8", ""),
        ("north,A-1,9", "the sku A-1 of this store is already on line 11"),
        ("South,A-1,9", ""),
    ];
    let file = "store,sku,quantity\n".to_owned() + &rows.map(|(row, _)| row).join("\r\n");
    let run = bench.import("inventory", file).await;
    assert_eq!((run.status, run.figures()), (1, [12, 1, 1, 0, 10]));
    let expected: Vec<(u64, String)> = (2..)
        .zip(rows)
        .filter(|(_, (_, reason))| !reason.is_empty())
        .map(|(line, (_, reason))| (line, reason.to_owned()))
        .collect();
    assert_eq!(bench.rejects(), expected);
    assert_eq!(bench.number("SELECT sum(quantity) FROM inventory").await, 17);
    assert_eq!(bench.drift().await, 0);
}

/// Orders are written around the code: what counts is what they do to the rows.
const ORDER: &str = "WITH held AS (SELECT store_id, product_id FROM inventory WHERE quantity > 0 AND product_id = ANY ($1) \
         ORDER BY store_id, product_id FOR NO KEY UPDATE), \
     taken AS (UPDATE inventory i SET quantity = quantity - 1 FROM held \
         WHERE (i.store_id, i.product_id) = (held.store_id, held.product_id) AND quantity > 0 RETURNING i.*), \
     orders AS (INSERT INTO orders (store_id, status) SELECT DISTINCT store_id, 'CONFIRMED' FROM taken RETURNING store_id, id) \
     INSERT INTO order_items (store_id, order_id, line, product_id, quantity_requested, unit_price) \
     SELECT store_id, id, row_number() OVER (PARTITION BY store_id), product_id, 1, 1 FROM taken JOIN orders USING (store_id)";

#[tokio::test]
async fn a_count_and_orders_at_the_same_time_lose_nothing() {
    let bench = Bench::new().await;
    bench.manage(&["seed", "--products", "300", "--stores", "2"]).await.ok();
    let sql = bench.database.sql().await;
    let stores: Vec<String> =
        sql.query("SELECT name FROM stores", &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
    for (name, quantity) in [("many.csv", 500), ("few.csv", 40)] {
        let rows: String = stores
            .iter()
            .flat_map(|store| (1..=300).rev().map(move |n| format!("{store},SR-{n:06},{quantity}\n")))
            .collect();
        bench.write(name, format!("store,sku,quantity\n{rows}"));
    }
    let products: Vec<i64> = sql
        .query("SELECT id FROM products ORDER BY id LIMIT 40", &[])
        .await
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let mut customers = Vec::new();
    for _ in 0..3 {
        let (client, products, stopped) = (bench.database.sql().await, products.clone(), stopped.clone());
        customers.push(tokio::spawn(async move {
            let order = client.prepare(ORDER).await.unwrap();
            let mut orders = 0;
            while !*stopped.borrow() {
                orders += client.execute(&order, &[&products]).await.unwrap();
            }
            orders
        }));
    }
    for _ in 0..3 {
        bench.manage(&["import", "inventory", "many.csv"]).await.ok();
        bench.manage(&["import", "inventory", "few.csv", "--atomic"]).await.ok();
    }
    stop.send_replace(true);
    let mut lines = 0;
    for customer in customers {
        lines += customer.await.unwrap();
    }
    assert!(lines > 0, "orders were placed meanwhile");
    assert_eq!(bench.drift().await, 0);
    assert_eq!(bench.number("SELECT count(*) FROM stock_adjustments WHERE delta = 0").await, 0);
}
