use std::time::Duration;

use db::copy::{CopyIn, Session};
use db::{Config, Error, Role};
use testkit::{Proxy, TestDatabase, address_of};
use tokio_postgres::types::ToSql;

async fn session(test: &TestDatabase) -> Session {
    let mut config = Config::new(test.url(), Role::CommandLine);
    config.lock = Duration::from_millis(300);
    Session::open(&config).await.unwrap()
}

async fn names(test: &TestDatabase) -> Vec<String> {
    let rows = test.sql().await.query("SELECT name FROM categories ORDER BY id", &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn text_arrives_as_it_is_and_only_with_a_commit() {
    let test = TestDatabase::new().await;
    let mut session = session(&test).await;
    let odd = ["\\N", "\\.", "tab\there", "two\nlines\r\n", "back\\slash", "雪", "\\"];
    for commit in [false, true] {
        let tx = session.begin().await.unwrap();
        let mut copy = CopyIn::begin(&tx, "COPY categories (name, created_at) FROM STDIN").await.unwrap();
        for text in odd {
            copy.text(text);
            copy.value("2026-01-01");
            copy.end_row().await.unwrap();
        }
        assert_eq!(copy.finish().await.unwrap(), odd.len() as u64);
        if commit {
            tx.commit().await.unwrap();
        }
    }
    assert_eq!(names(&test).await, odd);
}

#[tokio::test]
async fn a_copy_that_is_dropped_copies_nothing() {
    let test = TestDatabase::new().await;
    let mut session = session(&test).await;
    let mut copy = CopyIn::begin(&session, "COPY categories (name) FROM STDIN").await.unwrap();
    for number in 0..20_000 {
        copy.text(&format!("more than a piece: {number}"));
        copy.end_row().await.unwrap();
    }
    drop(copy);
    let tx = session.begin().await.unwrap();
    tx.execute("INSERT INTO categories (name) VALUES ('the connection is fine')", &[]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(names(&test).await, ["the connection is fine"]);
}

#[tokio::test]
async fn a_refused_row_names_its_constraint() {
    let test = TestDatabase::new().await;
    let session = session(&test).await;
    let mut copy = CopyIn::begin(&session, "COPY categories (name) FROM STDIN").await.unwrap();
    for name in ["Fruit", "FRUIT"] {
        copy.text(name);
        copy.end_row().await.unwrap();
    }
    let refused = copy.finish().await.unwrap_err();
    assert_eq!(refused.constraint(), Some("categories_name_key"), "{refused:?}");
    let nonsense = Error::from(session.execute("SELECT nonsense", &[]).await.unwrap_err());
    assert!(matches!(nonsense, Error::Query(_)), "{nonsense:?}");
}

#[tokio::test]
async fn failures_are_sorted_by_what_can_be_done() {
    let test = TestDatabase::new().await;
    let build = test.build().await;
    let (one, two) = (build.category("one").await, build.category("two").await);
    let lock = "SELECT FROM categories WHERE id = $1 FOR UPDATE";
    let (mut first, mut second) = (session(&test).await, session(&test).await);
    let (holder, waiter) = (first.begin().await.unwrap(), second.begin().await.unwrap());
    holder.execute(lock, &[&one]).await.unwrap();
    let late = Error::from(waiter.execute(lock, &[&one]).await.unwrap_err());
    assert!(matches!(late, Error::Timeout(_)), "{late:?}");
    drop(waiter);

    let waiter = second.begin().await.unwrap();
    for tx in [&holder, &waiter] {
        tx.batch_execute("SET LOCAL lock_timeout = 0").await.unwrap();
    }
    waiter.execute(lock, &[&two]).await.unwrap();
    let (mine, theirs): ([&(dyn ToSql + Sync); 1], [&(dyn ToSql + Sync); 1]) = ([&one], [&two]);
    let (one, two) = tokio::join!(waiter.execute(lock, &mine), holder.execute(lock, &theirs));
    let loser = Error::from(one.and(two).unwrap_err());
    assert!(loser.is_transient(), "{loser:?}");
}

#[tokio::test]
async fn a_lost_connection_is_unavailable() {
    let test = TestDatabase::new().await;
    let proxy = Proxy::to(address_of(test.url())).await;
    let config = Config::new(test.url_through(&proxy), Role::CommandLine);
    let session = Session::open(&config).await.unwrap();
    proxy.cut();
    let lost = Error::from(session.execute("SELECT 1", &[]).await.unwrap_err());
    assert!(matches!(lost, Error::Unavailable(_)), "{lost:?}");
    let refused = Session::open(&config).await.err().unwrap();
    assert!(matches!(refused, Error::Unavailable(_)), "{refused:?}");
}
