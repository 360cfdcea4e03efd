//! The schema's steps, carried in the binary.

use std::fmt::Display;
use std::time::Duration;

use diesel::dsl::sql;
use diesel::migration::MigrationSource;
use diesel::pg::Pg;
use diesel::sql_types::{Array, Bool, Text};
use diesel_async::pooled_connection::deadpool::Object;
use diesel_async::{AsyncMigrationHarness, RunQueryDsl, SimpleAsyncConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::{Database, Error};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations");

/// Changes whenever a migration does.
pub const MIGRATIONS_FINGERPRINT: &str = env!("MIGRATIONS_FINGERPRINT");

/// Held while migrating, so that processes that start together take turns. The number means nothing.
const LOCK: i64 = 0x0053_746f_636b_726d;

type Harness = AsyncMigrationHarness<diesel_async::AsyncPgConnection>;

/// Runs every migration that the database lacks, oldest first; returns their names.
///
/// # Errors
/// When the database cannot be reached, or a migration fails (it is rolled back then).
pub async fn migrate(database: &Database) -> Result<Vec<String>, Error> {
    with_harness(database, |harness| {
        let done = harness.run_pending_migrations(MIGRATIONS)?;
        Ok(done.iter().map(ToString::to_string).collect())
    })
    .await
}

/// Undoes every migration, newest first; returns their names. Destroys all data.
///
/// # Errors
/// When the database cannot be reached, or a step fails.
pub async fn revert_all(database: &Database) -> Result<Vec<String>, Error> {
    with_harness(database, |harness| {
        let done = harness.revert_all_migrations(MIGRATIONS)?;
        Ok(done.iter().map(ToString::to_string).collect())
    })
    .await
}

/// How many migrations the database lacks: 0 when it fits this binary. Only reads, and waits for no migration that is
/// under way.
///
/// # Errors
/// When the database cannot be reached.
pub async fn pending_migrations(database: &Database) -> Result<usize, Error> {
    let carried = MigrationSource::<Pg>::migrations(&MIGRATIONS).map_err(|error| of_migration(&error))?;
    let mut conn = database.connection().await?;
    let is_begun = sql::<Bool>("to_regclass('__diesel_schema_migrations') IS NOT NULL");
    if !diesel::select(is_begun).get_result::<bool>(&mut conn).await? {
        return Ok(carried.len());
    }
    let done = sql::<Array<Text>>("ARRAY(SELECT version::text FROM __diesel_schema_migrations)");
    let done: Vec<String> = diesel::select(done).get_result(&mut conn).await?;
    Ok(carried.iter().filter(|migration| !done.contains(&migration.name().version().to_string())).count())
}

type HarnessResult<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// The harness blocks its thread, so it gets one of its own; the connection is not given back.
async fn with_harness<T: Send + 'static>(
    database: &Database,
    work: impl FnOnce(&mut Harness) -> HarnessResult<T> + Send + 'static,
) -> Result<T, Error> {
    let mut conn = Object::take(database.connection().await?);
    conn.batch_execute(&format!(
        "SET statement_timeout = 0; SET lock_timeout = {}; SELECT pg_advisory_lock({LOCK})",
        Duration::from_secs(60).as_millis()
    ))
    .await?;
    let outcome = tokio::task::spawn_blocking(move || work(&mut AsyncMigrationHarness::new(conn))).await;
    match outcome {
        Ok(result) => result.map_err(|error| of_migration(&error)),
        Err(error) => Err(of_migration(&error)),
    }
}

fn of_migration(error: &dyn Display) -> Error {
    Error::Unavailable(format!("migration: {error}"))
}
