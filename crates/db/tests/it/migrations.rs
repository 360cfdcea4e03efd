use std::time::Duration;

use db::{Config, Database, Role};
use testkit::{TestDatabase, unique_name};

#[tokio::test]
async fn migrations_run_down_and_up_again() {
    let test = TestDatabase::new().await;
    let database = test.as_role(Role::CommandLine);
    assert_eq!(db::pending_migrations(&database).await.unwrap(), 0);
    let undone = db::revert_all(&database).await.unwrap();
    let left = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' \
                AND relname <> '__diesel_schema_migrations'";
    assert_eq!(test.sql().await.query_one(left, &[]).await.unwrap().get::<_, i64>(0), 0, "down leaves no table");
    assert_eq!(db::pending_migrations(&database).await.unwrap(), undone.len());
    assert_eq!(db::migrate(&database).await.unwrap().len(), undone.len());
    assert_eq!(db::pending_migrations(&database).await.unwrap(), 0);
}

#[tokio::test]
async fn processes_that_migrate_at_once_take_turns() {
    let test = TestDatabase::new().await;
    let database = test.as_role(Role::CommandLine);
    db::revert_all(&database).await.unwrap();
    let (one, two) = tokio::join!(db::migrate(&database), db::migrate(&database));
    assert_eq!(one.unwrap().len().min(two.unwrap().len()), 0, "only one of them had something to do");
}

#[tokio::test]
async fn asking_what_is_missing_waits_for_nobody_who_migrates() {
    let test = TestDatabase::new().await;
    let migrating = test.sql().await;
    migrating.batch_execute("SELECT pg_advisory_lock(x'0053746f636b726d'::bigint)").await.unwrap();
    let asked = tokio::time::timeout(Duration::from_secs(5), db::pending_migrations(&test)).await;
    assert_eq!(asked.expect("it waits for the lock").unwrap(), 0);
}

#[tokio::test]
async fn asking_what_is_missing_writes_nothing() {
    let test = TestDatabase::new().await;
    let admin = test.sql().await;
    let reader = unique_name("reader");
    let grants = format!("CREATE ROLE {reader}; GRANT SELECT ON __diesel_schema_migrations TO {reader}");
    admin.batch_execute(&grants).await.unwrap();
    let options = format!("options=-c%20role%3D{reader}%20-c%20default_transaction_read_only%3Don");
    let url = format!("{}{}{options}", test.url(), if test.url().contains('?') { '&' } else { '?' });
    let asked = db::pending_migrations(&Database::new(&Config::new(url, Role::Gateway)).unwrap()).await;
    admin.batch_execute(&format!("DROP OWNED BY {reader}; DROP ROLE {reader}")).await.unwrap();
    assert_eq!(asked.unwrap(), 0);
}

#[tokio::test]
async fn every_table_says_what_it_is_for() {
    let test = TestDatabase::new().await;
    let silent = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' \
                  AND obj_description(oid) IS NULL AND relname <> '__diesel_schema_migrations'";
    let silent: Vec<String> = test.sql().await.query(silent, &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
    assert_eq!(silent, Vec::<String>::new(), "tables without COMMENT ON");
}
