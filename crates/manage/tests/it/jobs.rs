use crate::support::Bench;

/// Events 1 to `number`: the first two parked, the third tried before, the rest waiting.
async fn bench(number: i32) -> Bench {
    let bench = Bench::new().await;
    let sql = bench.database.sql().await;
    sql.execute(
        "INSERT INTO outbox (store_id, kind, payload, request_id, failures, last_error, parked_at) \
         SELECT 7, CASE n WHEN 1 THEN 'undecodable' ELSE 'test.happened' END, jsonb_build_object('number', n), 'request-' || n, \
                CASE WHEN n <= 2 THEN 8 WHEN n = 3 THEN 1 ELSE 0 END, CASE WHEN n <= 3 THEN E'the reason\\nand more' END, \
                CASE WHEN n <= 2 THEN now() END \
         FROM generate_series(1, $1) AS n",
        &[&number],
    )
    .await
    .unwrap();
    bench
}

#[tokio::test]
async fn it_says_how_much_waits_and_what_was_given_up() {
    let bench = bench(10).await;
    let status = bench.manage_without_broker(&["jobs", "status"]).await.ok();
    for line in ["waiting    8", "published  0", "retrying   1", "parked     2"] {
        assert!(status.out.lines().any(|found| found == line), "{line}: {status:?}");
    }
    let list = bench.manage(&["jobs", "list"]).await.ok().out;
    let lines: Vec<&str> = list.lines().collect();
    assert_eq!(lines.len(), 2, "{list}");
    assert!(lines[0].starts_with("1  ") && lines[0].ends_with("undecodable  store 7  8 tried  the reason"), "{list}");
    assert!(lines[1].starts_with("2  "), "{list}");
    let page = bench.manage(&["jobs", "list", "--limit", "1"]).await.ok().out;
    assert!(page.ends_with("More: --after 1\n"), "{page}");
    let of_kind = bench.manage(&["jobs", "list", "--kind", "test.happened", "--after", "1"]).await.ok().out;
    assert_eq!(of_kind.lines().count(), 1, "{of_kind}");
    let shown = bench.manage(&["jobs", "show", "2"]).await.ok().out;
    for part in ["failures   8", "request    request-2", "\"number\": 2", "the reason"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let alive = bench.manage(&["jobs", "show", "3"]).await;
    assert_eq!((alive.status, alive.err.as_str()), (1, "manage: no event 3 was given up\n"));
}

#[tokio::test]
async fn what_was_given_up_is_redriven_or_discarded() {
    let bench = bench(4).await;
    let waiting = "SELECT count(*) FROM outbox WHERE parked_at IS NULL AND failures = 0";
    assert_eq!(bench.manage(&["jobs", "redrive", "2"]).await.ok().out, "1 redriven.\n");
    assert_eq!(bench.number(waiting).await, 2);
    assert_eq!(bench.manage(&["jobs", "redrive", "2"]).await.status, 1, "it is alive");
    assert_eq!(bench.manage(&["jobs", "discard", "--kind", "undecodable"]).await.ok().out, "1 discarded.\n");
    assert_eq!(bench.number("SELECT count(*) FROM outbox").await, 3);
    assert_eq!(bench.manage(&["jobs", "discard"]).await.status, 2, "nothing by accident");
    let parked = "UPDATE outbox SET parked_at = now(), failures = 8";
    bench.database.sql().await.batch_execute(parked).await.unwrap();
    assert_eq!(bench.manage(&["jobs", "redrive", "--all", "--rate", "2"]).await.ok().out, "3 redriven.\n");
    assert_eq!(bench.number(waiting).await, 3);
    for (action, number) in [("redrive", 4), ("discard", 1)] {
        let told = format!(
            "SELECT count(*) FROM audit_log WHERE actor = 'manage' AND object_kind = 'job' AND action = '{action}'"
        );
        assert_eq!(bench.number(&told).await, number, "{action}");
    }
}

#[tokio::test]
async fn numbers_that_are_not_among_them_are_named() {
    let bench = bench(4).await;
    let discarded = bench.manage(&["jobs", "discard", "99", "1", "3", "99"]).await;
    assert_eq!((discarded.status, discarded.out.as_str()), (1, "1 discarded.\n"), "{discarded:?}");
    assert_eq!(discarded.err, "manage: not found among what was given up: 3, 99\n");
    let redriven = bench.manage(&["jobs", "redrive", "2", "1"]).await;
    assert_eq!((redriven.status, redriven.out.as_str()), (1, "1 redriven.\n"), "{redriven:?}");
    assert_eq!(redriven.err, "manage: not found among what was given up: 1\n");
}
