//! The gateway as a process: started, loaded, told to stop.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;
use testkit::TestDatabase;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn start(database: &TestDatabase, port: u16) -> Child {
    command(database, port).spawn().unwrap()
}

fn command(database: &TestDatabase, port: u16) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gateway"));
    command
        .env("DATABASE_URL", database.url())
        .env_remove("REDIS_URL")
        .env_remove("SEARCH_INDEX_DIR")
        .env("HTTP_ADDR", format!("127.0.0.1:{port}"))
        .env("OPS_ADDR", format!("127.0.0.1:{}", free_port()))
        .stdout(Stdio::null());
    command
}

/// A gateway that is killed, without a chance to tidy up, when this goes.
pub(crate) struct Gateway {
    process: Child,
    base: String,
}

impl Gateway {
    /// Starts one in a way of one's own.
    pub(crate) fn start_with(database: &TestDatabase, change: impl FnOnce(&mut Command)) -> Self {
        let port = free_port();
        let mut command = command(database, port);
        change(&mut command);
        Self { process: command.spawn().unwrap(), base: format!("http://127.0.0.1:{port}") }
    }

    /// Its address, without a trailing slash.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

pub(crate) async fn until_ready(base: &str) {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        match reqwest::get(format!("{base}/readyz/")).await {
            Ok(answer) if answer.status() == 200 => return,
            _ => assert!(Instant::now() < deadline, "the gateway never gets ready"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn told_to_stop_it_answers_every_request_that_it_took() {
    let database = TestDatabase::new().await;
    let build = database.build().await;
    let store = build.store("Corner").await;
    let product = build.product("Oolong Tea", "Tea", "2.50").await;
    build.stock(store, product, 1_000_000).await;
    let port = free_port();
    let base = format!("http://127.0.0.1:{port}");
    let mut gateway = start(&database, port);
    until_ready(&base).await;

    let client = reqwest::Client::new();
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let (client, url) = (client.clone(), format!("{base}/orders/"));
            let order = json!({"store_id": store, "items": [{"product_id": product, "quantity_requested": 1}]});
            tokio::spawn(async move {
                let mut confirmed = 0_i64;
                loop {
                    match client.post(&url).json(&order).send().await {
                        Ok(answer) => {
                            assert_eq!(answer.status(), 201, "no request that was taken fails");
                            confirmed += 1;
                        }
                        // Nobody took the connection. One that was taken and closed without an answer would be an
                        // incomplete message.
                        Err(error) => {
                            assert!(!format!("{error:?}").contains("IncompleteMessage"), "{confirmed}: {error:?}");
                            return (confirmed, error.is_connect());
                        }
                    }
                }
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let told = Instant::now();
    let killed = Command::new("kill").args(["-TERM", &gateway.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let (mut confirmed, mut refused) = (0, 0);
    for client in clients {
        let (its, was_refused) = client.await.unwrap();
        (confirmed, refused) = (confirmed + its, refused + i32::from(was_refused));
    }
    // But for who knocks in the very moment in which the door is closed.
    assert!(refused >= 5, "{refused} of 8 are told at once that nobody takes them; the others wait for it");
    assert!(gateway.wait().unwrap().success());
    assert!(told.elapsed() < Duration::from_secs(20), "{:?}", told.elapsed());
    let stored = "SELECT count(*) FROM orders WHERE status = 'CONFIRMED'";
    let stored: i64 = database.sql().await.query_one(stored, &[]).await.unwrap().get(0);
    assert_eq!(stored, confirmed, "what was answered is what was stored");
    assert!(confirmed > 0);
}

#[tokio::test]
async fn a_container_can_ask_it_how_it_is() {
    let database = TestDatabase::new().await;
    let port = free_port();
    let ask = || {
        Command::new(env!("CARGO_BIN_EXE_gateway"))
            .arg("healthcheck")
            .env("HTTP_ADDR", format!("0.0.0.0:{port}"))
            .stderr(Stdio::null())
            .status()
            .unwrap()
            .success()
    };
    assert!(!ask(), "nobody is there yet");
    let mut gateway = start(&database, port);
    until_ready(&format!("http://127.0.0.1:{port}")).await;
    assert!(ask());
    gateway.kill().unwrap();
    gateway.wait().unwrap();
}

#[tokio::test]
async fn a_public_url_that_no_link_can_be_made_of_is_refused_at_the_start() {
    let database = TestDatabase::new().await;
    for wrong in ["shop.example", "https://shop.example/store"] {
        let mut command = command(&database, free_port());
        let ended = command.env("PUBLIC_URL", wrong).stderr(Stdio::piped()).output().unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        assert!(!ended.status.success());
        assert!(said.contains("PUBLIC_URL") && said.contains(&format!("`{wrong}` is no address such as")), "{said}");
    }
}

/// Whoever waits for a start asks until it is over, and is told the truth each time.
#[tokio::test]
async fn to_be_not_ready_yet_is_logged_as_no_error() {
    let database = TestDatabase::new().await;
    db::revert_all(&database.as_role(db::Role::CommandLine)).await.unwrap();
    let port = free_port();
    let address = format!("http://127.0.0.1:{port}");
    let mut command = command(&database, port);
    let mut gateway = command.env_remove("RUST_LOG").stdout(Stdio::piped()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while !matches!(reqwest::get(format!("{address}/readyz/")).await, Ok(answer) if answer.status() == 503) {
        assert!(Instant::now() < deadline, "it never answers");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    db::migrate(&database.as_role(db::Role::CommandLine)).await.unwrap();
    until_ready(&address).await;
    reqwest::get(format!("{address}/readyz/")).await.unwrap();
    gateway.kill().unwrap();
    let log = String::from_utf8(gateway.wait_with_output().unwrap().stdout).unwrap();
    let of_readiness: Vec<&str> = log.lines().filter(|line| line.contains("/readyz/")).collect();
    assert!(
        matches!(of_readiness[..], [line] if line.contains("INFO") && line.ends_with(" ready")),
        "{of_readiness:#?}"
    );
}

/// What anybody can send is no fault of ours, however often they do.
#[tokio::test]
async fn what_is_no_http_is_refused_and_logged_as_no_error() {
    let database = TestDatabase::new().await;
    let port = free_port();
    let mut command = command(&database, port);
    let mut gateway = command.env_remove("RUST_LOG").stdout(Stdio::piped()).spawn().unwrap();
    until_ready(&format!("http://127.0.0.1:{port}")).await;
    for head in ["GET / HTTP/1.1\r\nHost shop\r\n\r\n", "GET /\x01 HTTP/1.1\r\n\r\n", "\x16\x03\x01\r\n\r\n"] {
        let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 "), "{head:?}: {answer}");
    }
    gateway.kill().unwrap();
    let log = String::from_utf8(gateway.wait_with_output().unwrap().stdout).unwrap();
    assert!(log.contains("listening") && !log.contains("actix_http"), "{log}");
}
