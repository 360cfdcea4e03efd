use crate::support::Bench;

#[tokio::test]
async fn explain_says_why_products_rank_where_they_do() {
    let bench = Bench::new().await;
    let build = bench.database.build().await;
    let (second, first) =
        (build.product("Bottles of Steel", "Outdoor", "1").await, build.product("Water Bottle", "Kitchen", "1").await);
    let run = bench.manage(&["search", "explain", "botle", "--first", "1"]).await.ok();
    assert!(run.out.starts_with(&format!("2 found\n  1. Water Bottle (product {first})\n")), "{}", run.out);
    assert!(run.out.contains("botle: with one typing error, in the title's word \"bottle\""), "{}", run.out);
    assert!(!run.out.contains(&format!("product {second}")), "{}", run.out);
    let run = bench.manage(&["search", "explain", "steel bottle"]).await.ok();
    assert!(run.out.contains("bottle: as another form, in the title's word \"bottles\""), "{}", run.out);
    let run = bench.manage(&["search", "explain", "water bottle"]).await.ok();
    assert!(run.out.contains("the title is the query, word by word"), "{}", run.out);
    let run = bench.manage(&["search", "explain", "water bot"]).await.ok();
    assert!(run.out.contains("the title begins with the words side by side"), "{}", run.out);
}

#[tokio::test]
async fn status_tells_products_and_the_log() {
    let bench = Bench::new().await;
    let run = bench.manage(&["search", "status"]).await.ok();
    assert_eq!(run.out, "products   0\nlog        empty\n");
    bench.database.build().await.product("Water Bottle", "Kitchen", "1").await;
    let run = bench.manage(&["search", "status", "--index", "nowhere"]).await.ok();
    assert!(run.out.starts_with("products   1\nlog        2 changes since "), "{}", run.out);
    assert!(!run.out.contains("index"), "{}", run.out);
    assert!(!bench.folder.join("nowhere").exists(), "looking makes nothing");
}

#[tokio::test]
async fn rebuild_is_a_line_in_the_log_that_every_gateway_reads() {
    let bench = Bench::new().await;
    bench.manage(&["search", "rebuild"]).await.ok();
    assert_eq!(bench.number("SELECT count(*) FROM search_changes WHERE kind = 'everything'").await, 1);
}
