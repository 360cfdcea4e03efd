//! Running the program, and looking at what it left.

use std::path::PathBuf;
use std::process::Stdio;

use testkit::{TestDatabase, unique_name};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio_postgres::Client;

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Run {
    /// The run, which must have succeeded.
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.status, 0, "{self:?}");
        self
    }
}

/// The program in a folder of its own, on a database of its own.
pub(crate) struct Bench {
    pub(crate) database: TestDatabase,
    pub(crate) folder: PathBuf,
}

impl Bench {
    pub(crate) async fn new() -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(unique_name("manage"));
        std::fs::create_dir_all(&folder).unwrap();
        Self { database: TestDatabase::new().await, folder }
    }

    /// Runs `manage` with these arguments.
    pub(crate) async fn manage(&self, arguments: &[&str]) -> Run {
        self.manage_with_input(arguments, b"").await
    }

    /// The same where no broker is configured.
    pub(crate) async fn manage_without_broker(&self, arguments: &[&str]) -> Run {
        run(self.command().args(arguments).env_remove("AMQP_URL"), b"").await
    }

    /// Runs `manage` with these arguments and this on its stdin.
    pub(crate) async fn manage_with_input(&self, arguments: &[&str], input: &[u8]) -> Run {
        run(self.command().args(arguments), input).await
    }

    /// The program, not yet started.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_manage"));
        command.env("DATABASE_URL", self.database.url()).env_remove("RUST_LOG").current_dir(&self.folder);
        command
    }

    /// A number that the database computes.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        self.database.sql().await.query_one(&format!("SELECT ({sql})::bigint"), &[]).await.unwrap().get(0)
    }

    /// A fingerprint of every row of every table that seed and import write, ids and times included.
    pub(crate) async fn checksum(&self) -> Vec<String> {
        let client = self.database.sql().await;
        let mut sums = Vec::new();
        for table in ["categories", "products", "stores", "inventory", "stock_adjustments"] {
            sums.push(format!("{table} {}", sum(&client, "*", table).await));
        }
        sums
    }

    /// A fingerprint of some columns of a table.
    pub(crate) async fn checksum_of(&self, columns: &str, table: &str) -> String {
        sum(&self.database.sql().await, columns, table).await
    }

    /// Inventory rows whose quantity is not what the ledger says.
    pub(crate) async fn drift(&self) -> i64 {
        self.number(
            "SELECT count(*) FROM inventory i WHERE quantity <> \
                (SELECT coalesce(sum(delta), 0) FROM stock_adjustments a \
                 WHERE (a.store_id, a.product_id) = (i.store_id, i.product_id)) \
              - (SELECT coalesce(sum(quantity_requested), 0) FROM orders o \
                 JOIN order_items l ON (l.store_id, l.order_id) = (o.store_id, o.id) \
                 WHERE (l.store_id, l.product_id) = (i.store_id, i.product_id) AND o.status = 'CONFIRMED')",
        )
        .await
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Runs a command to its end.
pub(crate) async fn run(command: &mut Command, input: &[u8]) -> Run {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let write = async move {
        // The program may well stop before it has read everything.
        _ = stdin.write_all(input).await;
    };
    let (output, ()) = tokio::join!(child.wait_with_output(), write);
    let output = output.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Run { status: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
}

async fn sum(client: &Client, columns: &str, table: &str) -> String {
    let sql = format!(
        "SELECT count(*) || ':' || coalesce(md5(string_agg(line, E'\\n' ORDER BY line COLLATE \"C\")), '') \
         FROM (SELECT t::text AS line FROM (SELECT {columns} FROM {table}) AS t) AS lines"
    );
    client.query_one(&sql, &[]).await.unwrap().get(0)
}
