//! The whole application, on a port of its own.

use std::net::TcpListener;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use gateway::{Services, Settings};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::Value;

use crate::{Builder, TestDatabase};

/// The application over a database of its own, and a client of it.
pub struct TestApp {
    /// The database behind it.
    pub database: TestDatabase,
    base: String,
    client: reqwest::Client,
    server: ServerHandle,
    services: Services,
}

/// What was answered.
#[derive(Debug)]
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: reqwest::header::HeaderMap,
    /// Body, as it came.
    pub text: String,
}

impl Answer {
    /// The body as JSON; `null` if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    /// The value of a header, if it is there.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Panics unless the status is `status`; returns the JSON.
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self.json()
    }

    /// Panics unless this is a problem of this status and code; returns it.
    pub fn expect_problem(&self, status: u16, code: &str) -> Value {
        let problem = self.expect(status);
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        assert_eq!(problem["code"], code, "{}", self.text);
        problem
    }
}

impl TestApp {
    /// Starts it with default settings, except for what `change` changes.
    pub async fn start_with(change: impl FnOnce(&TestDatabase, &mut Settings)) -> Self {
        let database = TestDatabase::new().await;
        let mut settings = Settings::new(db::Config::new(database.url(), db::Role::Gateway));
        settings.workers = Some(2);
        change(&database, &mut settings);
        let services = Services::connect(&settings).expect("the settings are sound");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let base = format!("http://{}", listener.local_addr().expect("a bound listener has an address"));
        let server = gateway::serve(listener, &settings, services.clone(), web::Draining::default())
            .expect("the listener is sound");
        let handle = server.handle();
        tokio::spawn(server);
        let client = reqwest::Client::builder().build().expect("a client can be made");
        // Where the database is away on purpose, there is nothing to wait for.
        _ = tokio::time::timeout(Duration::from_secs(5), services.search.catch_up()).await;
        Self { database, base, client, server: handle, services }
    }

    /// Starts it with default settings.
    pub async fn start() -> Self {
        Self::start_with(|_, _| ()).await
    }

    /// Its address, without a trailing slash.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The parts behind it, to be used beside its requests.
    pub fn services(&self) -> &Services {
        &self.services
    }

    /// Waits until the search knows everything that is committed now.
    pub async fn search_catches_up(&self) {
        let caught_up = tokio::time::timeout(Duration::from_secs(10), self.services.search.catch_up()).await;
        caught_up.expect("the search catches up in time").expect("the database answers");
    }

    /// Builders of rows.
    pub async fn build(&self) -> Builder {
        self.database.build().await
    }

    /// A request to `path`, which is sent exactly as it is written.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    /// Sends a request and reads the whole answer.
    pub async fn send(&self, request: RequestBuilder) -> Answer {
        let answer = request.send().await.expect("the server answers");
        let (status, headers) = (answer.status(), answer.headers().clone());
        Answer { status, headers, text: answer.text().await.expect("the answer is read to its end") }
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    /// GET of an absolute address, such as `next`.
    pub async fn follow(&self, url: &str) -> Answer {
        self.send(self.client.get(url)).await
    }

    /// POST of JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::POST, path).json(body)).await
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        // Only the request to stop is made here; the sockets close with the test's runtime.
        drop(self.server.stop(false));
    }
}
