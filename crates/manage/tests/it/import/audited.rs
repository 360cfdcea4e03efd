//! What an import changed is in the audit log, and nothing else is.

use crate::support::Bench;

/// The whole log: `kind action id before -> after`.
async fn log(bench: &Bench) -> Vec<String> {
    let sql = "SELECT concat_ws(' ', object_kind, action, object_id, before, '->', after) FROM audit_log \
               WHERE actor = 'manage' ORDER BY object_kind, object_id, id";
    let rows = bench.database.sql().await.query(sql, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn every_change_is_told_of_once() {
    let bench = Bench::new().await;
    let products = "sku,title,category,price,description\nA-1,Apple,Fruit,0.5,\nA-2,Pear,fruit,0.70,\n";
    bench.import("products", products).await.ok();
    bench.import("stores", "name,location\nCorner,Quay 1\n").await.ok();
    bench.import("inventory", "store,sku,quantity\nCorner,A-1,5\nCorner,A-2,0\n").await.ok();
    let apple = |price: &str| {
        format!(r#"{{"sku": "A-1", "price": "{price}", "title": "Apple", "category_id": 1, "description": ""}}"#)
    };
    let pear = apple("0.70").replace("A-1", "A-2").replace("Apple", "Pear");
    let corner = |at: &str| format!(r#"{{"name": "Corner", "location": "{at}"}}"#);
    let stock = |units: u8| format!(r#"{{"reason": "import", "quantity": {units}}}"#);
    let first = [
        r#"category import 1 -> {"name": "Fruit"}"#.to_owned(),
        format!("inventory import 1/1 -> {}", stock(5)),
        format!("inventory import 1/2 -> {}", stock(0)),
        format!("product import 1 -> {}", apple("0.50")),
        format!("product import 2 -> {pear}"),
        format!("store import 1 -> {}", corner("Quay 1")),
    ];
    assert_eq!(log(&bench).await, first);

    bench.import("products", products).await.ok();
    bench.import("stores", "name,location\nCORNER,Quay 1\n").await.ok();
    bench.import("inventory", "store,sku,quantity\nCorner,A-1,5\nCorner,A-2,0\n").await.ok();
    assert_eq!(log(&bench).await, first, "what changed nothing left no trace");

    bench.import("products", products.replace("0.5,", "0.6,")).await.ok();
    bench.import("stores", "name,location\ncorner,Quay 2\n").await.ok();
    bench.import("inventory", "store,sku,quantity\nCorner,A-1,4\nCorner,A-2,0\n").await.ok();
    let mut second = first.to_vec();
    second.insert(2, format!(r#"inventory import 1/1 {{"quantity": 5}} -> {}"#, stock(4)));
    second.insert(5, format!("product import 1 {} -> {}", apple("0.50"), apple("0.60")));
    second.push(format!("store import 1 {} -> {}", corner("Quay 1"), corner("Quay 2")));
    assert_eq!(log(&bench).await, second);
}

#[tokio::test]
async fn what_was_not_kept_is_not_told_of() {
    let bench = Bench::new().await;
    let file = "sku,title,category,price,description\nA-1,Apple,Fruit,0.5,\nA-2,Pear,Fruit,free,\n";
    bench.write("in.csv", file);
    assert_eq!(bench.manage(&["import", "products", "in.csv", "--atomic"]).await.status, 1);
    assert_eq!(log(&bench).await, [] as [String; 0]);
}
