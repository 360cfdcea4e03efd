//! The closed loop: each connection sends its next request when the answer to the one before has come.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use futures_util::future::try_join_all;

use crate::http::{Connection, Reply};
use crate::options::Pace;
use crate::tally::{Tally, Verdict};

/// Writes the next request of one connection.
pub(crate) type Source<'s> = Box<dyn FnMut(&mut Vec<u8>) + 's>;

/// What judges an answer.
pub(crate) type Judge = fn(&Reply) -> Verdict;

/// When the load is over, an answer may take this much longer before the run fails.
const GRACE: Duration = Duration::from_secs(30);

/// The time that is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    begin: Instant,
    end: Instant,
}

impl Window {
    /// Begins after the warm-up, from now.
    pub(crate) fn opening_now(pace: Pace) -> Self {
        let begin = Instant::now() + pace.warm_up;
        Self { begin, end: begin + pace.measured }
    }

    /// Whether a request that begins now still belongs to it, or to the warm-up.
    pub(crate) fn is_open(&self) -> bool {
        Instant::now() < self.end
    }

    /// The latency of a request that ends now; none if it was begun in the warm-up.
    ///
    /// Requests belong to the window in which they begin, so slow ones are not lost at its end.
    pub(crate) fn latency(&self, begun: Instant) -> Option<Duration> {
        (begun >= self.begin).then(|| begun.elapsed())
    }
}

/// Loads the server at `address`, with a connection for each of `sources`.
pub(crate) async fn run(address: SocketAddr, pace: Pace, sources: Vec<Source<'_>>, judge: Judge) -> Result<Tally> {
    let connections = try_join_all(sources.iter().map(|_| Connection::open(address))).await?;
    let tally = RefCell::new(Tally::new()?);
    let window = Window::opening_now(pace);
    let clients = connections
        .into_iter()
        .zip(sources)
        .map(|(connection, source)| drive(connection, source, window, judge, &tally));
    let limit = pace.warm_up + pace.measured + GRACE;
    tokio::time::timeout(limit, try_join_all(clients)).await.context("some requests are never answered")??;
    let mut tally = tally.into_inner();
    tally.lasted(pace.measured);
    Ok(tally)
}

async fn drive(
    mut connection: Connection,
    mut source: Source<'_>,
    window: Window,
    judge: Judge,
    tally: &RefCell<Tally>,
) -> Result<()> {
    let mut request = Vec::with_capacity(1024);
    while window.is_open() {
        request.clear();
        source(&mut request);
        let begun = Instant::now();
        let reply = connection.exchange(&request).await?;
        let latency = window.latency(begun);
        tally.borrow_mut().count(judge(&reply), latency);
    }
    Ok(())
}

/// What was wrong with an answer, in short.
pub(crate) fn bad(reply: &Reply) -> Verdict {
    let body: String = String::from_utf8_lossy(reply.body).chars().take(300).collect();
    Verdict::Bad(format!("{} {body}", reply.status))
}
