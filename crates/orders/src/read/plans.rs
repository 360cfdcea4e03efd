//! What a page costs among a million orders of one store.

use diesel::debug_query;
use serde_json::Value;
use testkit::TestDatabase;
use tokio_postgres::{Client, SimpleQueryMessage};

use super::*;

/// Every tenth order is rejected; four share each moment.
const MANY: &str = "INSERT INTO orders (store_id, status, total_items, total_price, created_at) \
                    SELECT 1, CASE n % 10 WHEN 3 THEN 'REJECTED' ELSE 'CONFIRMED' END, 1, 1, \
                           timestamptz '2026-01-01 00:00:00Z' + (n / 4) * interval '1 second' \
                    FROM generate_series(1, 1000000) AS n";

/// The index that a page of `filter` was read through, and the blocks that it took.
async fn cost(sql: &Client, filter: &Filter, seek: &Seek<SortKey>) -> (String, u64) {
    let query = debug_query::<Pg, _>(&page_query(1, filter, seek, 20)).to_string();
    let text = query.split(" -- binds").next().unwrap();
    let mut values = vec!["1".to_owned()];
    values.extend(filter.status.map(|status| format!("'{}'", status.as_str())));
    if let Seek::After((micros, id)) | Seek::Before((micros, id)) = seek {
        values.extend([format!("'{}'", moment(*micros).to_rfc3339()), id.to_string()]);
    }
    values.push("21".to_owned());
    if let Seek::Skip(rows) = seek {
        values.push(rows.to_string());
    }
    sql.batch_execute(&format!("PREPARE page AS {text}")).await.unwrap();
    let explain = format!("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE page ({})", values.join(", "));
    let answer = sql.simple_query(&explain).await.unwrap();
    sql.batch_execute("DEALLOCATE page").await.unwrap();
    let plan = answer.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => serde_json::from_str::<Value>(row.get(0).unwrap()).ok(),
        _ => None,
    });
    let plan = &plan.unwrap()[0]["Plan"];
    assert_eq!(plan["Actual Rows"], 21.0, "{text}");
    let scan = &plan["Plans"][0];
    assert!(scan["Plans"].is_null(), "the rows come out of the index in their order: {plan}");
    let blocks = ["Shared Hit Blocks", "Shared Read Blocks"].map(|kind| plan[kind].as_u64().unwrap());
    (scan["Index Name"].as_str().unwrap().to_owned(), blocks.iter().sum())
}

/// The kinds of steps in which the place of a page by number is found.
async fn steps_to_place(sql: &Client, filter: &Filter, n: i64, count: i64) -> Vec<String> {
    let query = debug_query::<Pg, _>(&place_query(1, filter, n, count)).to_string();
    let text = query.split(" -- binds").next().unwrap();
    let status = filter.status.map(|status| format!("'{}', ", status.as_str())).unwrap_or_default();
    let offset = if count - n < n { count - n } else { n - 1 };
    sql.batch_execute(&format!("PREPARE place AS {text}")).await.unwrap();
    let plan = sql.simple_query(&format!("EXPLAIN (COSTS OFF) EXECUTE place (1, {status}1, {offset})")).await.unwrap();
    sql.batch_execute("DEALLOCATE place").await.unwrap();
    let line = |message: &SimpleQueryMessage| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    };
    plan.iter().filter_map(line).collect()
}

#[tokio::test]
async fn load_a_page_costs_the_same_wherever_it_lies() {
    let test = TestDatabase::new().await;
    assert_eq!(test.build().await.store("Busy").await, 1);
    let sql = test.sql().await;
    sql.batch_execute(MANY).await.unwrap();
    sql.batch_execute("VACUUM ANALYZE orders").await.unwrap();

    let all = Filter::default();
    let rejected = Filter { status: Some(Status::Rejected), ..all.clone() };
    for (filter, index, total) in
        [(&all, "orders_newest_idx", 1_000_000), (&rejected, "orders_exceptions_idx", 100_000)]
    {
        let orders = Orders::new(test.handle(), db::Clock::system(), &crate::Config::default()).unwrap();
        let (count, _) = orders.list(1, filter, &Seek::Skip(0), 20, None).await.unwrap();
        assert_eq!(count, total, "even the count keeps within the limits of a request");

        for n in [20, total / 2, total - 20] {
            let steps = steps_to_place(&sql, filter, n, total).await;
            assert!(steps[1].contains("Index Only Scan") && steps[1].contains(index), "{n}: {steps:?}");
            let (count, rows) = orders.list(1, filter, &Seek::Skip(n), 5, None).await.unwrap();
            assert_eq!((count, rows.rows.len(), rows.more), (total, 5, true), "{n}");
        }

        for mode in ["force_custom_plan", "force_generic_plan"] {
            sql.batch_execute(&format!("SET plan_cache_mode = {mode}")).await.unwrap();
            let (used, first) = cost(&sql, filter, &Seek::Skip(0)).await;
            assert_eq!(used, index);
            for skipped in [0, total / 2, total - 50] {
                let (_, rows) = orders.list(1, filter, &Seek::Skip(skipped), 25, Some(total)).await.unwrap();
                let key = |order: &Summary| (order.created_at.timestamp_micros(), order.id);
                let seeks = [Seek::After(key(&rows.rows[0])), Seek::Before(key(&rows.rows[24]))];
                for seek in seeks {
                    let (used, blocks) = cost(&sql, filter, &seek).await;
                    assert_eq!(used, index, "{mode} {seek:?}");
                    assert!(blocks <= first + 5, "{mode} {seek:?}: {blocks} blocks, and {first} at the start");
                }
            }
        }
    }
}
