//! A gateway's index in its folder: what may happen to a process, to a disk, and to the files.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use testkit::{TestDatabase, eventually};

use crate::process::{Gateway, until_ready};

const PRODUCTS: i64 = 200;

/// A folder that no other test has.
fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(testkit::unique_name("index"))
}

async fn started(database: &TestDatabase, folder: &Path) -> Gateway {
    let gateway = Gateway::start_with(database, |command| _ = command.env("SEARCH_INDEX_DIR", folder));
    until_ready(gateway.base()).await;
    gateway
}

/// Products, every title with its id and a version.
async fn filled() -> TestDatabase {
    let database = TestDatabase::new().await;
    let sql = "INSERT INTO categories (name) VALUES ('Things'); \
               INSERT INTO products (title, category_id, price) \
               SELECT 'Item' || n || 'x Version0z', 1, 1 FROM generate_series(1, 200) n";
    database.sql().await.batch_execute(sql).await.unwrap();
    database
}

async fn search(gateway: &Gateway, query: &str) -> Value {
    let answer = reqwest::get(format!("{}/api/search/products/?page_size=100&{query}", gateway.base())).await.unwrap();
    assert_eq!(answer.status(), 200);
    serde_json::from_str(&answer.text().await.unwrap()).unwrap()
}

/// Waits until as many are found.
async fn finds(gateway: &Gateway, query: &str, count: i64) {
    let found = async || (search(gateway, query).await["count"] == count).then_some(());
    eventually(query, Duration::from_secs(30), found).await;
}

/// Every product is found by the words that it has now, and by no others.
async fn agrees(gateway: &Gateway, database: &TestDatabase) {
    let versions = "SELECT substring(title from 'Version.*z'), count(*) FROM products GROUP BY 1";
    let mut all = 0;
    for row in database.sql().await.query(versions, &[]).await.unwrap() {
        let (version, count): (String, i64) = (row.get(0), row.get(1));
        finds(gateway, &format!("q={version}"), count).await;
        all += count;
    }
    assert_eq!(search(gateway, "q=item").await["count"], all);
}

#[tokio::test]
async fn killed_while_it_commits_it_comes_back_with_the_right_answers() {
    let (database, folder) = (filled().await, folder());
    for round in 1..=6_u64 {
        let gateway = started(&database, &folder).await;
        let sql = database.sql().await;
        let writing = tokio::spawn(async move {
            // Ended from outside.
            for turn in 0_i64.. {
                let rename =
                    "UPDATE products SET title = 'Item' || id || 'x Version' || $1::text || 'z' WHERE id % 7 = $2";
                let version = (i64::try_from(round).unwrap() * 1_000_000 + turn).to_string();
                sql.execute(rename, &[&version, &(turn % 7)]).await.unwrap();
            }
        });
        // Commits follow each other without a pause, so any moment is in the middle of one.
        tokio::time::sleep(Duration::from_millis(150 + 37 * round)).await;
        drop(gateway);
        writing.abort();
        _ = writing.await;
    }
    let gateway = started(&database, &folder).await;
    agrees(&gateway, &database).await;
}

#[tokio::test]
async fn a_full_disk_costs_the_folder_and_no_answer() {
    let (database, folder) = (filled().await, folder());
    // Files may not grow past 48 KiB: writing fails as on a full disk, in the middle of a file.
    let limited = |command: &mut Command| {
        let gateway = command.get_program().to_owned();
        let mut shell = Command::new("sh");
        shell.args(["-c", "trap '' XFSZ; ulimit -f 96; exec \"$0\""]).arg(gateway).stdout(Stdio::null());
        shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?)))).env_remove("REDIS_URL");
        shell.env("SEARCH_INDEX_DIR", &folder);
        *command = shell;
    };
    let gateway = Gateway::start_with(&database, limited);
    until_ready(gateway.base()).await;
    agrees(&gateway, &database).await;
    assert!(folder.join("index-1/meta.json").exists(), "there is room for the first index");
    let more = "INSERT INTO products (title, category_id, price) \
                SELECT md5(n::text) || ' Item' || n || 'x Version9z ' || md5((-n)::text), 1, 1 FROM generate_series(1001, 4000) n";
    database.sql().await.batch_execute(more).await.unwrap();
    agrees(&gateway, &database).await;
    database
        .sql()
        .await
        .batch_execute("UPDATE products SET title = 'Item' || id || 'x Version1z' WHERE id <= 50")
        .await
        .unwrap();
    agrees(&gateway, &database).await;
    drop(gateway);
    // With room again.
    let gateway = started(&database, &folder).await;
    agrees(&gateway, &database).await;
}

#[tokio::test]
async fn a_folder_that_is_damaged_under_a_running_gateway_costs_no_answer() {
    let (database, folder) = (filled().await, folder());
    let sql = database.sql().await;
    let mut version = 0;
    let damages: [fn(&Path); 3] = [truncate, empty, |folder| std::fs::remove_dir_all(folder).unwrap()];
    for damage in damages {
        let gateway = started(&database, &folder).await;
        damage(&folder);
        agrees(&gateway, &database).await;
        version += 1;
        let rename = format!("UPDATE products SET title = 'Item' || id || 'x Version{version}z' WHERE id % 3 = 0");
        sql.batch_execute(&rename).await.unwrap();
        agrees(&gateway, &database).await;
        damage_again(damage, &folder);
        drop(gateway);
        let gateway = started(&database, &folder).await;
        agrees(&gateway, &database).await;
    }
    assert_eq!(search(&started(&database, &folder).await, "q=item").await["count"], PRODUCTS);
}

fn damage_again(damage: fn(&Path), folder: &Path) {
    if folder.exists() {
        damage(folder);
    }
}

/// Every file of every index under the folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let indexes = std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path()).filter(|path| path.is_dir());
    let files = indexes.flat_map(|index| std::fs::read_dir(index).unwrap().flatten());
    files.map(|entry| entry.path()).filter(|path| path.is_file()).collect()
}

fn truncate(folder: &Path) {
    for path in files(folder) {
        // Unless the gateway has just deleted it.
        if let Ok(file) = std::fs::File::options().write(true).open(&path) {
            let length = file.metadata().unwrap().len();
            file.set_len(length / 2).unwrap();
        }
    }
}

fn empty(folder: &Path) {
    files(folder).iter().for_each(|path| _ = std::fs::remove_file(path));
}
