//! Reading orders, one and many.

use serde_json::{Value, json};

use super::shop;

#[tokio::test]
async fn orders_are_listed_newest_first_page_by_page() {
    let shop = shop().await;
    for _ in 0..7 {
        shop.order(&[(shop.pen, 1)]).await;
    }
    let path = format!("/stores/{}/orders", shop.store);
    let first = shop.app.get(&format!("{path}?page_size=3")).await.expect(200);
    assert_eq!((&first["count"], &first["previous"]), (&json!(7), &Value::Null));
    assert_eq!(first["results"].as_array().unwrap().len(), 3);
    let summary = &first["results"][0];
    assert_eq!(
        *summary,
        json!({"id": summary["id"].as_i64().unwrap(), "status": "REJECTED", "total_items": 1, "total_price": "0.10",
               "created_at": summary["created_at"].as_str().unwrap()})
    );
    let next = first["next"].as_str().unwrap();
    assert!(next.starts_with(&format!("{}{path}/?", shop.app.base())), "{next}");
    let second = shop.app.follow(next).await.expect(200);
    let third = shop.app.follow(second["next"].as_str().unwrap()).await.expect(200);
    assert_eq!(third["next"], Value::Null);
    let ids = |page: &Value| -> Vec<i64> {
        page["results"].as_array().unwrap().iter().map(|order| order["id"].as_i64().unwrap()).collect()
    };
    let all = [ids(&first), ids(&second), ids(&third)].concat();
    assert!(all.len() == 7 && all.is_sorted_by(|newer, older| newer > older), "{all:?}");
    let back = shop.app.follow(third["previous"].as_str().unwrap()).await.expect(200);
    assert_eq!(back["results"], second["results"]);
    assert_eq!(ids(&shop.app.get(&format!("{path}/?page=2&page_size=3")).await.expect(200)), ids(&second));

    for missing in ["page=4&page_size=3", "page=0", "page=x", "page=-1", "cursor=made-up", "cursor=e30"] {
        shop.app.get(&format!("{path}/?{missing}")).await.expect_problem(404, "no_such_page");
    }
    shop.app.get(&format!("{path}/?page_size=101")).await.expect_problem(400, "invalid");
}

#[tokio::test]
async fn the_list_can_be_filtered() {
    let shop = shop().await;
    let early = shop.order(&[(shop.pen, 5)]).await;
    let late = shop.order(&[(shop.pen, 5)]).await;
    let list = async |query: String| {
        let page = shop.app.get(&format!("/stores/{}/orders/?{query}", shop.store)).await.expect(200);
        page["results"].as_array().unwrap().iter().map(|order| order["id"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    let (first, second) = (early["id"].as_i64().unwrap(), late["id"].as_i64().unwrap());
    let moment = late["created_at"].as_str().unwrap();
    assert_eq!(list("status=CONFIRMED".into()).await, [first]);
    assert_eq!(list("status=REJECTED".into()).await, [second]);
    assert_eq!(list("status=PENDING".into()).await, [] as [i64; 0]);
    assert_eq!(list(format!("created_after={moment}")).await, [second]);
    assert_eq!(list(format!("created_before={moment}")).await, [first]);
    assert_eq!(list(format!("created_before={moment}&status=REJECTED")).await, [] as [i64; 0]);
    assert_eq!(list("status=&created_after=&created_before=".into()).await, [second, first]);

    let path = format!("/stores/{}/orders/", shop.store);
    let query = "status=SHIPPED&created_after=yesterday&created_before=2026-13-01T00:00:00Z&sort=id";
    let problem = shop.app.get(&format!("{path}?{query}")).await.expect_problem(400, "invalid");
    let wrong: Vec<&Value> = problem["errors"].as_array().unwrap().iter().map(|fault| &fault["parameter"]).collect();
    assert_eq!(wrong, ["status", "created_after", "created_before", "sort"]);
    let detail = problem["errors"][0]["detail"].as_str().unwrap();
    assert_eq!(detail, "Must be one of PENDING, CONFIRMED, REJECTED, CANCELLED.");
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let shop = shop().await;
    for path in ["/orders/1/", "/orders/0", "/orders/-1/", "/orders/x/", "/orders/99999999999999999999/", "/orders/1.5"]
    {
        shop.app.get(path).await.expect_problem(404, "not_found");
    }
    for store in ["0", "-1", "999999999", "x", "99999999999999999999"] {
        shop.app.get(&format!("/stores/{store}/orders/")).await.expect_problem(404, "not_found");
    }
    shop.app.get("/orders/1/?expand=items").await.expect_problem(400, "invalid");
}
