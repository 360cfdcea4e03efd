//! No SQL stores what the programs could not read again: a row that makes a page fail, or stops the search.

use testkit::TestDatabase;
use tokio_postgres::error::SqlState;

/// Moments that the programs keep for themselves, and show nowhere.
const THEIR_OWN: [&str; 10] = [
    "idempotency_keys.created_at",
    "outbox.available_at",
    "outbox.created_at",
    "outbox.parked_at",
    "outbox.published_at",
    "search_changes.created_at",
    "sessions.created_at",
    "sessions.last_used_at",
    "sign_in_attempts.last_at",
    "sign_in_attempts.open_at",
];

/// The columns of this type that take the value. Each is tried in a copy of its table that has the CHECKs alone.
async fn taken_by(test: &TestDatabase, sql_type: &str, value: &str) -> Vec<String> {
    let sql = test.sql().await;
    let columns = "SELECT table_name::text, column_name::text FROM information_schema.columns \
                   WHERE table_schema = 'public' AND udt_name = $1 AND table_name <> '__diesel_schema_migrations' \
                   ORDER BY 1, 2";
    let mut taken = Vec::new();
    for row in sql.query(columns, &[&sql_type]).await.unwrap() {
        let (table, column): (String, String) = (row.get(0), row.get(1));
        let copy = format!(
            "DROP TABLE IF EXISTS copy; CREATE TEMP TABLE copy (LIKE {table} INCLUDING CONSTRAINTS); \
             DO $$ DECLARE name text; BEGIN \
                 FOR name IN SELECT attname FROM pg_attribute WHERE attrelid = 'copy'::regclass AND attnotnull AND attnum > 0 \
                 LOOP EXECUTE format('ALTER TABLE copy ALTER %I DROP NOT NULL', name); END LOOP; \
             END $$"
        );
        sql.batch_execute(&copy).await.unwrap();
        match sql.batch_execute(&format!("INSERT INTO copy ({column}) VALUES ('{value}')")).await {
            Ok(()) => taken.push(format!("{table}.{column}")),
            Err(error) => assert_eq!(error.code(), Some(&SqlState::CHECK_VIOLATION), "{table}.{column}: {error}"),
        }
    }
    taken
}

#[tokio::test]
async fn no_amount_is_not_a_number() {
    let test = TestDatabase::new().await;
    assert_eq!(taken_by(&test, "numeric", "NaN").await, [""; 0]);
    assert!(taken_by(&test, "numeric", "0.01").await.contains(&"products.price".to_owned()));
}

#[tokio::test]
async fn no_moment_that_is_shown_lies_where_rfc_3339_cannot_tell() {
    let test = TestDatabase::new().await;
    for beyond in ["infinity", "-infinity", "294000-01-01Z", "10000-01-01Z", "0001-12-31 23:59:59Z BC"] {
        assert_eq!(taken_by(&test, "timestamptz", beyond).await, THEIR_OWN, "{beyond}");
    }
    for legal in ["0001-01-01Z", "9999-12-31 23:59:59.999999Z"] {
        assert!(taken_by(&test, "timestamptz", legal).await.contains(&"products.created_at".to_owned()), "{legal}");
    }
}
