//! The outbox against a real PostgreSQL.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

use std::time::Duration;

use db::{Error, Tx};
use outbox::{Claimed, Event, Postponed};
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
    test.transaction::<_, Error, _>(|tx| Box::pin(outbox::claim(tx, 100))).await.unwrap()
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
    assert_eq!((first.store_id, first.kind.as_str(), first.attempts), (7, "test.happened", 0));
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
                    let first = outbox::claim(tx, 3).await?;
                    let second =
                        other.transaction::<_, Error, _>(|tx: &mut Tx| Box::pin(outbox::claim(tx, 100))).await?;
                    Ok((first, second))
                })
            }
        })
        .await
        .unwrap();
    assert_eq!((numbers(&first), numbers(&second)), (vec![0, 1, 2], vec![3, 4]));
    assert_eq!(claim_all(&test).await.len(), 5, "free again once the transactions ended");
}

#[tokio::test]
async fn what_is_postponed_comes_back_and_what_is_parked_does_not() {
    let test = TestDatabase::new().await;
    record(&test, 0..4).await;
    test.transaction::<_, Error, _>(|tx| {
        Box::pin(async move {
            let claimed = outbox::claim(tx, 100).await?;
            outbox::delete(tx, &[&claimed[0]]).await?;
            outbox::park(tx, &[&claimed[1]]).await?;
            let postponed = |event, attempts, delay| Postponed { event, attempts, delay };
            let soon = postponed(&claimed[2], 3, Duration::ZERO);
            let later = postponed(&claimed[3], 1, Duration::from_secs(600));
            outbox::postpone(tx, &[soon, later]).await
        })
    })
    .await
    .unwrap();
    let claimed = claim_all(&test).await;
    assert_eq!((numbers(&claimed), claimed[0].attempts), (vec![2], 3));
    let backlog = outbox::backlog(&mut test.connection().await.unwrap()).await.unwrap();
    assert_eq!((backlog.waiting, backlog.parked), (2, 1));
    assert!((0.0..60.0).contains(&backlog.oldest_seconds), "{backlog:?}");
}
