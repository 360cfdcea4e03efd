//! A database of our own, on the server that DATABASE_URL names.

use anyhow::{Context, Result};
use db::{Config, Database, Role};
use tokio_postgres::{Client, NoTls};
use url::Url;

use crate::cpu;

/// A migrated database, dropped with this value unless it is [kept](BenchDatabase::keep).
pub(crate) struct BenchDatabase {
    server: Url,
    url: Url,
    name: String,
    is_kept: bool,
}

impl BenchDatabase {
    /// Makes the database `name` and migrates it. One of that name which a run left behind is dropped.
    pub(crate) async fn create(name: &str) -> Result<Self> {
        let server = server()?;
        let admin = connect(&server).await?;
        admin.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await?;
        admin.batch_execute(&format!("CREATE DATABASE {name}")).await?;
        let database = Self { url: with_name(&server, name), server, name: name.to_owned(), is_kept: false };
        db::migrate(&Database::new(&database.config())?).await?;
        Ok(database)
    }

    /// The database `name`, if a run has finished it and kept it.
    pub(crate) async fn find(name: &str) -> Result<Option<Self>> {
        let server = server()?;
        let finished = "SELECT FROM pg_database WHERE datname = $1 AND shobj_description(oid, 'pg_database') = $2";
        let found = connect(&server).await?.query_opt(finished, &[&name, &FINISHED]).await?;
        let url = with_name(&server, name);
        Ok(found.map(|_| Self { url, server, name: name.to_owned(), is_kept: false }))
    }

    /// Marks it as whole, for a later run to [find](BenchDatabase::find).
    pub(crate) async fn finish(&self) -> Result<()> {
        let mark = format!("COMMENT ON DATABASE {} IS '{FINISHED}'", self.name);
        Ok(self.sql().await?.batch_execute(&mark).await?)
    }

    /// Leaves it there.
    pub(crate) fn keep(&mut self) {
        self.is_kept = true;
    }

    /// Its URL.
    pub(crate) fn url(&self) -> &str {
        self.url.as_str()
    }

    /// How to reach it for bulk work.
    pub(crate) fn config(&self) -> Config {
        Config::new(self.url.as_str(), Role::CommandLine)
    }

    /// A bare connection.
    pub(crate) async fn sql(&self) -> Result<Client> {
        connect(&self.url).await
    }

    /// The server's main process, where it runs on this machine.
    pub(crate) async fn postmaster(&self) -> Result<Option<u32>> {
        let session: i32 = self.sql().await?.query_one("SELECT pg_backend_pid()", &[]).await?.get(0);
        Ok(u32::try_from(session).ok().and_then(cpu::parent))
    }
}

/// What a whole database carries as its comment.
const FINISHED: &str = "loaded by bench";

/// On a thread with a runtime of its own, as `drop` cannot wait on ours.
impl Drop for BenchDatabase {
    fn drop(&mut self) {
        if self.is_kept {
            return;
        }
        let (server, name) = (self.server.clone(), self.name.clone());
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let admin = connect(&server).await?;
                Ok(admin.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await?)
            })
        });
        let outcome: Result<()> = dropping.join().unwrap_or_else(|_| Err(anyhow::anyhow!("the thread ended")));
        if let Err(error) = outcome {
            eprintln!("bench: the database {} is left behind: {error:#}", self.name);
        }
    }
}

fn server() -> Result<Url> {
    let url = std::env::var("DATABASE_URL").context("DATABASE_URL is not set: start this with `make bench`")?;
    Url::parse(&url).context("DATABASE_URL is no URL")
}

fn with_name(server: &Url, name: &str) -> Url {
    let mut url = server.clone();
    url.set_path(name);
    url
}

async fn connect(url: &Url) -> Result<Client> {
    let (client, connection) = tokio_postgres::connect(url.as_str(), NoTls).await.context("PostgreSQL is away")?;
    tokio::spawn(connection);
    Ok(client)
}
