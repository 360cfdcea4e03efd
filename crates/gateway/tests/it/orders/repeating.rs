//! The same order twice, under an `Idempotency-Key`.

use reqwest::Method;

use super::shop;

#[tokio::test]
async fn a_repeated_request_gets_the_same_answer() {
    let shop = shop().await;
    let body = shop.body(&[(shop.pen, 2)]);
    let first = shop.post_with_key("till-1/17", &body).await;
    first.expect(201);
    assert_eq!(first.header("idempotent-replayed"), None);
    // The same content in another guise: other spacing, another order of members, a member that means nothing.
    let guise = format!(
        r#"{{ "items": [{{"quantity_requested":2,"note":"x","product_id":{}}}], "store_id" : {} }}"#,
        shop.pen, shop.store
    );
    let request = shop.app.request(Method::POST, "/orders/").header("Content-Type", "application/json");
    let again = shop.app.send(request.header("Idempotency-Key", "till-1/17").body(guise)).await;
    again.expect(201);
    assert_eq!(again.text, first.text);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.header("location"), first.header("location"));
    assert_eq!(again.header("content-type"), Some("application/json"));

    let other = shop.body(&[(shop.pen, 1)]);
    shop.post_with_key("till-1/17", &other).await.expect_problem(422, "idempotency_key_reused");
    shop.post_with_key("till-1/18", &other).await.expect(201);
    let list = shop.app.get(&format!("/stores/{}/orders/", shop.store)).await.expect(200);
    assert_eq!(list["count"], 2);
}

#[tokio::test]
async fn a_rejection_is_repeated_and_a_refusal_is_not() {
    let shop = shop().await;
    let too_much = shop.body(&[(shop.pen, 6)]);
    let first = shop.post_with_key("a", &too_much).await;
    assert_eq!(first.expect(201)["status"], "REJECTED");
    shop.app.build().await.stock(shop.store, shop.pen, 50).await;
    let again = shop.post_with_key("a", &too_much).await;
    assert_eq!((&again.text, again.header("idempotent-replayed")), (&first.text, Some("true")));

    shop.post_with_key("b", &shop.body(&[(-1, 6)])).await.expect_problem(400, "invalid");
    let now_right = shop.post_with_key("b", &too_much).await;
    assert_eq!(now_right.expect(201)["status"], "CONFIRMED");
}

#[tokio::test]
async fn keys_have_1_to_255_characters() {
    let shop = shop().await;
    let body = shop.body(&[(shop.pen, 1)]);
    for illegal in ["", &"x".repeat(256), "caf\u{e9}"] {
        let problem = shop.post_with_key(illegal, &body).await.expect_problem(400, "invalid");
        assert_eq!(problem["errors"][0]["parameter"], "Idempotency-Key");
        assert_eq!(problem["detail"], "Must be 1 to 255 printable ASCII characters.");
    }
    shop.assert_untouched().await;
    for legal in [&"x".repeat(255), "till 1, order 17", "!~"] {
        shop.post_with_key(legal, &body).await.expect(201);
    }
}

#[tokio::test]
async fn an_order_has_one_key() {
    let shop = shop().await;
    let body = shop.body(&[(shop.pen, 1)]);
    let request = shop.app.request(Method::POST, "/orders/").json(&body);
    let two = shop.app.send(request.header("Idempotency-Key", "one").header("Idempotency-Key", "two")).await;
    let problem = two.expect_problem(400, "invalid");
    assert_eq!(problem["errors"][0]["parameter"], "Idempotency-Key");
    shop.assert_untouched().await;
}

#[tokio::test]
async fn a_key_in_flight_is_told_so() {
    let shop = shop().await;
    let body = shop.body(&[(shop.pen, 1)]);
    let mut other = shop.app.database.sql().await;
    let holding = other.transaction().await.unwrap();
    holding.execute("UPDATE inventory SET quantity = quantity", &[]).await.unwrap();
    let watching = shop.app.database.sql().await;
    let (first, second) = tokio::join!(shop.post_with_key("one", &body), async {
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
                       AND datname = current_database()";
        while watching.query_one(waiting, &[]).await.unwrap().get::<_, i64>(0) == 0 {
            tokio::task::yield_now().await;
        }
        let second = shop.post_with_key("one", &body).await;
        holding.rollback().await.unwrap();
        second
    });
    second.expect_problem(409, "idempotency_key_in_flight");
    assert!(second.header("retry-after").is_some());
    first.expect(201);
}
