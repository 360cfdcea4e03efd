//! What an operator wants to know first.

mod health;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use askama::Template;
use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Utc};
use db::{Connection, Database};
use orders::desk::{Count, Day};
use outbox::Backlog;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use stores::inventory::Scarce;
use tokio::sync::{Mutex, Notify};
use web::Money;

use crate::desk::Desk;
use crate::render::{Answer, Frame, page};
use crate::trouble::Trouble;

/// Days of the chart.
const DAYS: u64 = 30;

/// At most so many units count as little.
const LITTLE: i32 = 5;

/// Figures are kept so many times as long as it took to gather them, so that they never cost more than a twentieth of
/// one connection.
const THRIFT: u32 = 20;

/// How long gathering may take; it is nobody's request.
const LIMIT: Duration = Duration::from_secs(60);

/// Figures of so long ago are shown only to whom new ones do not come in time.
const STALE: TimeDelta = TimeDelta::seconds(10);

/// How long somebody waits for figures who would see none otherwise, or those of long ago.
const PATIENCE: Duration = Duration::from_secs(3);

/// The dear figures, as they were gathered last. They are gathered in the background, one time at a time; meanwhile the
/// last ones are shown.
#[derive(Default)]
pub(crate) struct Figures {
    kept: RwLock<Option<Arc<Kept>>>,
    /// Held by whoever gathers.
    turn: Mutex<()>,
    /// Told when there are new ones.
    gathered: Notify,
}

struct Kept {
    since: Instant,
    took: Duration,
    gathered: Gathered,
}

/// What takes the longer the more there is.
#[derive(Debug, Clone)]
struct Gathered {
    days: Vec<Day>,
    rejections: Vec<Count>,
    scarce: Vec<Scarce>,
    at: DateTime<Utc>,
}

impl Figures {
    /// The latest; `None` where there are none yet and gathering takes long.
    async fn get(self: &Arc<Self>, desk: &Desk) -> Result<Option<Gathered>, Trouble> {
        let told = self.gathered.notified();
        let kept = self.kept();
        if kept.as_ref().is_none_or(|kept| kept.since.elapsed() >= kept.took * THRIFT) {
            let (this, database, now) = (self.clone(), desk.database()?.clone(), desk.now()?);
            tokio::spawn(async move { this.renew(&database, now).await });
            if kept.is_none_or(|kept| now - kept.gathered.at >= STALE) {
                _ = tokio::time::timeout(PATIENCE, told).await;
            }
        }
        Ok(self.kept().map(|kept| kept.gathered.clone()))
    }

    fn kept(&self) -> Option<Arc<Kept>> {
        self.kept.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn renew(&self, database: &Database, now: DateTime<Utc>) {
        let Ok(_turn) = self.turn.try_lock() else { return };
        let began = Instant::now();
        let gathered = database.transaction::<_, db::Error, _>(move |tx| {
            Box::pin(async move {
                tx.limit_statements(LIMIT).await?;
                gather(tx, now).await
            })
        });
        match gathered.await {
            Ok(gathered) => {
                let kept = Kept { since: Instant::now(), took: began.elapsed(), gathered };
                *self.kept.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(kept));
            }
            Err(error) => tracing::warn!(%error, "the dashboard's figures were not gathered"),
        }
        self.gathered.notify_waiters();
    }
}

async fn gather(conn: &Connection, now: DateTime<Utc>) -> Result<Gathered, db::Error> {
    let midnight = now.date_naive().and_time(NaiveTime::MIN).and_utc();
    let found = orders::desk::days(conn, midnight - Days::new(DAYS - 1)).await?;
    let day = |ago| {
        let day = now.date_naive() - Days::new(ago);
        found.iter().find(|found| found.day == day).cloned().unwrap_or_else(|| nothing(day))
    };
    Ok(Gathered {
        days: (0..DAYS).rev().map(day).collect(),
        rejections: orders::desk::rejections(conn, now - TimeDelta::days(7)).await?,
        scarce: stores::inventory::scarce(conn, LITTLE, 10).await?,
        at: now,
    })
}

fn nothing(day: NaiveDate) -> Day {
    Day { day, orders: 0, revenue: Decimal::ZERO }
}

#[derive(Template)]
#[template(path = "dashboard.html")]
struct Page {
    frame: Frame,
    /// Whether the figures that take time are there.
    is_gathered: bool,
    today: Day,
    total_orders: i64,
    total_revenue: Money,
    bars: Vec<Bar>,
    most: Money,
    rejections: Vec<Count>,
    scarce: Vec<Scarce>,
    /// Confirmations that are still tried, and those that were given up.
    pending: i64,
    failed: i64,
    backlog: Backlog,
    parts: Vec<health::Part>,
    at: DateTime<Utc>,
}

/// A bar of the chart, in its own units: 30 bars, 20 apart, 120 high.
struct Bar {
    x: usize,
    y: u32,
    height: u32,
    label: String,
    /// Written below every fifth bar.
    tick: Option<String>,
    /// Whether that is left out where room is scarce.
    is_minor: bool,
}

/// `GET /admin/`
pub(crate) async fn show(desk: Desk) -> Answer {
    let gathered = desk.site()?.figures.get(&desk).await?;
    let mut conn = desk.connection().await?;
    let (pending, failed) = orders::desk::unsent(&conn).await?;
    let is_gathered = gathered.is_some();
    let now = desk.now()?;
    let none = || Gathered { days: Vec::new(), rejections: Vec::new(), scarce: Vec::new(), at: now };
    let Gathered { days, rejections, scarce, at } = gathered.unwrap_or_else(none);
    let most = days.iter().map(|day| day.revenue).max().unwrap_or_default();
    page(&Page {
        is_gathered,
        today: days.last().cloned().unwrap_or_else(|| nothing(now.date_naive())),
        total_orders: days.iter().map(|day| day.orders).sum(),
        total_revenue: Money(days.iter().map(|day| day.revenue).sum()),
        bars: bars(&days, most),
        most: Money(most),
        rejections,
        scarce,
        pending,
        failed,
        backlog: outbox::backlog(&mut conn).await?,
        parts: health::parts(&desk, &mut conn).await?,
        at,
        frame: Frame::new(&desk),
    })
}

fn bars(days: &[Day], most: Decimal) -> Vec<Bar> {
    const HIGH: u32 = 120;
    let bar = |(place, day): (usize, &Day)| {
        let part = if most.is_zero() { Decimal::ZERO } else { day.revenue / most * Decimal::from(HIGH) };
        // What there is can be seen, however small.
        let least = u32::from(day.orders > 0) * 2;
        let height = part.to_u32().unwrap_or(0).clamp(least, HIGH);
        Bar {
            x: place * 20,
            y: HIGH - height,
            height,
            label: format!("{}: {} orders, {}", day.day, day.orders, Money(day.revenue)),
            is_minor: !place.is_multiple_of(10),
            tick: place.is_multiple_of(5).then(|| day.day.format("%-d %b").to_string()),
        }
    };
    days.iter().enumerate().map(bar).collect()
}
