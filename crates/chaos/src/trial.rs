//! What a worker has to stand, one thing at a time and at its full size, where a seed of kills has a bit of all.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use lapin::options::BasicPublishOptions;
use lapin::{BasicProperties, Connection, ConnectionProperties};
use tokio::try_join;
use tokio_postgres::Client;

use crate::Options;
use crate::client;
use crate::oracle::Violations;
use crate::rig::{Rig, waiting};
use crate::shop::{address, connect};

/// What is to be stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Trial {
    /// RabbitMQ loses its disk while a thousand confirmations lie there: all are sent within 90 s of its return.
    Wiped,
    /// One of two workers is killed in the middle of a task, fifty times: the other has done it within a second.
    Killed,
    /// One of two workers hangs for a minute with its hands full: the other has done it all within 20 s, and what the
    /// late one does then changes nothing.
    Hung,
    /// Among a thousand tasks one kills its worker, one fails each time and one is none: within 30 s these three are
    /// parked and the others done; and they are done, too, once the cause is gone.
    Poison,
    /// RabbitMQ comes back without the processes of some queues: they are made anew, and all is sent within a minute.
    Hollow,
}

/// How many tasks there are at once.
const MANY: usize = 1_000;

/// Those of them that are different.
const KILLER: usize = MANY / 3;
const FAILING: usize = MANY / 2;

/// Orders that are placed at once to fill the hands of two workers.
const HANDS_FULL: usize = 16;

/// Letters that both have under way then: each as many as half of its connections to the database.
const UNDER_WAY: usize = 6;

/// How long a worker hangs.
const HANG: Duration = Duration::from_secs(60);

/// A letter must not be under way for longer, or the worker gives it up by itself.
const FRESH: Duration = Duration::from_secs(4);

/// How long anything may take that is no bar.
const PATIENCE: Duration = Duration::from_secs(60);

impl Trial {
    /// How many orders it takes.
    pub(crate) fn orders(self, tries: Option<usize>) -> usize {
        match self {
            Self::Wiped => MANY,
            // The tries that come to nothing want some as well.
            Self::Killed => 2 * self.tries(tries),
            Self::Hung => HANDS_FULL * self.tries(tries),
            // The third that is different is no order.
            Self::Poison => MANY - 1,
            Self::Hollow => MANY / 5,
        }
    }

    fn tries(self, tries: Option<usize>) -> usize {
        tries.unwrap_or(if self == Self::Killed { 50 } else { 1 })
    }
}

impl Rig {
    /// What did not go as it must, beside what the oracle finds.
    pub(crate) async fn stand(&mut self, trial: Trial, options: &Options) -> Result<Violations> {
        let sql = connect(self.servers.url("DATABASE_URL")?).await?;
        for worker in &self.workers {
            worker.ready().await?;
        }
        let tries = trial.tries(options.tries);
        self.faults = tries;
        self.unheard = if trial == Trial::Hung { tries } else { 0 };
        match trial {
            Trial::Wiped => self.lose_the_disk(&sql, options).await,
            Trial::Killed => self.lose_a_worker(&sql, options, tries).await,
            Trial::Hung => self.miss_a_worker(&sql, options, tries).await,
            Trial::Poison => self.swallow_poison(&sql, options).await,
            Trial::Hollow => self.lose_queues(&sql, options).await,
        }
    }

    async fn lose_the_disk(&mut self, sql: &Client, options: &Options) -> Result<Violations> {
        self.wiped = true;
        self.inbox.fall_silent();
        self.place_all(options, MANY).await?;
        let (with_it, unpublished) = (
            "outbox WHERE published_at IS NOT NULL AND worker IS NULL",
            "outbox WHERE published_at IS NULL AND worker IS NULL",
        );
        until("all lie with the broker", PATIENCE, async || Ok(count(sql, unpublished).await? == 0)).await?;
        println!("wiped: {} events lie with the broker alone", count(sql, with_it).await?);
        self.servers.wipe_rabbitmq().await?;
        self.inbox.answer();
        bar("all confirmed after its return", Duration::from_secs(90), async || Ok(waiting(sql).await? == 0)).await
    }

    async fn lose_queues(&mut self, sql: &Client, options: &Options) -> Result<Violations> {
        self.wiped = true;
        self.servers
            .hollow_out(&["stockroom.tasks", "stockroom.tasks.mail", "stockroom.tasks.mail.retry.200ms"])
            .await?;
        // One of them has to go by way of the ladder.
        self.inbox.refuse_once("450 4.2.1 later");
        let orders = Trial::Hollow.orders(None);
        self.place_all(options, orders).await?;
        bar("all confirmed after its return", Duration::from_secs(60), async || Ok(waiting(sql).await? == 0)).await
    }

    async fn lose_a_worker(&mut self, sql: &Client, options: &Options, tries: usize) -> Result<Violations> {
        let orders = Trial::Killed.orders(Some(tries));
        let (history, shop, inbox, servers, stage) =
            (&self.history, &self.shop, &self.inbox, &self.servers, &self.stage);
        let load = client::place(history, shop, &self.addresses, options.seed, orders, Duration::ZERO);
        let mut workers = std::mem::take(&mut self.workers).into_iter();
        let mut busy = workers.next().context("a worker")?;
        for spare in workers {
            spare.stop().await?;
        }
        let script = async {
            let mut took = Vec::new();
            for order in 0..orders {
                if took.len() == tries {
                    break;
                }
                let before = inbox.mails().len();
                inbox.fall_silent();
                history.release(order + 1);
                until("its letter is under way", PATIENCE, async || Ok(inbox.mails().len() > before)).await?;
                let since = Instant::now();
                let other = stage.worker(servers, 2 + order)?;
                other.ready().await?;
                let is_fresh = since.elapsed() < FRESH;
                let killed = Instant::now();
                busy.stop().await?;
                inbox.answer();
                let sent = async || Ok(count(sql, SENT).await? == order as i64 + 1);
                until("the other has done it", PATIENCE, sent).await?;
                match is_fresh {
                    true => took.push(killed.elapsed()),
                    false => println!("a try does not count: it took {:?} to start a worker", since.elapsed()),
                }
                until("it is over", PATIENCE, async || Ok(waiting(sql).await? == 0)).await?;
                busy = other;
            }
            history.release(orders);
            Ok((took, busy))
        };
        let ((), (mut took, busy)) = try_join!(load, script)?;
        self.workers = vec![busy];
        ensure!(took.len() == tries, "{} of {tries} tries counted", took.len());
        until("the rest is confirmed", PATIENCE, async || Ok(waiting(sql).await? == 0)).await?;
        took.sort();
        let p99 = took[(tries * 99).div_ceil(100) - 1];
        println!("killed {tries} times: p50 {:?}, p99 {p99:?}", took[tries / 2]);
        Ok(if p99 > Duration::from_secs(1) { vec![format!("done again after {p99:?}")] } else { Vec::new() })
    }

    async fn miss_a_worker(&mut self, sql: &Client, options: &Options, tries: usize) -> Result<Violations> {
        let orders = Trial::Hung.orders(Some(tries));
        let (history, inbox, hung) = (&self.history, &self.inbox, &self.workers[0]);
        let load = client::place(history, &self.shop, &self.addresses, options.seed, orders, Duration::ZERO);
        let script = async {
            let mut found = Violations::new();
            for round in 1..=tries {
                let before = inbox.mails().len();
                inbox.fall_silent();
                history.release(HANDS_FULL * round);
                let all = async || Ok(inbox.mails().len() >= before + UNDER_WAY);
                until("both have their hands full", PATIENCE, all).await?;
                hung.signal("STOP").await?;
                let stopped = Instant::now();
                inbox.answer();
                let sent = async || Ok(count(sql, SENT).await? == (HANDS_FULL * round) as i64);
                found.extend(bar("taken over", Duration::from_secs(20), sent).await?);
                tokio::time::sleep(HANG.saturating_sub(stopped.elapsed())).await;
                let known = records(sql).await?;
                hung.signal("CONT").await?;
                hung.ready().await?;
                // Time for whatever it still has in hand.
                tokio::time::sleep(Duration::from_secs(6)).await;
                if records(sql).await? != known {
                    found.push("the late one changed what was on record".into());
                }
            }
            Ok(found)
        };
        Ok(try_join!(load, script)?.1)
    }

    async fn swallow_poison(&mut self, sql: &Client, options: &Options) -> Result<Violations> {
        for worker in self.workers.drain(..) {
            worker.stop().await?;
        }
        let (killer, failing) = (address(KILLER), address(FAILING));
        self.inbox.ignore(&killer);
        self.inbox.refuse(&failing, "450 4.2.1 later");
        self.place_all(options, Trial::Poison.orders(None)).await?;
        publish(self.servers.url("AMQP_URL")?, "stockroom.tasks", b"?").await?;
        let worker = self.stage.worker(&self.servers, 2)?;
        self.faults = 3;
        let began = Instant::now();
        for death in 1..=3 {
            let is_at_it = async || Ok(self.inbox.times_ignored(&killer) >= death);
            until("the killer is at it", PATIENCE, is_at_it).await?;
            worker.kill().await?;
            println!("killed after {:?}, with {} sent", began.elapsed(), count(sql, SENT).await?);
        }
        let sent = async || Ok(count(sql, SENT).await? == MANY as i64 - 3);
        until("the others are done", PATIENCE, sent).await?;
        let took = began.elapsed();
        until("three are parked", PATIENCE, async || Ok(count(sql, PARKED).await? == 3)).await?;
        println!("{} sent after {took:?}, and 3 parked after {:?}", MANY - 3, began.elapsed());
        let mut found = Violations::new();
        if took > Duration::from_secs(30) {
            found.push(format!("it took {took:?}"));
        }
        for how in [
            "kind = 'order.confirmed' AND failures = 0 AND crashes = 3",
            "kind = 'order.confirmed' AND failures = 8 AND crashes = 0",
            "kind = 'undecodable'",
        ] {
            if count(sql, &format!("{PARKED} AND {how}")).await? != 1 {
                found.push(format!("not one event is parked with {how}"));
            }
        }
        self.inbox.forgive(&killer);
        self.inbox.forgive(&failing);
        self.stage.manage(&self.servers, &["jobs", "redrive", "--kind", "order.confirmed"]).await?;
        until("they are sent, too", PATIENCE, async || Ok(count(sql, SENT).await? == MANY as i64 - 1)).await?;
        self.stage.manage(&self.servers, &["jobs", "discard", "--kind", "undecodable"]).await?;
        until("all is over", PATIENCE, async || Ok(waiting(sql).await? == 0)).await?;
        self.workers.push(worker);
        Ok(found)
    }

    /// Has so many orders placed, as fast as it goes.
    async fn place_all(&self, options: &Options, orders: usize) -> Result<()> {
        self.history.release(orders);
        client::place(&self.history, &self.shop, &self.addresses, options.seed, orders, Duration::ZERO).await
    }
}

const SENT: &str = "confirmations WHERE state = 'sent'";
const PARKED: &str = "outbox WHERE parked_at IS NOT NULL";

async fn count(sql: &Client, what: &str) -> Result<i64> {
    Ok(sql.query_one(&format!("SELECT count(*) FROM {what}"), &[]).await?.get(0))
}

/// What is on record of each confirmation.
async fn records(sql: &Client) -> Result<Vec<(i64, Option<String>, i32)>> {
    let rows = sql.query("SELECT order_id, sent_at::text, attempts FROM confirmations ORDER BY 1", &[]).await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect())
}

async fn until(what: &str, limit: Duration, question: impl AsyncFn() -> Result<bool>) -> Result<()> {
    let since = Instant::now();
    while !question().await? {
        ensure!(since.elapsed() < limit, "not within {limit:?}: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    Ok(())
}

/// As [`until`], and says how long it took; a violation if that is too long.
async fn bar(what: &str, limit: Duration, question: impl AsyncFn() -> Result<bool>) -> Result<Violations> {
    let since = Instant::now();
    if let Err(error) = until(what, limit * 2, question).await {
        return Ok(vec![format!("{error:#}")]);
    }
    let took = since.elapsed();
    println!("{what}: {took:?}");
    Ok(if took > limit { vec![format!("{what}: {took:?}")] } else { Vec::new() })
}

/// Puts something into a queue.
async fn publish(url: &str, queue: &str, body: &[u8]) -> Result<()> {
    let connection = Connection::connect(url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    let options = BasicPublishOptions::default();
    channel.basic_publish("".into(), queue.into(), options, body, BasicProperties::default()).await?;
    Ok(connection.close(200, "OK".into()).await?)
}
