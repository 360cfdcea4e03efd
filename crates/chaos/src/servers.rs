//! PostgreSQL, Redis and RabbitMQ of the rig's own, by way of `scripts/services`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

use crate::outage::Outage;
use crate::unit::{run, send};

/// The servers, in a folder of their own.
pub(crate) struct Servers {
    folder: PathBuf,
    /// Where `services` and `rabbitmqctl` lie.
    scripts: PathBuf,
    urls: HashMap<String, String>,
    /// Deadlocks in earlier lives of PostgreSQL.
    before: AtomicUsize,
}

impl Servers {
    /// Starts all three with nothing in them.
    pub(crate) async fn start(root: &Path, folder: &Path) -> Result<Self> {
        let scripts = root.join("scripts");
        let mut servers =
            Self { folder: folder.into(), scripts, urls: HashMap::default(), before: AtomicUsize::new(0) };
        servers.services(&["start", "--all"]).await?;
        let environment = std::fs::read_to_string(folder.join("env")).context("scripts/services wrote no env")?;
        let pairs = environment.lines().filter_map(|line| line.split_once('='));
        servers.urls = pairs.map(|(name, url)| (name.to_owned(), url.to_owned())).collect();
        Ok(servers)
    }

    /// The address of a server, by the name of its variable.
    pub(crate) fn url(&self, variable: &str) -> Result<&str> {
        Ok(self.urls.get(variable).with_context(|| format!("no {variable}"))?)
    }

    /// The same through a proxy that listens on `port`.
    pub(crate) fn url_through(&self, variable: &str, port: u16) -> Result<String> {
        let url = self.url(variable)?;
        Ok(url.replace(&format!(":{}", self.port(variable)?), &format!(":{port}")))
    }

    /// Where a server listens.
    pub(crate) fn port(&self, variable: &str) -> Result<u16> {
        let url = self.url(variable)?;
        let address = url.split_once("://").map_or(url, |(_, rest)| rest).split(['/', '?']).next().unwrap_or_default();
        let port = address.rsplit(':').next().unwrap_or_default();
        port.parse().with_context(|| format!("{variable} has no port"))
    }

    /// Kills a server with all that belongs to it, and starts it again on its data.
    pub(crate) async fn kill(&self, server: &str) -> Result<()> {
        self.end(server).await?;
        self.start_again(server).await
    }

    /// Kills RabbitMQ, and has it come back with these queues' names alone: without the processes that keep them, and
    /// what was in them.
    pub(crate) async fn hollow_out(&self, queues: &[&str]) -> Result<()> {
        for queue in queues {
            let server = format!("ra:force_delete_server(quorum_queues, {{'%2F_{queue}', node()}}).");
            self.script("rabbitmqctl", &["eval", &server]).await?;
        }
        self.kill("rabbitmq").await
    }

    /// Kills RabbitMQ, deletes all that it had written, and starts it again.
    pub(crate) async fn wipe_rabbitmq(&self) -> Result<()> {
        self.end("rabbitmq").await?;
        std::fs::remove_dir_all(self.folder.join("rabbitmq/data"))?;
        self.start_again("rabbitmq").await
    }

    async fn end(&self, server: &str) -> Result<()> {
        let pid = self.pid(server)?;
        ensure!(!is_zombie(pid), "{server} was not alive");
        // All at once: the children of PostgreSQL would notice that their parent is gone, and end in good order.
        let mut dying = vec![pid];
        dying.extend(children(pid));
        for pid in dying {
            send(pid, "KILL").await?;
        }
        while Path::new(&format!("/proc/{pid}/cmdline")).exists() && !is_zombie(pid) {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        Ok(())
    }

    async fn start_again(&self, server: &str) -> Result<()> {
        if server == "postgres" {
            self.before.fetch_add(self.in_log(), Ordering::Relaxed);
        }
        let before = self.port_file(server)?;
        self.services(&["start", server]).await?;
        ensure!(self.port_file(server)? == before, "{server} came back on another port");
        Ok(())
    }

    /// Sends a server a signal, with all that belongs to it.
    pub(crate) async fn signal(&self, server: &str, signal: &str) -> Result<()> {
        let pid = self.pid(server)?;
        ensure!(!is_zombie(pid), "{server} was not alive");
        for pid in [vec![pid], children(pid)].concat() {
            send(pid, signal).await?;
        }
        Ok(())
    }

    /// How many deadlocks PostgreSQL has broken so far.
    pub(crate) fn deadlocks(&self) -> usize {
        self.before.load(Ordering::Relaxed) + self.in_log()
    }

    /// Those of its present life: its log begins anew with each.
    fn in_log(&self) -> usize {
        let log = std::fs::read_to_string(self.folder.join("postgres/log")).unwrap_or_default();
        log.lines().filter(|line| line.contains("deadlock detected")).count()
    }

    fn port_file(&self, server: &str) -> Result<String> {
        Ok(std::fs::read_to_string(self.folder.join(server).join("port"))?)
    }

    fn pid(&self, server: &str) -> Result<u32> {
        let folder = self.folder.join(server);
        let file = if server == "postgres" { folder.join("data/postmaster.pid") } else { folder.join("pid") };
        let text = std::fs::read_to_string(&file).with_context(|| format!("{}", file.display()))?;
        text.lines().next().and_then(|line| line.trim().parse().ok()).with_context(|| format!("no pid of {server}"))
    }

    /// Begins an outage of RabbitMQ.
    pub(crate) async fn strike(&self, outage: Outage) -> Result<()> {
        match outage {
            Outage::Down => self.services(&["stop", "rabbitmq"]).await,
            Outage::Disk => self.script("rabbitmqctl", &["set_disk_free_limit", "9000GB"]).await,
            Outage::Memory => self.script("rabbitmqctl", &["set_vm_memory_high_watermark", "0.000001"]).await,
        }
    }

    /// Ends it.
    pub(crate) async fn relieve(&self, outage: Outage) -> Result<()> {
        match outage {
            Outage::Down => self.start_again("rabbitmq").await,
            Outage::Disk => self.script("rabbitmqctl", &["set_disk_free_limit", "50MB"]).await,
            Outage::Memory => self.script("rabbitmqctl", &["set_vm_memory_high_watermark", "0.4"]).await,
        }
    }

    async fn services(&self, arguments: &[&str]) -> Result<()> {
        self.script("services", arguments).await
    }

    async fn script(&self, name: &str, arguments: &[&str]) -> Result<()> {
        let mut command = Command::new(self.scripts.join(name));
        command.args(arguments).env("STOCKROOM_LOCAL", &self.folder).stdout(Stdio::null());
        run(&mut command).await.map(drop)
    }
}

/// The state and the parent of a process.
fn stat(pid: u32) -> Option<(char, u32)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name is in parentheses and may hold anything.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

fn is_zombie(pid: u32) -> bool {
    stat(pid).is_none_or(|(state, _)| state == 'Z')
}

fn children(parent: u32) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| stat(*pid).is_some_and(|(_, its)| its == parent)).collect()
}

/// Ends all three.
impl Drop for Servers {
    fn drop(&mut self) {
        let mut stop = std::process::Command::new(self.scripts.join("services"));
        stop.arg("stop").env("STOCKROOM_LOCAL", &self.folder).stdout(Stdio::null()).stdin(Stdio::null());
        if !stop.status().is_ok_and(|status| status.success()) {
            eprintln!("chaos: servers are left in {}", self.folder.display());
        }
    }
}
