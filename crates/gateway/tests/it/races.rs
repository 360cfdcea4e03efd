//! Two who change the same thing at the same moment.

use std::time::Duration;

use accounts::Scope;
use futures_util::future::{join, join_all};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Answer, eventually};

use crate::desk::Desk;

async fn desk() -> Desk {
    Desk::new(&[Scope::CatalogueWrite, Scope::StoresWrite, Scope::StockWrite]).await
}

/// What the request is answered while somebody else has done `statement` and commits it as soon as the request waits.
async fn beside(desk: &Desk, statement: &str, request: impl Future<Output = Answer>) -> Answer {
    let (other, watch) = (desk.app.database.sql().await, desk.app.database.sql().await);
    other.batch_execute(&format!("BEGIN; {statement}")).await.unwrap();
    let commit = async {
        let waits = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        eventually("the request waits for a lock", Duration::from_secs(5), async || {
            watch.query_opt(waits, &[]).await.unwrap()
        })
        .await;
        other.batch_execute("COMMIT").await.unwrap();
    };
    join(request, commit).await.0
}

#[tokio::test]
async fn what_is_deleted_while_it_is_stocked_was_never_there() {
    let desk = desk().await;
    let build = desk.app.build().await;
    let (store, closing) = (build.store("Corner").await, build.store("Closing").await);
    let shift = json!({"delta": 5, "reason": "receipt"});
    for is_carried in [false, true] {
        let product = build.product("Tea", "Tea", "1.00").await;
        if is_carried {
            build.stock(store, product, 3).await;
        }
        let path = format!("/stores/{store}/inventory/{product}/");
        let delete = format!("DELETE FROM products WHERE id = {product}");
        let answer = beside(&desk, &delete, desk.send(Method::PATCH, &path, &shift)).await;
        assert_eq!(
            answer.expect_problem(404, "not_found")["detail"],
            format!("There is no product {product}."),
            "carried: {is_carried}"
        );
    }
    let (kept, gone) = (build.product("Kept", "Tea", "1.00").await, build.product("Gone", "Tea", "1.00").await);
    let path = format!("/stores/{store}/inventory/");
    let both = json!({"reason": "receipt", "changes": [
        {"product_id": kept, "delta": 1}, {"product_id": gone, "delta": 1}]});
    let delete = format!("DELETE FROM products WHERE id = {gone}");
    let answer = beside(&desk, &delete, desk.send(Method::PATCH, &path, &both)).await;
    assert_eq!(answer.expect_problem(400, "invalid")["errors"][0]["pointer"], "/changes/1/product_id");

    let path = format!("/stores/{closing}/inventory/{kept}/");
    let delete = format!("DELETE FROM stores WHERE id = {closing}");
    let answer = beside(&desk, &delete, desk.send(Method::PATCH, &path, &shift)).await;
    answer.expect_problem(404, "not_found");
    assert_eq!(desk.log("inventory").await, [""; 0], "nothing was changed");
}

#[tokio::test]
async fn what_is_deleted_while_it_is_ordered_fails_that_order_alone() {
    let desk = desk().await;
    let build = desk.app.build().await;
    let (store, closing) = (build.store("Corner").await, build.store("Closing").await);
    let kept = build.product("Kept", "Tea", "1.00").await;
    build.stock(store, kept, 10).await;
    let order = |store: i64, product: i64| json!({"store_id": store, "items": [{"product_id": product, "quantity_requested": 1}]});
    for is_carried in [false, true] {
        let gone = build.product("Gone", "Tea", "1.00").await;
        if is_carried {
            build.stock(store, gone, 3).await;
        }
        let delete = format!("DELETE FROM products WHERE id = {gone}");
        let (doomed, neighbour) = (order(store, gone), order(store, kept));
        let orders = async {
            let (doomed, neighbour) =
                join(desk.app.post("/orders/", &doomed), desk.app.post("/orders/", &neighbour)).await;
            assert_eq!(neighbour.expect(201)["status"], "CONFIRMED", "carried: {is_carried}");
            doomed
        };
        let answer = beside(&desk, &delete, orders).await;
        let problem = answer.expect_problem(400, "invalid");
        assert_eq!(problem["errors"][0]["pointer"], "/items/0/product_id", "carried: {is_carried}");
    }
    let delete = format!("DELETE FROM stores WHERE id = {closing}");
    let doomed = order(closing, kept);
    beside(&desk, &delete, desk.app.post("/orders/", &doomed)).await.expect_problem(404, "not_found");
}

#[tokio::test]
async fn a_category_that_goes_takes_no_product_with_it() {
    let desk = desk().await;
    let category = desk.app.build().await.category("Tea").await;
    let new = json!({"title": "Oolong", "price": "1.00", "category_id": category});
    let delete = format!("DELETE FROM categories WHERE id = {category}");
    let answer = beside(&desk, &delete, desk.send(Method::POST, "/products/", &new)).await;
    assert_eq!(answer.expect_problem(400, "invalid")["errors"][0]["pointer"], "/category_id");
}

/// How many of these answers have which status.
fn tally(answers: &[Answer]) -> (usize, Vec<u16>) {
    let others = answers.iter().map(|answer| answer.status.as_u16()).filter(|status| *status != 200);
    let others: Vec<u16> = others.collect();
    (answers.len() - others.len(), others)
}

#[tokio::test]
async fn of_many_who_saw_the_same_one_changes_it() {
    let desk = desk().await;
    let build = desk.app.build().await;
    let (store, product) = (build.store("Corner").await, build.product("Tea", "Tea", "1.00").await);
    let path = format!("/products/{product}/");
    let tag = desk.app.get(&path).await.header("etag").unwrap().to_owned();
    let changes: Vec<Value> = (1..=8).map(|price| json!({"price": format!("{price}.50")})).collect();
    let answers = join_all(changes.iter().map(|change| desk.send_if(Method::PATCH, &path, &tag, change))).await;
    assert_eq!(tally(&answers), (1, vec![412; 7]));
    assert_eq!(desk.log("product").await.len(), 1);

    let path = format!("/stores/{store}/inventory/{product}/");
    let counts: Vec<Value> =
        (1..=8).map(|count| json!({"quantity": count, "expected_quantity": 0, "reason": "recount"})).collect();
    let answers = join_all(counts.iter().map(|count| desk.send(Method::PATCH, &path, count))).await;
    assert_eq!(tally(&answers), (1, vec![409; 7]));
    assert_eq!(desk.log("inventory").await.len(), 1);
}

#[tokio::test]
async fn lists_in_any_order_do_not_stand_in_each_others_way() {
    let desk = desk().await;
    let build = desk.app.build().await;
    let store = build.store("Corner").await;
    let mut ids = Vec::new();
    for number in 0..40 {
        ids.push(build.product(&format!("Tea {number}"), "Tea", "1.00").await);
    }
    let path = format!("/stores/{store}/inventory/");
    let list = |turn: usize| {
        let mut ids = ids.clone();
        ids.rotate_left(turn * 7 % 40);
        if turn.is_multiple_of(2) {
            ids.reverse();
        }
        let changes: Vec<Value> = ids.iter().map(|id| json!({"product_id": id, "delta": 1})).collect();
        json!({"reason": "receipt", "changes": changes})
    };
    let lists: Vec<Value> = (0..8).map(list).collect();
    let answers = join_all(lists.iter().map(|list| desk.send(Method::PATCH, &path, list))).await;
    assert_eq!(tally(&answers), (8, vec![]));
    assert_eq!(desk.log("inventory").await.len(), 8 * 40);
}
