//! What is true of every list.

use serde_json::Value;
use testkit::TestApp;

/// One member of every result.
pub(crate) fn column(page: &Value, name: &str) -> Vec<Value> {
    page["results"].as_array().expect("a list").iter().map(|result| result[name].clone()).collect()
}

/// One member of every result of the whole list, by following `next` from `path` to the end. On the way it checks
/// that `previous` leads back over the same pages, that pages by number are the same, and that every page counts all.
pub(crate) async fn walk(app: &TestApp, path: &str, name: &str) -> Vec<Value> {
    let mut pages = vec![app.get(path).await.expect(200)];
    assert_eq!(pages[0]["previous"], Value::Null, "{path}");
    while let Some(next) = pages[pages.len() - 1]["next"].as_str() {
        assert!(next.starts_with(app.base()) && next.contains("/?"), "{next}");
        let page = app.follow(next).await.expect(200);
        assert!(!column(&page, name).is_empty(), "{next} is empty");
        pages.push(page);
    }
    for (number, page) in pages.iter().enumerate().skip(1) {
        let before = app.follow(page["previous"].as_str().expect("a page before")).await.expect(200);
        assert_eq!(column(&before, name), column(&pages[number - 1], name), "{path}, back from page {}", number + 1);
        let by_number = app.get(&format!("{path}&page={}", number + 1)).await.expect(200);
        assert_eq!(by_number["results"], page["results"], "{path}, page {}", number + 1);
    }
    let all: Vec<Value> = pages.iter().flat_map(|page| column(page, name)).collect();
    for page in &pages {
        assert_eq!(page["count"], all.len(), "{path}");
    }
    app.get(&format!("{path}&page={}", pages.len() + 1)).await.expect_problem(404, "no_such_page");
    all
}

/// Page numbers, sizes, cursors and parameters that `path`, a list of at most 50 results, must refuse or take.
pub(crate) async fn hold_to_the_bounds(app: &TestApp, path: &str, parameters: &str) {
    for page in ["0", "-1", "51", "last", "1.5", "9223372036854775807", "99999999999999999999"] {
        app.get(&format!("{path}?page={page}")).await.expect_problem(404, "no_such_page");
    }
    for size in ["0", "101", "-1", "all", "1e1", "99999999999999999999"] {
        let problem = app.get(&format!("{path}?page_size={size}")).await.expect_problem(400, "invalid");
        assert_eq!(problem["errors"][0]["parameter"], "page_size");
    }
    for fine in ["page=1", "page_size=1", "page_size=100", "page=&page_size=&cursor="] {
        app.get(&format!("{path}?{fine}")).await.expect(200);
    }
    // The last one is in form a cursor, but of no list of ours.
    for cursor in ["x", "e30", "bnVsbA", "eyJmIjp0cnVlLCJrIjp7ImEiOjF9LCJwIjoxLCJjIjoxfQ"] {
        app.get(&format!("{path}?cursor={cursor}")).await.expect_problem(404, "no_such_page");
    }
    let problem = app.get(&format!("{path}?limit=5&page_size=0")).await.expect_problem(400, "invalid");
    let errors = problem["errors"].as_array().expect("a list");
    assert_eq!(errors.len(), 2, "every fault at once: {errors:?}");
    let unknown = errors.iter().find(|error| error["parameter"] == "limit").expect("the unknown parameter is named");
    assert_eq!(unknown["detail"], format!("Unknown parameter. Known here: {parameters}."));
}
