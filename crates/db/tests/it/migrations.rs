use db::Role;
use testkit::TestDatabase;

#[tokio::test]
async fn migrations_run_down_and_up_again() {
    let test = TestDatabase::new().await;
    let database = test.as_role(Role::CommandLine);
    assert_eq!(db::pending_migrations(&database).await.unwrap(), 0);
    let undone = db::revert_all(&database).await.unwrap();
    let left = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' \
                AND relname <> '__diesel_schema_migrations'";
    assert_eq!(test.sql().await.query_one(left, &[]).await.unwrap().get::<_, i64>(0), 0, "down leaves no table");
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
async fn every_table_says_what_it_is_for() {
    let test = TestDatabase::new().await;
    let silent = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' \
                  AND obj_description(oid) IS NULL AND relname <> '__diesel_schema_migrations'";
    let silent: Vec<String> = test.sql().await.query(silent, &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
    assert_eq!(silent, Vec::<String>::new(), "tables without COMMENT ON");
}
