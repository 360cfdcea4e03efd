//! Signing in at the staff site: what a refusal tells by the time it takes, and what a flood costs everybody else.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures_util::future::{join, try_join_all};

use crate::cpu::{Shares, Watch};
use crate::database::BenchDatabase;
use crate::gateway::Gateway;
use crate::http::Connection;
use crate::load;
use crate::machine;
use crate::options::Options;
use crate::orders::{Basket, seed, source};
use crate::report::{Bar, Limit, Report, Table};
use crate::tally::Tally;

/// Sign-ins with a wrong password, for accounts that exist and for as many that do not.
const WRONG: usize = 200;

/// Sign-ins at once.
const FLOOD: usize = 500;

/// Clients that place orders meanwhile.
const CLIENTS: u64 = 16;

/// What a sign-in may be answered in the flood: refused, or told to come again.
const ANSWERS: [u16; 2] = [401, 503];

/// As hard to verify as any, and of no password.
const HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Measures both, and judges.
pub(crate) async fn run(options: &Options) -> Result<Report> {
    let database = BenchDatabase::create("bench_sign_ins").await?;
    let sql = database.sql().await?;
    let machine = machine::describe(&sql).await?;
    eprintln!("{machine}");
    seed::fill(&sql).await?;
    let staff = "INSERT INTO staff (email, password_hash) SELECT 'known' || n || '@shop.example', $1::text \
                 FROM generate_series(0, $2::bigint) AS n";
    sql.execute(staff, &[&HASH, &i64::try_from(WRONG)?]).await?;
    // Each attempt comes from an address of its own, so that none is slowed down.
    let settings = [("DATABASE_URL", database.url()), ("TRUSTED_PROXIES", "127.0.0.1")];
    let mut gateway = Gateway::start(&settings)?;
    gateway.until_ready(Duration::from_secs(30)).await?;
    let postmaster = database.postmaster().await?;

    let mut report = Report { title: "Sign-ins".into(), ..Report::default() };
    let [known, unknown] = medians(&gateway).await?;
    report.notes.push(format!("A wrong password: median {known:.2} ms for an account, {unknown:.2} ms for none."));
    let apart = (known / unknown - 1.0).abs() * 100.0;
    report.bars.push(Bar::new("wrong passwords, known and unknown: medians apart", apart, "%", Limit::Below(10.0)));

    let mut figures = Table::of_figures(format!("Orders by {CLIENTS} clients"));
    let (mut quiet, mut flooded) = ((Tally::new()?, Shares::default()), (Tally::new()?, Shares::default()));
    let mut streams = 0;
    for round in 1..=options.rounds {
        for (side, is_flooded) in [(&mut quiet, false), (&mut flooded, true)] {
            let sources = (streams..streams + CLIENTS).map(|stream| source(Basket::Three, false, stream)).collect();
            streams += CLIENTS;
            let watch = Watch::begin(gateway.pid(), postmaster).await;
            let until = Instant::now() + options.pace().warm_up + options.pace().measured;
            let orders = load::run(gateway.address, options.pace(), sources, crate::orders::judge);
            let (tally, served) = match is_flooded {
                true => join(orders, flood(&gateway, until)).await,
                false => (orders.await, Ok(0)),
            };
            let (tally, taken) = (tally?, watch.end());
            eprintln!("round {round}, {} sign-ins: {}, {taken}", served?, tally.in_short());
            side.0.add(&tally)?;
            side.1.add(&taken);
        }
    }
    gateway.stop().await?;
    figures.figures("nobody signs in", &quiet.0, &quiet.1);
    figures.figures(format!("{FLOOD} sign-ins at once, again and again"), &flooded.0, &flooded.1);
    report.tables.push(figures);
    let ratio = flooded.0.quantile(0.99) / quiet.0.quantile(0.99);
    report.bars.push(Bar::new("p99 of orders beside the flood over that without", ratio, "×", Limit::Below(3.0)));
    report.judge_answers([("orders".to_owned(), &quiet.0), ("orders beside the flood".to_owned(), &flooded.0)]);
    report.notes.extend([machine, options.method()]);
    Ok(report)
}

/// Milliseconds that half of the refusals stay below: for accounts that exist, and for others, in turns.
async fn medians(gateway: &Gateway) -> Result<[f64; 2]> {
    let mut connection = Connection::open(gateway.address).await?;
    let mut times = [Vec::new(), Vec::new()];
    for number in 0..WRONG {
        for (kind, times) in ["known", "absent"].into_iter().zip(&mut times) {
            let request = attempt(&format!("{kind}{number}@shop.example"), number);
            let begun = Instant::now();
            let status = connection.exchange(&request).await?.status;
            times.push(begun.elapsed().as_secs_f64() * 1_000.0);
            ensure!(status == 401, "a wrong password is answered {status}");
        }
    }
    Ok(times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[WRONG / 2]
    }))
}

/// Keeps as many sign-ins under way until then; returns how many were answered.
async fn flood(gateway: &Gateway, until: Instant) -> Result<u64> {
    let client = async |client: usize| {
        let mut connection = Connection::open(gateway.address).await?;
        let mut answered = 0;
        while Instant::now() < until {
            let number = client * 10_000 + answered;
            let request = attempt(&format!("flood{number}@shop.example"), number);
            let status = connection.exchange(&request).await?.status;
            ensure!(ANSWERS.contains(&status), "a sign-in of the flood is answered {status}");
            if status == 503 {
                // As it was told to.
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            answered += 1;
        }
        Ok::<_, anyhow::Error>(answered as u64)
    };
    let answered = try_join_all((0..FLOOD).map(client)).await.context("the flood")?;
    Ok(answered.iter().sum())
}

/// The form that a browser sends, from an address of its own.
fn attempt(email: &str, number: usize) -> Vec<u8> {
    let body = format!("email={}&password=wrong+horse+battery", email.replace('@', "%40"));
    let from = std::net::Ipv4Addr::from(0x0a00_0000 + u32::try_from(number % 0x00ff_ffff).unwrap_or_default());
    format!(
        "POST /admin/sign-in/ HTTP/1.1\r\nhost: localhost\r\nx-forwarded-for: {from}\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
