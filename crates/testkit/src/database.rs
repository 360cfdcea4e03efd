//! A database of its own for every test.

use std::ops::Deref;

use db::{Config, Database, MIGRATIONS_FINGERPRINT, Role};
use tokio_postgres::{Client, NoTls};
use url::Url;

use crate::names::{database_url, through, unique_name};
use crate::{Builder, Proxy};

/// Held while the template is made. The number means nothing.
const LOCK: i64 = 0x7465_7374;

/// A migrated, empty database that is dropped with this value. Derefs to its [`Database`].
pub struct TestDatabase {
    database: Database,
    url: Url,
    server: Url,
}

impl TestDatabase {
    /// Clones the template, which the first test of all makes.
    pub async fn new() -> Self {
        let server = Url::parse(&database_url()).expect("DATABASE_URL is a URL");
        let admin = connect(&server).await;
        let template = template(&admin, &server).await;
        let name = unique_name("test");
        admin
            .batch_execute(&format!("CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy"))
            .await
            .expect("the template can be cloned");
        let url = with_name(&server, &name);
        let database = Database::new(&Config::new(url.as_str(), Role::Gateway)).expect("the URL is sound");
        Self { database, url, server }
    }

    /// The URL of this database.
    pub fn url(&self) -> &str {
        self.url.as_str()
    }

    /// The same database through `proxy`, which must lead to the server.
    pub fn url_through(&self, proxy: &Proxy) -> String {
        through(self.url(), proxy)
    }

    /// A handle with the limits of `role`.
    pub fn as_role(&self, role: Role) -> Database {
        Database::new(&Config::new(self.url.as_str(), role)).expect("the URL is sound")
    }

    /// Another handle on the same database.
    pub fn handle(&self) -> Database {
        self.database.clone()
    }

    /// A bare connection for statements that go around the code.
    pub async fn sql(&self) -> Client {
        connect(&self.url).await
    }

    /// Builders of rows.
    pub async fn build(&self) -> Builder {
        Builder::new(self.sql().await)
    }
}

impl Deref for TestDatabase {
    type Target = Database;

    fn deref(&self) -> &Database {
        &self.database
    }
}

/// Drops the database on a thread with a runtime of its own, as `drop` cannot wait on the test's.
impl Drop for TestDatabase {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.url.path().trim_start_matches('/').to_owned());
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let admin = connect(&server).await;
                _ = admin.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
            });
        });
        _ = dropping.join();
    }
}

/// The name of the migrated template; made under a lock when it does not exist yet. Its name carries a fingerprint
/// of the migrations, so that a changed schema gets a template of its own.
async fn template(admin: &Client, server: &Url) -> String {
    let name = format!("template_{MIGRATIONS_FINGERPRINT}");
    let exists = "SELECT FROM pg_database WHERE datname = $1 AND datistemplate";
    if admin.query_opt(exists, &[&name]).await.expect("the catalogue can be read").is_some() {
        return name;
    }
    admin.batch_execute(&format!("SELECT pg_advisory_lock({LOCK})")).await.expect("the lock is granted");
    if admin.query_opt(exists, &[&name]).await.expect("the catalogue can be read").is_none() {
        _ = admin.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
        admin.batch_execute(&format!("CREATE DATABASE {name}")).await.expect("a database can be made");
        let url = with_name(server, &name);
        let database = Database::new(&Config::new(url.as_str(), Role::CommandLine)).expect("the URL is sound");
        db::migrate(&database).await.expect("the migrations run");
        drop(database);
        let finish = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'; \
             ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false IS_TEMPLATE true"
        );
        admin.batch_execute(&finish).await.expect("the template can be sealed");
    }
    admin.batch_execute(&format!("SELECT pg_advisory_unlock({LOCK})")).await.expect("the lock is ours");
    name
}

async fn connect(url: &Url) -> Client {
    let (client, connection) =
        tokio_postgres::connect(url.as_str(), NoTls).await.expect("PostgreSQL answers: run the tests with `make test`");
    tokio::spawn(connection);
    client
}

fn with_name(server: &Url, name: &str) -> Url {
    let mut url = server.clone();
    url.set_path(name);
    url
}
