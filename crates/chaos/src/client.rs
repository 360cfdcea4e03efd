//! A client of the store that keeps its own history.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::shop::Shop;

/// How many orders are under way at once.
pub(crate) const CONNECTIONS: usize = 32;

/// The longest that an answer may take, after which the order is asked for once more.
const PATIENCE: Duration = Duration::from_secs(10);

/// One in so many orders is cancelled, if it was confirmed.
const CANCELLED: usize = 8;

/// The longest that an order may stay without an answer.
const LIMIT: Duration = Duration::from_secs(120);

/// What was asked and what was answered.
#[derive(Debug, Clone)]
pub(crate) struct Answered {
    pub(crate) body: Value,
    pub(crate) answer: Value,
}

/// An order that was answered at the first time of asking.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer {
    pub(crate) asked: Instant,
    pub(crate) took: Duration,
}

/// Everything that the client knows.
pub(crate) struct History {
    file: Mutex<File>,
    pub(crate) answered: Mutex<BTreeMap<usize, Answered>>,
    /// Those of them that were cancelled, and the client heard so.
    pub(crate) cancelled: Mutex<BTreeSet<usize>>,
    /// What no client should ever see.
    pub(crate) odd: Mutex<Vec<String>>,
    next: AtomicUsize,
    /// Orders that were begun, and those of them that are over.
    begun: AtomicUsize,
    ended: AtomicUsize,
    /// Orders before this one may be placed.
    released: AtomicUsize,
    given_up: AtomicUsize,
    repeats: AtomicUsize,
    pub(crate) times: Mutex<Vec<Answer>>,
    /// Opens what is not open to everybody.
    token: String,
}

impl History {
    pub(crate) fn new(file: &Path, token: String) -> Result<Self> {
        Ok(Self {
            token,
            file: Mutex::new(File::create(file)?),
            answered: Mutex::default(),
            cancelled: Mutex::default(),
            odd: Mutex::default(),
            next: AtomicUsize::new(0),
            begun: AtomicUsize::new(0),
            ended: AtomicUsize::new(0),
            released: AtomicUsize::new(0),
            given_up: AtomicUsize::new(0),
            repeats: AtomicUsize::new(0),
            times: Mutex::default(),
        })
    }

    /// Lets the client place so many orders in all, so that there is load for as long as there are faults.
    pub(crate) fn release(&self, orders: usize) {
        self.released.store(orders, Ordering::Relaxed);
    }

    /// How many orders are over: answered, or given up.
    pub(crate) fn over(&self) -> usize {
        lock(&self.answered).len() + self.given_up.load(Ordering::Relaxed)
    }

    /// How many orders were begun.
    pub(crate) fn begun(&self) -> usize {
        self.begun.load(Ordering::Relaxed)
    }

    /// How many orders are under way: being placed, or cancelled.
    pub(crate) fn under_way(&self) -> usize {
        // In this order, or one that begins and ends between the two would count for less than none.
        let ended = self.ended.load(Ordering::SeqCst);
        self.begun.load(Ordering::SeqCst) - ended
    }

    /// How often an order had to be asked for once more.
    pub(crate) fn repeats(&self) -> usize {
        self.repeats.load(Ordering::Relaxed)
    }

    /// Has the client place no more.
    pub(crate) fn end(&self) {
        self.next.store(usize::MAX / 2, Ordering::Relaxed);
    }

    fn write(&self, line: &Value) {
        // The history in memory decides; the file is for whoever wants to know what happened.
        _ = writeln!(lock(&self.file), "{line}");
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Places `orders` orders at `gateways`, each until it is answered.
pub(crate) async fn place(
    history: &History,
    shop: &Shop,
    gateways: &[String],
    seed: u64,
    orders: usize,
    pace: Duration,
) -> Result<()> {
    let client = reqwest::Client::builder().timeout(PATIENCE).connect_timeout(Duration::from_secs(1)).build()?;
    let one = async |place: usize| -> Result<()> {
        loop {
            let number = history.next.fetch_add(1, Ordering::Relaxed);
            if number >= orders {
                return Ok(());
            }
            while number >= history.released.load(Ordering::Relaxed) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            let began = Instant::now();
            history.begun.fetch_add(1, Ordering::SeqCst);
            place_one(history, &client, gateways, (seed, number, place), shop.order(seed, number)).await?;
            if number.is_multiple_of(CANCELLED) {
                cancel_one(history, &client, gateways, (number, place)).await;
            }
            history.ended.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(pace.saturating_sub(began.elapsed())).await;
        }
    };
    futures(CONNECTIONS.min(orders), one).await
}

async fn futures(count: usize, one: impl AsyncFn(usize) -> Result<()>) -> Result<()> {
    let mut all: Vec<_> = (0..count).map(|place| Box::pin(one(place))).collect();
    std::future::poll_fn(|context| {
        let mut failed = None;
        all.retain_mut(|one| match one.as_mut().poll(context) {
            std::task::Poll::Pending => true,
            std::task::Poll::Ready(result) => {
                failed = failed.take().or(result.err());
                false
            }
        });
        match (failed, all.is_empty()) {
            (Some(error), _) => std::task::Poll::Ready(Err(error)),
            (None, true) => std::task::Poll::Ready(Ok(())),
            (None, false) => std::task::Poll::Pending,
        }
    })
    .await
}

async fn place_one(
    history: &History,
    client: &reqwest::Client,
    gateways: &[String],
    (seed, number, place): (u64, usize, usize),
    body: Value,
) -> Result<()> {
    let key = format!("chaos-{seed}-{number}");
    let since = Instant::now();
    for attempt in 0.. {
        history.write(&json!({ "ask": key, "attempt": attempt, "body": body }));
        let gateway = &gateways[(place + attempt) % gateways.len()];
        let mut request = client.post(format!("{gateway}/orders/")).header("Idempotency-Key", &key).json(&body);
        if body.get("customer_email").is_some() {
            request = request.bearer_auth(&history.token);
        }
        let asked = Instant::now();
        match answer(request).await {
            Ok((201, _, answer)) => {
                if attempt == 0 {
                    lock(&history.times).push(Answer { asked, took: asked.elapsed() });
                }
                history.write(&json!({ "answered": key, "answer": answer }));
                lock(&history.answered).insert(number, Answered { body, answer });
                return Ok(());
            }
            Ok((409 | 429 | 503, true, _)) | Err(_) => {}
            Ok((status, has_retry_after, answer)) => {
                let odd = format!("{status} (Retry-After: {has_retry_after}) for {key}: {answer}");
                history.write(&json!({ "odd": odd }));
                lock(&history.odd).push(odd);
            }
        }
        if since.elapsed() > LIMIT {
            lock(&history.odd).push(format!("{key} has had no answer for {LIMIT:?}"));
            history.given_up.fetch_add(1, Ordering::Relaxed);
            return Ok(());
        }
        history.repeats.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

/// Cancels an order as often as it takes to hear that it is.
async fn cancel_one(history: &History, client: &reqwest::Client, gateways: &[String], (number, place): (usize, usize)) {
    let known = lock(&history.answered).get(&number).cloned();
    let Some(known) = known.filter(|known| known.answer["status"] == "CONFIRMED") else { return };
    let (id, since) = (&known.answer["id"], Instant::now());
    for attempt in 0.. {
        history.write(&json!({ "cancel": id, "attempt": attempt }));
        let gateway = &gateways[(place + attempt) % gateways.len()];
        let request = client.post(format!("{gateway}/orders/{id}/cancel/")).bearer_auth(&history.token);
        match answer(request).await {
            Ok((200, _, answer)) if answer["status"] == "CANCELLED" => {
                history.write(&json!({ "cancelled": id }));
                lock(&history.cancelled).insert(number);
                return;
            }
            Ok((429 | 503, true, _)) | Err(_) => {}
            Ok((status, has_retry_after, answer)) => {
                let odd = format!("{status} (Retry-After: {has_retry_after}) for cancelling {id}: {answer}");
                lock(&history.odd).push(odd);
            }
        }
        if since.elapsed() > LIMIT {
            lock(&history.odd).push(format!("cancelling {id} has had no answer for {LIMIT:?}"));
            return;
        }
        history.repeats.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn answer(request: reqwest::RequestBuilder) -> Result<(u16, bool, Value)> {
    let answer = request.send().await?;
    let (status, has_retry_after) = (answer.status().as_u16(), answer.headers().contains_key("retry-after"));
    let body = answer.text().await?;
    let body = serde_json::from_str(&body).with_context(|| format!("{status}, and no JSON"))?;
    Ok((status, has_retry_after, body))
}
