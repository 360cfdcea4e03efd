//! Servers, processes and the ways between them, under load and under fire.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use testkit::Inbox;
use tokio_postgres::Client;

use crate::Options;
use crate::client::{self, History};
use crate::oracle::{self, Violations};
use crate::schedule::{Fault, Victim, Way, schedule};
use crate::servers::Servers;
use crate::shop::{Shop, connect};
use crate::stage::{Links, Stage};
use crate::unit::Unit;

/// How long the backlog may take after the last fault.
pub(crate) const SETTLING: Duration = Duration::from_secs(30);

/// The same where the broker lost its disk.
const SETTLING_WIPED: Duration = Duration::from_secs(90);

/// How many events have to be with the broker when it loses its disk.
const AT_THE_WIPE: i64 = 10;

/// How many tasks a worker may have under way when it dies.
const CONCURRENT: usize = 32;

/// After how long half of the orders that a fault has to itself are released. The others come ever more slowly, so that
/// there are some left however long it takes.
const HALF: Duration = Duration::from_secs(3);

/// The longest that it may take until orders are under way.
const IDLE: Duration = Duration::from_secs(30);

/// Everything that runs.
pub(crate) struct Rig {
    pub(crate) folder: PathBuf,
    pub(crate) servers: Servers,
    gateways: Vec<Unit>,
    pub(crate) workers: Vec<Unit>,
    pub(crate) addresses: Vec<String>,
    pub(crate) stage: Stage,
    pub(crate) shop: Shop,
    pub(crate) history: History,
    pub(crate) inbox: Inbox,
    pub(crate) faults: usize,
    hits: Hits,
    pub(crate) wiped: bool,
    /// How often a worker hung for so long that it was given up for lost.
    pub(crate) unheard: usize,
}

/// Faults that struck.
#[derive(Default)]
struct Hits {
    /// Processes that were alive, and were killed.
    killed: AtomicUsize,
    /// Connections that were to be cut after a frame, and those that were.
    armed: AtomicUsize,
    sprung: AtomicUsize,
}

impl Rig {
    /// Brings everything up, with goods to sell.
    pub(crate) async fn start(options: &Options) -> Result<Self> {
        let name = format!("stockroom-chaos-{}-{}", options.seed, std::process::id());
        let folder = options.folder.clone().unwrap_or_else(|| std::env::temp_dir().join(name));
        std::fs::create_dir_all(&folder)?;
        let servers = Servers::start(&options.root.canonicalize()?, &folder).await?;
        let inbox = Inbox::open().await;
        let links = Links::lay(&servers, inbox.port()).await?;
        let stage = Stage { binaries: options.binaries.clone(), folder: folder.clone(), links };
        stage.manage(&servers, &["migrate"]).await?;
        stage.manage(&servers, &["createsuperuser", "--no-input", "--email", "chaos@stockroom.example"]).await?;
        let token = ["token", "create", "--staff", "chaos@stockroom.example", "--name", "chaos"];
        let scope = ["--scope", "orders:place,orders:email,orders:cancel"];
        let token = stage.manage(&servers, &[&token[..], &scope].concat()).await?;
        let shop = Shop::open(&connect(servers.url("DATABASE_URL")?).await?, options.wanted(), options.trial.is_some())
            .await?;
        let (mut gateways, mut workers) = (Vec::new(), Vec::new());
        for number in 0..2 {
            gateways.push(stage.gateway(&servers, number)?);
            workers.push(stage.worker(&servers, number)?);
        }
        let addresses = gateways.iter().map(|gateway| format!("http://{}", gateway.address)).collect();
        let history = History::new(&folder.join("history.jsonl"), token.trim().to_owned())?;
        Ok(Self {
            folder,
            servers,
            gateways,
            workers,
            addresses,
            stage,
            shop,
            history,
            inbox,
            faults: 0,
            hits: Hits::default(),
            wiped: options.wipe,
            unheard: 0,
        })
    }

    /// What the options ask for, and then what the oracle says.
    pub(crate) async fn test(&mut self, options: &Options) -> Result<Violations> {
        let mut found = match (options.outage, options.trial) {
            (Some(outage), _) => self.suffer(outage, options).await?,
            (None, Some(trial)) => self.stand(trial, options).await?,
            (None, None) => self.torment(options).await?,
        };
        found.extend(self.judge().await?);
        Ok(found)
    }

    /// Load and faults side by side; the backlog has its time from the last fault on.
    async fn torment(&mut self, options: &Options) -> Result<Violations> {
        let faults = schedule(options.seed, options.kills, options.wipe);
        let pace = Duration::from_millis(options.pace);
        let load = client::place(&self.history, &self.shop, &self.addresses, options.seed, options.orders, pace);
        let fire = async {
            for (place, fault) in faults.iter().enumerate() {
                let [due, next] = [place, place + 1].map(|place| options.orders * place / faults.len());
                self.under_load(*fault, due, next).await.with_context(|| format!("{fault:?}"))?;
            }
            self.history.release(options.orders);
            anyhow::Ok(Instant::now())
        };
        let (loaded, fired) = tokio::join!(load, fire);
        let last_fault = fired?;
        loaded?;
        for way in Way::ALL {
            self.stage.links.of(way).heal();
        }
        self.faults = faults.len();
        self.unheard = faults.iter().filter(|fault| fault.is_unheard()).count();
        self.report(&faults)?;
        let sql = connect(self.servers.url("DATABASE_URL")?).await?;
        loop {
            let left = waiting(&sql).await?;
            if left == 0 {
                println!("backlog: empty {:.1} s after the last fault", last_fault.elapsed().as_secs_f64());
                return Ok(Violations::new());
            }
            let limit = if self.wiped { SETTLING_WIPED } else { SETTLING };
            if last_fault.elapsed() > limit {
                return Ok(vec![format!("{left} events wait {limit:?} after the last fault")]);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Inflicts a fault when `due` orders are over and others are under way; those before `next` are placed meanwhile.
    async fn under_load(&self, fault: Fault, due: usize, next: usize) -> Result<()> {
        // A quarter at once: something has to be under way when it strikes.
        let first = due + (next - due).div_ceil(4);
        self.history.release(first);
        let since = Instant::now();
        while self.history.over() < due || self.history.under_way() == 0 {
            // Those were too fast.
            if self.history.over() >= first {
                self.history.release(self.history.over() + 1);
            }
            ensure!(since.elapsed() < IDLE || self.history.over() < due, "no order is under way");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let (began, under_way, begun) = (Instant::now(), self.history.under_way(), self.history.begun());
        let drip = async {
            loop {
                let time = began.elapsed().as_secs_f64();
                let share = time / (time + HALF.as_secs_f64());
                self.history.release(first.max(due + ((next - due) as f64 * share) as usize));
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::select! {
            inflicted = self.inflict(fault) => inflicted?,
            () = drip => {}
        }
        let (time, meanwhile) = (began.elapsed().as_secs_f64(), self.history.begun() - begun);
        println!("after {due} orders, {under_way} under way: {fault:?}, {time:.1} s, {meanwhile} more orders");
        Ok(())
    }

    /// Says which faults struck. A rig whose kills hit nobody proves nothing.
    fn report(&self, faults: &[Fault]) -> Result<()> {
        let planned = faults.iter().filter(|fault| matches!(fault, Fault::Kill(_) | Fault::Wipe)).count();
        let [killed, armed, sprung] =
            [&self.hits.killed, &self.hits.armed, &self.hits.sprung].map(|hits| hits.load(Ordering::Relaxed));
        println!(
            "faults: {killed} of {planned} kills hit a live process, {sprung} of {armed} cuts after a frame came about"
        );
        ensure!(killed == planned, "{killed} of {planned} kills hit a live process");
        ensure!(armed == 0 || sprung > 0, "no connection was cut after a frame");
        Ok(())
    }

    async fn inflict(&self, fault: Fault) -> Result<()> {
        match fault {
            Fault::Kill(victim) => {
                match victim {
                    Victim::Gateway(place) => self.gateways[place].kill().await?,
                    Victim::Worker(place) => self.workers[place].kill().await?,
                    server => self.servers.kill(name(server)?).await?,
                }
                self.hits.killed.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
            Fault::Wipe => {
                // What lies in the queues is lost with them, so some has to lie there: letters that nobody takes.
                self.inbox.fall_silent();
                let lost = self.some_with_the_broker().await;
                self.servers.wipe_rabbitmq().await?;
                self.inbox.answer();
                println!("wiped: {} events were with the broker", lost?);
                self.hits.killed.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
            Fault::Hang(victim, time) => {
                self.signal(victim, "STOP").await?;
                tokio::time::sleep(time).await;
                self.signal(victim, "CONT").await
            }
            Fault::Cut(way, time) => {
                self.stage.links.of(way).cut();
                self.heal(way, time).await
            }
            Fault::Slow(way, delay, time) => {
                self.stage.links.of(way).delay(delay);
                self.heal(way, time).await
            }
            Fault::CutAfter(way, frame, times) => {
                for _ in 0..times {
                    let has_sprung = self.stage.links.of(way).cut_after(frame).await;
                    self.hits.armed.fetch_add(1, Ordering::Relaxed);
                    self.hits.sprung.fetch_add(usize::from(has_sprung), Ordering::Relaxed);
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                Ok(())
            }
        }
    }

    /// Waits until so many events lie with the broker that no worker has one of them.
    async fn some_with_the_broker(&self) -> Result<i64> {
        let sql = connect(self.servers.url("DATABASE_URL")?).await?;
        let with_it =
            "SELECT count(*) FROM outbox WHERE published_at IS NOT NULL AND parked_at IS NULL AND worker IS NULL";
        let since = Instant::now();
        loop {
            let waiting: i64 = sql.query_one(with_it, &[]).await?.get(0);
            if waiting >= AT_THE_WIPE {
                return Ok(waiting);
            }
            ensure!(since.elapsed() < SETTLING, "only {waiting} events are with the broker");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn heal(&self, way: Way, time: Duration) -> Result<()> {
        tokio::time::sleep(time).await;
        let link = self.stage.links.of(way);
        link.heal();
        println!("healed: {}", link.name);
        Ok(())
    }

    async fn signal(&self, victim: Victim, signal: &str) -> Result<()> {
        match victim {
            Victim::Gateway(place) => self.gateways[place].signal(signal).await,
            Victim::Worker(place) => self.workers[place].signal(signal).await,
            server => self.servers.signal(name(server)?, signal).await,
        }
    }

    /// What the oracle says.
    async fn judge(&self) -> Result<Violations> {
        let sql = connect(self.servers.url("DATABASE_URL")?).await?;
        let mut found = oracle::judge(&sql, &self.shop, &self.history).await?;
        let told = oracle::told(&self.stage.workers_logs()?);
        let repeated_mail = oracle::mail(&sql, &self.inbox.mails(), &mut found).await?;
        let again = repeated_mail + told.orders.values().map(|times| times - 1).sum::<usize>();
        println!("effects: {} orders told of, {again} repetitions", told.orders.len());
        if again > self.faults * CONCURRENT {
            found.push(format!("{again} effects were repeated, and {} faults explain fewer", self.faults));
        }
        // Where no broker lost its disk, what was confirmed must have come through by itself; but what a worker that hangs
        // had not begun looks lost for as long as the broker takes to give it up.
        println!("recalled: {} events", told.recalled);
        if told.recalled > (self.unheard * CONCURRENT) as i64 && !self.wiped {
            found.push(format!("{} events were lost on the way and had to be published again", told.recalled));
        }
        let deadlocks = self.servers.deadlocks();
        if deadlocks > 0 {
            found.push(format!("{deadlocks} deadlocks"));
        }
        Ok(found)
    }

    /// Ends the processes; the servers end with this value.
    pub(crate) async fn stop(&mut self) -> Result<()> {
        for unit in self.gateways.drain(..).chain(self.workers.drain(..)) {
            let name = unit.name.clone();
            unit.stop().await.with_context(|| name)?;
        }
        Ok(())
    }
}

/// Events whose task is not done yet.
pub(crate) async fn waiting(sql: &Client) -> Result<i64> {
    Ok(sql.query_one("SELECT count(*) FROM outbox WHERE parked_at IS NULL", &[]).await?.get(0))
}

fn name(server: Victim) -> Result<&'static str> {
    match server {
        Victim::Postgres => Ok("postgres"),
        Victim::RabbitMq => Ok("rabbitmq"),
        Victim::Redis => Ok("redis"),
        Victim::Gateway(_) | Victim::Worker(_) => bail!("{server:?} is no server"),
    }
}
