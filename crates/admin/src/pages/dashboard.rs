//! What an operator wants to know first.

use std::time::{Duration, Instant};

use askama::Template;
use chrono::{DateTime, Days, NaiveTime, TimeDelta, Utc};
use orders::desk::{Count, Day};
use outbox::Backlog;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use stores::inventory::Scarce;
use tokio::sync::Mutex;
use web::Money;

use crate::desk::Desk;
use crate::list::Tone;
use crate::render::{Answer, Frame, page};
use crate::trouble::Trouble;

/// Days of the chart.
const DAYS: u64 = 30;

/// At most so many units count as little.
const LITTLE: i32 = 5;

/// Figures are kept so many times as long as it took to gather them, so that they never cost more than a twentieth of
/// one connection.
const THRIFT: u32 = 20;

/// The dear figures, as they were gathered last. Whoever comes while they are gathered waits for them.
#[derive(Default)]
pub(crate) struct Figures(Mutex<Option<(Instant, Duration, Gathered)>>);

/// What takes the longer the more there is.
#[derive(Debug, Clone)]
struct Gathered {
    days: Vec<Day>,
    rejections: Vec<Count>,
    scarce: Vec<Scarce>,
    at: DateTime<Utc>,
}

impl Figures {
    async fn get(&self, desk: &Desk) -> Result<Gathered, Trouble> {
        let mut kept = self.0.lock().await;
        if let Some((since, took, gathered)) = &*kept
            && since.elapsed() < *took * THRIFT
        {
            return Ok(gathered.clone());
        }
        let began = Instant::now();
        let gathered = gather(desk).await?;
        *kept = Some((Instant::now(), began.elapsed(), gathered.clone()));
        Ok(gathered)
    }
}

async fn gather(desk: &Desk) -> Result<Gathered, Trouble> {
    let now = desk.now()?;
    let midnight = now.date_naive().and_time(NaiveTime::MIN).and_utc();
    let conn = desk.connection().await?;
    let found = orders::desk::days(&conn, midnight - Days::new(DAYS - 1)).await?;
    let day = |ago| {
        let day = now.date_naive() - Days::new(ago);
        let none = Day { day, orders: 0, revenue: Decimal::ZERO };
        found.iter().find(|found| found.day == day).cloned().unwrap_or(none)
    };
    Ok(Gathered {
        days: (0..DAYS).rev().map(day).collect(),
        rejections: orders::desk::rejections(&conn, now - TimeDelta::days(7)).await?,
        scarce: stores::inventory::scarce(&conn, LITTLE, 10).await?,
        at: now,
    })
}

#[derive(Template)]
#[template(path = "dashboard.html")]
struct Page {
    frame: Frame,
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
    parts: Vec<Part>,
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

/// How a part of the system does.
struct Part {
    name: &'static str,
    state: String,
}

impl Part {
    fn tone(&self) -> &'static str {
        Tone::of(&self.state).class()
    }
}

/// `GET /admin/`
pub(crate) async fn show(desk: Desk) -> Answer {
    let gathered = desk.site()?.figures.get(&desk).await?;
    let mut conn = desk.connection().await?;
    let (pending, failed) = orders::desk::unsent(&conn).await?;
    let Gathered { days, rejections, scarce, at } = gathered;
    let most = days.iter().map(|day| day.revenue).max().unwrap_or_default();
    page(&Page {
        today: days.last().cloned().ok_or_else(Trouble::nothing)?,
        total_orders: days.iter().map(|day| day.orders).sum(),
        total_revenue: Money(days.iter().map(|day| day.revenue).sum()),
        bars: bars(&days, most),
        most: Money(most),
        rejections,
        scarce,
        pending,
        failed,
        backlog: outbox::backlog(&mut conn).await?,
        parts: parts(&desk).await?,
        at,
        frame: Frame::new(&desk),
    })
}

async fn parts(desk: &Desk) -> Result<Vec<Part>, Trouble> {
    let database = if desk.database()?.ping().await.is_ok() { "ok" } else { "unreachable" };
    let part = |name, state: &str| Part { name, state: state.to_owned() };
    Ok(vec![
        part("Database", database),
        part("Search index", desk.search()?.state()),
        part("Cache", desk.cache()?.check().await.as_str()),
    ])
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
