//! `schema.rs` is what the migrations leave behind.

use std::collections::BTreeSet;

use testkit::TestDatabase;

/// `table.column type`, with a `?` where null is allowed, and `table (primary key)`.
type Facts = BTreeSet<String>;

#[tokio::test]
async fn schema_rs_describes_the_migrated_database() {
    let test = TestDatabase::new().await;
    let (described, found) = (described(), found(&test).await);
    let missing: Vec<_> = found.difference(&described).collect();
    let made_up: Vec<_> = described.difference(&found).collect();
    assert!(missing.is_empty() && made_up.is_empty(), "schema.rs lacks {missing:#?}\nand makes up {made_up:#?}");
    assert!(described.len() > 50, "the parser found only {}", described.len());
}

fn described() -> Facts {
    let mut facts = Facts::new();
    let mut table = "";
    for line in include_str!("../../src/schema.rs").lines().map(str::trim) {
        if let Some((column, sql_type)) = line.strip_suffix(',').and_then(|line| line.split_once(" -> ")) {
            let (inner, mark) = match sql_type.strip_prefix("Nullable<") {
                Some(inner) => (inner.trim_end_matches('>'), "?"),
                None => (sql_type, ""),
            };
            facts.insert(format!("{table}.{column} {inner}{mark}"));
        } else if let Some((name, key)) = line.strip_suffix(") {").and_then(|line| line.split_once(" (")) {
            table = name;
            facts.insert(format!("{table} ({key})"));
        }
    }
    facts
}

async fn found(test: &TestDatabase) -> Facts {
    let client = test.sql().await;
    let columns = "SELECT table_name::text, column_name::text, udt_name::text, is_nullable = 'YES' \
                   FROM information_schema.columns \
                   WHERE table_schema = 'public' AND table_name <> '__diesel_schema_migrations'";
    let keys = "SELECT conrelid::regclass::text, string_agg(attname::text, ', ' ORDER BY place) \
                FROM pg_constraint, unnest(conkey) WITH ORDINALITY AS key (number, place), pg_attribute \
                WHERE contype = 'p' AND connamespace = 'public'::regnamespace AND attrelid = conrelid \
                AND attnum = number AND conrelid::regclass::text <> '__diesel_schema_migrations' GROUP BY 1";
    let mut facts = Facts::new();
    for row in client.query(columns, &[]).await.unwrap() {
        let (table, column, udt): (String, String, String) = (row.get(0), row.get(1), row.get(2));
        let mark = if row.get(3) { "?" } else { "" };
        facts.insert(format!("{table}.{column} {}{mark}", diesel_type(&udt)));
    }
    for row in client.query(keys, &[]).await.unwrap() {
        let (table, key): (String, String) = (row.get(0), row.get(1));
        facts.insert(format!("{table} ({key})"));
    }
    facts
}

fn diesel_type(udt: &str) -> &str {
    match udt {
        "int8" => "BigInt",
        "int4" => "Integer",
        "text" => "Text",
        "numeric" => "Numeric",
        "timestamptz" => "Timestamptz",
        "bytea" => "Bytea",
        "jsonb" => "Jsonb",
        "bool" => "Bool",
        "_text" => "Array<Text>",
        other => other,
    }
}
