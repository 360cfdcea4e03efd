//! The outbox against a real PostgreSQL.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

mod bell;

use std::time::Duration;

use db::{Error, Tx};
use outbox::{Among, Claimed, Event, Key, Next, Which};
use testkit::TestDatabase;

#[derive(serde::Serialize)]
struct Happened {
    number: i64,
}

impl Event for Happened {
    const KIND: &'static str = "test.happened";

    fn store_id(&self) -> i64 {
        7
    }
}

async fn record(test: &TestDatabase, numbers: std::ops::Range<i64>) {
    test.transaction::<_, Error, _>(move |tx| {
        Box::pin(async move {
            let events: Vec<Happened> = numbers.map(|number| Happened { number }).collect();
            let with_requests: Vec<_> = events.iter().map(|event| (event, Some("request-1"))).collect();
            outbox::record_all(tx, &with_requests).await
        })
    })
    .await
    .unwrap();
}

fn numbers(claimed: &[Claimed]) -> Vec<i64> {
    claimed.iter().map(|event| event.payload["number"].as_i64().unwrap()).collect()
}

async fn claim_all(test: &TestDatabase) -> Vec<Claimed> {
    test.transaction::<_, Error, _>(|tx| Box::pin(outbox::claim(tx, 100, Among::default()))).await.unwrap()
}

#[tokio::test]
async fn an_event_commits_with_its_transaction_or_not_at_all() {
    let test = TestDatabase::new().await;
    record(&test, 0..2).await;
    let failed = test
        .transaction::<(), Error, _>(|tx| {
            Box::pin(async move {
                outbox::record(tx, &Happened { number: 9 }, None).await?;
                Err(Error::Unavailable("made up".into()))
            })
        })
        .await;
    assert!(failed.is_err());
    let claimed = claim_all(&test).await;
    assert_eq!(numbers(&claimed), [0, 1]);
    let first = &claimed[0];
    assert_eq!((first.store_id, first.kind.as_str(), first.failures), (7, "test.happened", 0));
    assert_eq!(first.request_id.as_deref(), Some("request-1"));
}

#[tokio::test]
async fn two_claims_at_once_never_share_an_event() {
    let test = TestDatabase::new().await;
    record(&test, 0..5).await;
    let (first, second) = test
        .transaction::<_, Error, _>({
            let other = test.handle();
            move |tx| {
                Box::pin(async move {
                    let first = outbox::claim(tx, 3, Among::default()).await?;
                    let second = other
                        .transaction::<_, Error, _>(|tx: &mut Tx| Box::pin(outbox::claim(tx, 100, Among::default())))
                        .await?;
                    Ok((first, second))
                })
            }
        })
        .await
        .unwrap();
    assert_eq!((numbers(&first), numbers(&second)), (vec![0, 1, 2], vec![3, 4]));
    assert_eq!(claim_all(&test).await.len(), 5, "free again once the transactions ended");
}

const LIMIT: Duration = Duration::from_secs(30);

/// Runs `work` in a transaction of its own.
macro_rules! tx {
    ($test:expr, |$tx:ident| $work:expr) => {
        $test.transaction::<_, Error, _>(move |$tx| Box::pin(async move { $work.await })).await.unwrap()
    };
}

#[tokio::test]
async fn what_is_published_is_claimed_no_more_until_it_is_overdue() {
    let test = TestDatabase::new().await;
    record(&test, 0..4).await;
    let keys: Vec<Key> = claim_all(&test).await.iter().map(Claimed::key).collect();
    let published = keys[..3].to_vec();
    tx!(test, |tx| outbox::mark_published(tx, &published));
    assert_eq!(numbers(&claim_all(&test).await), [3]);
    let (done, running) = (vec![keys[0]], vec![keys[1]]);
    tx!(test, |tx| outbox::finish(tx, &done));
    tx!(test, |tx| outbox::begin(tx, &running, 1, LIMIT));
    assert_eq!(tx!(test, |tx| outbox::recall(tx, LIMIT, 10)), 0, "none is overdue for so long");
    assert_eq!(tx!(test, |tx| outbox::recall(tx, Duration::ZERO, 10)), 1, "all but the one that runs");
    assert_eq!(numbers(&claim_all(&test).await), [2, 3]);
}

#[tokio::test]
async fn only_the_worker_that_runs_an_event_can_say_that_it_failed() {
    let test = TestDatabase::new().await;
    record(&test, 0..1).await;
    let event = claim_all(&test).await[0].key();
    let asked = vec![event];
    assert_eq!(tx!(test, |tx| outbox::begin(tx, &asked, 1, LIMIT)), [(event, 0)]);
    let asked = vec![event];
    assert_eq!(tx!(test, |tx| outbox::begin(tx, &asked, 2, LIMIT)), [], "it runs elsewhere");
    let standing = tx!(test, |tx| outbox::look(tx, event)).unwrap();
    assert_eq!((standing.worker, standing.failures, standing.crashes), (Some(1), 0, 0));
    tx!(test, |tx| outbox::hold(tx, event, 2, 1, LIMIT));
    assert!(!tx!(test, |tx| outbox::fail(tx, event, 1, Next::Park, "too late")));
    assert!(tx!(test, |tx| outbox::fail(tx, event, 2, Next::Again(Duration::ZERO), "made up")));
    let standing = tx!(test, |tx| outbox::look(tx, event)).unwrap();
    assert_eq!((standing.worker, standing.failures, standing.crashes), (None, 1, 1));
    let asked = vec![event];
    assert_eq!(tx!(test, |tx| outbox::begin(tx, &asked, 1, LIMIT)), [], "one that crashed is begun by itself");
}

#[tokio::test]
async fn what_is_parked_rests_until_it_is_redriven_or_discarded() {
    let test = TestDatabase::new().await;
    record(&test, 0..4).await;
    for event in claim_all(&test).await[..3].iter().map(Claimed::key) {
        tx!(test, |tx| outbox::hold(tx, event, 1, 2, LIMIT));
        assert!(tx!(test, |tx| outbox::fail(tx, event, 1, Next::Park, "made up")));
    }
    tx!(test, |tx| outbox::park_undecodable(tx, &serde_json::json!({ "body": "?" }), "no JSON"));
    assert_eq!(numbers(&claim_all(&test).await), [3]);
    let backlog = outbox::backlog(&mut test.connection().await.unwrap()).await.unwrap();
    assert_eq!((backlog.waiting, backlog.published, backlog.retrying, backlog.parked), (1, 0, 0, 4));
    assert!((0.0..60.0).contains(&backlog.oldest_seconds), "{backlog:?}");

    let all = outbox::parked(&mut test.connection().await.unwrap(), &Which::default(), 0, 10).await.unwrap();
    let kinds: Vec<_> = all.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, ["test.happened", "test.happened", "test.happened", outbox::UNDECODABLE]);
    assert_eq!((all[0].failures, all[0].crashes, all[0].last_error.as_deref()), (1, 2, Some("made up")));
    let after = outbox::parked(&mut test.connection().await.unwrap(), &Which::default(), all[1].id, 1).await.unwrap();
    assert_eq!(after[0].id, all[2].id);

    let first = all[0].id;
    let one = Which { ids: Some(vec![first, 12_345]), ..Which::default() };
    let once_more = one.clone();
    assert_eq!(tx!(test, |tx| outbox::redrive(tx, &one, 10)), [first]);
    assert!(tx!(test, |tx| outbox::redrive(tx, &once_more, 10)).is_empty(), "it is parked no more");
    let of_kind = Which { kind: Some("test.happened".into()), ..Which::default() };
    assert_eq!(tx!(test, |tx| outbox::discard(tx, &of_kind, 1)), [all[1].id]);
    assert_eq!(tx!(test, |tx| outbox::redrive(tx, &Which::default(), 10)), [all[2].id, all[3].id]);
    let again = claim_all(&test).await;
    assert_eq!(again.len(), 4);
    assert_eq!((again[0].failures, again[0].crashes), (0, 0), "it begins anew");
}

#[tokio::test]
async fn a_worker_that_stops_lets_go() {
    let test = TestDatabase::new().await;
    record(&test, 0..2).await;
    let keys: Vec<Key> = claim_all(&test).await.iter().map(Claimed::key).collect();
    for (event, worker) in keys.clone().into_iter().zip([1, 2]) {
        tx!(test, |tx| outbox::hold(tx, event, worker, 0, LIMIT));
    }
    let both = keys.clone();
    tx!(test, |tx| outbox::release(tx, &both, 1));
    assert_eq!(tx!(test, |tx| outbox::begin(tx, &keys, 3, LIMIT)).len(), 1);
}
