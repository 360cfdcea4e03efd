//! A worker as a child process.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use testkit::{Broker, TestDatabase, eventually};

pub(crate) const SOON: Duration = Duration::from_secs(10);

/// The queues that a worker makes, by their names after the prefix.
pub(crate) const QUEUES: [&str; 19] = [
    "tasks",
    "tasks.retry.1s",
    "tasks.retry.5s",
    "tasks.retry.25s",
    "tasks.retry.125s",
    "tasks.retry.625s",
    "tasks.mail",
    "tasks.mail.retry.1s",
    "tasks.mail.retry.5s",
    "tasks.mail.retry.25s",
    "tasks.mail.retry.125s",
    "tasks.mail.retry.625s",
    "tasks.webhook",
    "tasks.webhook.retry.1s",
    "tasks.webhook.retry.5s",
    "tasks.webhook.retry.25s",
    "tasks.webhook.retry.125s",
    "tasks.webhook.retry.625s",
    "tasks.dead",
];

/// What it may be told, which the environment of the tests must not tell it.
const OURS: [&str; 10] = [
    "AMQP_URL",
    "AMQP_PREFIX",
    "DATABASE_URL",
    "JOBS_POLL_MS",
    "JOBS_RETRY_SECONDS",
    "MAIL_FROM",
    "RUST_LOG",
    "SMTP_URL",
    "WEBHOOK_URL",
    "WORKER_OPS_ADDR",
];

/// The binary, with what it needs in its environment and nothing else of ours.
pub(crate) fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_worker"));
    for name in OURS {
        command.env_remove(name);
    }
    command
}

/// A running worker; killed with this value.
pub(crate) struct Process {
    child: Child,
    ops: String,
    log: Arc<Mutex<Vec<Value>>>,
}

impl Process {
    pub(crate) fn start(database_url: &str, amqp: Option<(&str, &Broker)>) -> Self {
        Self::start_with(database_url, amqp, &[])
    }

    /// With these variables as well.
    pub(crate) fn start_with(database_url: &str, amqp: Option<(&str, &Broker)>, variables: &[(&str, String)]) -> Self {
        let mut command = binary();
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        command.env("DATABASE_URL", database_url).env("WORKER_OPS_ADDR", "127.0.0.1:0").env("LOG_FORMAT", "json");
        if let Some((url, broker)) = amqp {
            command.env("AMQP_URL", url).env("AMQP_PREFIX", broker.prefix());
        }
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Its first words say where it listens.
        let ops = lines.by_ref().map(Result::unwrap).find_map(|line| {
            let line: Value = serde_json::from_str(&line).unwrap();
            line["ops"].as_str().map(str::to_owned)
        });
        let log = Arc::new(Mutex::new(Vec::new()));
        let heard = log.clone();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                println!("{line}"); // shown when the test fails
                heard.lock().unwrap().push(serde_json::from_str(&line).unwrap());
            }
        });
        Self { child, ops: ops.expect("it says where it listens"), log }
    }

    /// With everything that it may have.
    pub(crate) async fn ready(test: &TestDatabase, broker: &Broker) -> Self {
        let process = Self::start(test.url(), Some((broker.url(), broker)));
        process.eventually_answers("readyz", 200).await;
        process
    }

    pub(crate) fn ops(&self) -> &str {
        &self.ops
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, String) {
        let answer = reqwest::get(format!("http://{}/{path}", self.ops)).await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    pub(crate) async fn eventually_answers(&self, path: &str, status: u16) -> String {
        let what = format!("{status} from /{path}");
        eventually(&what, SOON, async || Some(self.get(path).await).filter(|answer| answer.0 == status)).await.1
    }

    /// Every line of the log so far.
    pub(crate) fn log(&self) -> Vec<Value> {
        self.log.lock().unwrap().clone()
    }

    /// Lines of the log so far with this message.
    pub(crate) fn said(&self, message: &str) -> Vec<Value> {
        self.log.lock().unwrap().iter().filter(|line| line["message"] == message).cloned().collect()
    }

    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([format!("-{name}"), self.child.id().to_string()]).status();
        assert!(sent.unwrap().success());
        // It goes on until each of its threads has met the signal, and on a busy machine that takes a moment.
        while name == "STOP" && !self.is_stopped() {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn is_stopped(&self) -> bool {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        // A thread may end between the two looks.
        let mut states = threads.filter_map(|thread| std::fs::read_to_string(thread.ok()?.path().join("stat")).ok());
        states.all(|stat| stat.rsplit_once(") ").unwrap().1.starts_with('T'))
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    pub(crate) async fn ended(&mut self) -> ExitStatus {
        eventually("it ends", Duration::from_secs(20), async || self.child.try_wait().unwrap()).await
    }

    /// Memory in use, in MiB.
    pub(crate) fn resident_mib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() / 1024
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}
