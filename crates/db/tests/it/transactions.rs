use std::time::Duration;

use db::{CachedDsl, Error, Tx};
use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl;
use testkit::{Proxy, TestDatabase, address_of};

async fn add_category(tx: &mut Tx, name: &str) -> Result<(), Error> {
    diesel::sql_query(format!("INSERT INTO categories (name) VALUES ('{name}')")).execute(&mut **tx).await?;
    Ok(())
}

async fn categories(test: &TestDatabase) -> i64 {
    test.sql().await.query_one("SELECT count(*) FROM categories", &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn commits_on_ok_and_rolls_back_on_error() {
    let test = TestDatabase::new().await;
    test.transaction::<_, Error, _>(|tx| Box::pin(add_category(tx, "kept"))).await.unwrap();
    let refused = test
        .transaction::<(), Error, _>(|tx| {
            Box::pin(async move {
                add_category(tx, "lost").await?;
                Err(Error::Unavailable("made up".into()))
            })
        })
        .await;
    assert!(refused.is_err());
    assert_eq!(categories(&test).await, 1);
}

/// Adds a category with a statement whose text nobody else has, so that it has to be prepared first.
async fn prepare_and_add(tx: &Tx, name: &str) -> Result<(), Error> {
    let insert = diesel::sql_query(format!("INSERT INTO categories (name) VALUES ($1) /* {name} */"));
    insert.bind::<diesel::sql_types::Text, _>(name).cached().execute(&mut &***tx).await?;
    Ok(())
}

async fn begin(test: &TestDatabase) -> Tx {
    test.begin::<_, Error, _>(|_| Box::pin(async { Ok(()) })).await.unwrap().0
}

#[tokio::test]
async fn a_commit_sent_with_the_last_statements_does_not_overtake_them() {
    let test = TestDatabase::new().await;
    for round in 0..20 {
        let tx = begin(&test).await;
        let names = [1, 2, 3].map(|n| format!("{round}/{n}"));
        let one = async {
            futures_util::try_join!(prepare_and_add(&tx, &names[0]), prepare_and_add(&tx, &names[1])).map(|_| ())
        };
        tx.commit_with(one).await.unwrap();
        drop(tx);
        assert_eq!(categories(&test).await, 2 * (round + 1));

        // Whichever is refused, none is kept: what had overtaken the COMMIT, or been overtaken by it, would be.
        let tx = begin(&test).await;
        let refused = async {
            futures_util::try_join!(prepare_and_add(&tx, &names[2]), prepare_and_add(&tx, &names[0])).map(|_| ())
        };
        let refused = tx.commit_with(refused).await.unwrap_err();
        assert_eq!(refused.constraint(), Some("categories_name_key"), "{refused}");
        drop(tx);
        assert_eq!(categories(&test).await, 2 * (round + 1));
    }
}

#[tokio::test]
async fn what_fails_before_it_is_sent_is_not_committed() {
    let test = TestDatabase::new().await;
    let tx = begin(&test).await;
    let last = async {
        let refused = async { Err(Error::Unavailable("made up".into())) };
        futures_util::try_join!(prepare_and_add(&tx, "lost"), refused).map(|((), ())| ())
    };
    assert!(tx.commit_with(last).await.is_err());
    drop(tx);
    let tx = begin(&test).await;
    tx.commit_with(async { Ok::<_, Error>(()) }).await.unwrap();
    assert_eq!(categories(&test).await, 0);
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_stop_it() {
    let test = TestDatabase::new().await;
    let database = test.handle();
    let caller = tokio::spawn(async move {
        database
            .transaction::<_, Error, _>(|tx| {
                Box::pin(async move {
                    diesel::sql_query("SELECT pg_sleep(0.3)").execute(&mut **tx).await?;
                    add_category(tx, "kept").await
                })
            })
            .await
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    caller.abort();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(categories(&test).await, 1);
}

#[tokio::test]
async fn a_panic_inside_leaves_no_lock_behind() {
    let test = TestDatabase::new().await;
    let database = test.handle();
    let panicked = tokio::spawn(async move {
        database
            .transaction::<(), Error, _>(|tx| {
                Box::pin(async move {
                    add_category(tx, "lost").await?;
                    panic!("on purpose")
                })
            })
            .await
    });
    assert!(panicked.await.unwrap_err().is_panic());
    tokio::time::timeout(
        Duration::from_millis(500),
        test.transaction::<_, Error, _>(|tx| Box::pin(add_category(tx, "lost"))),
    )
    .await
    .expect("the unique name is not held by the lost transaction")
    .unwrap();
}

#[tokio::test]
async fn a_lock_that_is_not_granted_is_a_timeout() {
    let test = TestDatabase::new().await;
    let other = test.sql().await;
    other.batch_execute("BEGIN; LOCK TABLE categories").await.unwrap();
    let refused = test.transaction::<_, Error, _>(|tx| Box::pin(add_category(tx, "late"))).await;
    assert!(matches!(&refused, Err(error @ Error::Timeout(_)) if error.is_lock_timeout()), "{refused:?}");
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_a_timeout_of_its_own() {
    let test = TestDatabase::new().await;
    let refused = test
        .transaction::<(), Error, _>(|tx| {
            Box::pin(async move {
                tx.limit_statements(Duration::from_millis(20)).await?;
                diesel::sql_query("SELECT pg_sleep(5)").execute(&mut **tx).await?;
                Ok(())
            })
        })
        .await;
    assert!(matches!(&refused, Err(error @ Error::Timeout(_)) if !error.is_lock_timeout()), "{refused:?}");
}

#[tokio::test]
async fn a_database_that_is_away_is_told_fast_and_comes_back_by_itself() {
    let test = TestDatabase::new().await;
    let proxy = Proxy::to(address_of(test.url())).await;
    let config = db::Config::new(test.url_through(&proxy), db::Role::Gateway);
    let database = db::Database::new(&config).unwrap();
    let mut held = database.connection().await.unwrap();
    database.ping().await.unwrap();
    proxy.cut();
    let asked = tokio::time::Instant::now();
    assert!(matches!(database.ping().await, Err(Error::Unavailable(_) | Error::Away(_))));
    let broken = diesel::sql_query("SELECT 1").execute(&mut held).await.map_err(Error::from);
    assert!(matches!(broken, Err(Error::Unavailable(_))), "{broken:?}");
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    drop(held);
    proxy.heal();
    database.ping().await.unwrap();
}

#[tokio::test]
async fn a_cached_statement_is_prepared_once() {
    use db::CachedDsl;
    use diesel::sql_types::Integer;

    #[derive(diesel::QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        count: i64,
    }
    let test = TestDatabase::new().await;
    let mut conn = test.connection().await.unwrap();
    for number in 0..3 {
        diesel::sql_query("SELECT $1 + 1").bind::<Integer, _>(number).cached().execute(&mut conn).await.unwrap();
    }
    let prepared = diesel::sql_query("SELECT count(*) FROM pg_prepared_statements WHERE statement = 'SELECT $1 + 1'")
        .get_result::<Count>(&mut conn)
        .await
        .unwrap();
    assert_eq!(prepared.count, 1);
}
