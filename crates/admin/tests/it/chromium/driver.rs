//! One Chromium of our own, and its chromedriver.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use fantoccini::elements::Element;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use testkit::eventually;

/// How often, and how soon again, the browser is asked whether it is there yet.
const TRIES: usize = 200;
const PAUSE: Duration = Duration::from_millis(50);

/// What the pages are seen in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    pub(crate) name: &'static str,
    pub(crate) width: u32,
    pub(crate) is_dark: bool,
    pub(crate) runs_scripts: bool,
}

impl Window {
    pub(crate) const DESK: Self = Self { name: "light", width: 1280, is_dark: false, runs_scripts: true };
    pub(crate) const DARK: Self = Self { name: "dark", is_dark: true, ..Self::DESK };
    pub(crate) const PHONE: Self = Self { name: "phone", width: 390, ..Self::DESK };
    pub(crate) const PLAIN: Self = Self { name: "without-javascript", runs_scripts: false, ..Self::DESK };
}

/// A browser. It ends with the test: Chromium hangs on a pipe of its driver, which is killed when this is dropped.
pub(crate) struct Chromium {
    pub(crate) client: Client,
    window: Window,
    base: String,
    _driver: Driver,
}

struct Driver(Child);

impl Drop for Driver {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

/// Starts chromedriver on a port that it finds itself, and tells.
fn start() -> (Driver, u16) {
    let program = std::env::var("CHROMEDRIVER").unwrap_or_else(|_| "chromedriver".into());
    let mut command = Command::new(&program);
    let started = command.arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let mut child = started.unwrap_or_else(|error| panic!("{program}: {error}. `make test` installs it."));
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let driver = Driver(child);
    for line in lines.map_while(Result::ok) {
        let port = line.rsplit_once("on port ").and_then(|(_, port)| port.trim_end_matches('.').parse().ok());
        if let Some(port) = port.filter(|_| line.contains("started successfully")) {
            return (driver, port);
        }
    }
    panic!("{program} did not start");
}

impl Chromium {
    pub(crate) async fn open(base: &str, window: Window) -> Self {
        let (driver, port) = start();
        let mut flags = vec!["--headless", "--no-sandbox", "--disable-dev-shm-usage", "--remote-debugging-pipe"];
        flags.push(if window.is_dark { "--blink-settings=preferredColorScheme=0" } else { "--hide-scrollbars" });
        let scripts = if window.runs_scripts { 1 } else { 2 };
        let capabilities = json!({
            "goog:chromeOptions": {
                "args": flags,
                "prefs": {"profile.managed_default_content_settings.javascript": scripts},
            },
            "goog:loggingPrefs": {"browser": "ALL"},
            "unhandledPromptBehavior": "ignore",
        });
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(capabilities.as_object().unwrap().clone());
        let client = builder.connect(&format!("http://127.0.0.1:{port}")).await.unwrap();
        let browser = Self { client, window, base: base.to_owned(), _driver: driver };
        let screen =
            json!({"width": window.width, "height": 800, "deviceScaleFactor": 1, "mobile": window.width < 600});
        browser.devtools("Emulation.setDeviceMetricsOverride", screen).await;
        browser
    }

    /// Opens a page of the site.
    pub(crate) async fn goto(&self, path: &str) {
        self.client.goto(&format!("{}{path}", self.base)).await.unwrap();
    }

    /// The path and query where we are.
    pub(crate) async fn place(&self) -> String {
        let url = self.client.current_url().await.unwrap();
        url.as_str().strip_prefix(&self.base).unwrap_or(url.as_str()).to_owned()
    }

    /// Waits until the address begins so.
    pub(crate) async fn arrives(&self, start: &str) {
        let mut place = String::new();
        for _ in 0..TRIES {
            place = self.place().await;
            if place.starts_with(start) {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
        panic!("at {place} instead of {start}: {}", self.text().await);
    }

    pub(crate) async fn find(&self, css: &str) -> Element {
        let found = self.client.wait().at_most(Duration::from_secs(10)).for_element(Locator::Css(css)).await;
        match found {
            Ok(element) => element,
            Err(error) => panic!("{css} at {}: {error}; {}", self.place().await, self.text().await),
        }
    }

    /// Clicks a link or button with these words.
    pub(crate) async fn click(&self, words: &str) {
        let path = format!("//main//*[self::a or self::button or self::summary][normalize-space()='{words}']");
        let found = self.client.wait().at_most(Duration::from_secs(10)).for_element(Locator::XPath(&path)).await;
        match found {
            Ok(element) => element.click().await.unwrap(),
            Err(error) => panic!("{words} at {}: {error}; {}", self.place().await, self.text().await),
        }
    }

    /// Types into a field, in place of what stands there.
    pub(crate) async fn fill(&self, css: &str, text: &str) {
        let field = self.find(css).await;
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// Chooses what is called so.
    pub(crate) async fn choose(&self, css: &str, label: &str) {
        self.find(css).await.select_by_label(label).await.unwrap();
    }

    /// What can be read on the page; nothing while it goes over into another.
    pub(crate) async fn text(&self) -> String {
        match self.client.find(Locator::Css("body")).await {
            Ok(body) => body.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        }
    }

    /// Waits until the page says so.
    pub(crate) async fn says(&self, words: &str) {
        let mut text = String::new();
        for _ in 0..TRIES {
            text = self.text().await;
            if text.contains(words) {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
        panic!("{words} is missing at {}: {text}", self.place().await);
    }

    /// A picture of the whole page, under the folder for what tests leave behind.
    pub(crate) async fn picture(&self, name: &str) {
        let options = json!({"format": "png", "captureBeyondViewport": true});
        let shot = json!({"cmd": "Page.captureScreenshot", "params": options});
        // While one page gives way to the next there is nothing to see, and Chromium complains of a width of zero.
        let answer = eventually("there is a page to see", Duration::from_secs(10), async || {
            self.client.issue_cmd(Own { path: "goog/cdp/execute", body: shot.clone() }).await.ok()
        })
        .await;
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("admin").join(self.window.name);
        std::fs::create_dir_all(&folder).unwrap();
        let picture = BASE64_STANDARD.decode(answer["data"].as_str().unwrap()).unwrap();
        std::fs::write(folder.join(format!("{name}.png")), picture).unwrap();
    }

    /// What the browser complained of since the last call: scripts that fail, and what the policy refused. That some
    /// pages are answers of 4xx is none of it.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        let entries = self.command("se/log", json!({"type": "browser"})).await;
        let entries = entries.as_array().unwrap().iter().filter(|entry| entry["source"] != "network");
        entries.map(|entry| entry["message"].to_string()).collect()
    }

    async fn devtools(&self, method: &str, params: Value) -> Value {
        self.command("goog/cdp/execute", json!({"cmd": method, "params": params})).await
    }

    async fn command(&self, path: &'static str, body: Value) -> Value {
        self.client.issue_cmd(Own { path, body }).await.unwrap()
    }
}

/// A command of chromedriver's own.
#[derive(Debug)]
struct Own {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Own {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &url::Url) -> (reqwest::Method, Option<String>) {
        (reqwest::Method::POST, Some(self.body.to_string()))
    }
}
