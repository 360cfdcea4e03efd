//! A TCP proxy between a process and a server, that delays and cuts.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// At which words of the conversation a link is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Frame {
    /// A transaction's COMMIT went to PostgreSQL: did it happen or not?
    Commit,
    /// PostgreSQL answered a COMMIT: it happened, and nobody hears so.
    Committed,
    /// A message went to RabbitMQ: the relay never sees its confirm.
    Publish,
    /// An acknowledgement went to RabbitMQ.
    Ack,
}

impl Frame {
    /// Whether it is the server's, which then does not arrive.
    fn is_answer(self) -> bool {
        self == Self::Committed
    }

    /// Bytes that only occur in such a frame, or nearly so.
    fn bytes(self) -> &'static [u8] {
        match self {
            Self::Commit => b"COMMIT\0",
            // CommandComplete.
            Self::Committed => b"C\0\0\0\x0bCOMMIT\0",
            // Class basic (60), method publish (40) and ack (80).
            Self::Publish => &[0, 60, 0, 40],
            Self::Ack => &[0, 60, 0, 80],
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct State {
    is_cut: bool,
    delay: Duration,
    cut_after: Option<Frame>,
}

/// One way to a server.
pub(crate) struct Link {
    pub(crate) name: &'static str,
    address: SocketAddr,
    state: Arc<watch::Sender<State>>,
}

/// How long a frame is waited for after which a connection is to be cut. Workers that lost their broker take a while.
const UNSEEN: Duration = Duration::from_secs(20);

impl Link {
    /// Listens on a free port and forwards to `port` of this machine.
    pub(crate) async fn to(name: &'static str, port: u16) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let state = Arc::new(watch::Sender::new(State::default()));
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, port, shared.clone()));
            }
        });
        Ok(Self { name, address, state })
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Ends every connection and lets none through.
    pub(crate) fn cut(&self) {
        self.state.send_modify(|state| state.is_cut = true);
    }

    /// Holds everything back for up to so long.
    pub(crate) fn delay(&self, delay: Duration) {
        self.state.send_modify(|state| state.delay = delay);
    }

    /// Cuts one connection right after such a frame went through, or instead of its answer. Whether one did, soon.
    pub(crate) async fn cut_after(&self, frame: Frame) -> bool {
        self.state.send_modify(|state| state.cut_after = Some(frame));
        let mut seen = self.state.subscribe();
        let has_sprung = tokio::time::timeout(UNSEEN, seen.wait_for(|state| state.cut_after.is_none())).await.is_ok();
        self.state.send_modify(|state| state.cut_after = None);
        has_sprung
    }

    /// As good as new.
    pub(crate) fn heal(&self) {
        self.state.send_replace(State::default());
    }
}

async fn carry(client: TcpStream, port: u16, state: Arc<watch::Sender<State>>) {
    if state.borrow().is_cut {
        return;
    }
    let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await else { return };
    _ = (client.set_nodelay(true), server.set_nodelay(true));
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    let mut cut = state.subscribe();
    tokio::select! {
        () = pump(from_client, to_server, &state, true) => {}
        () = pump(from_server, to_client, &state, false) => {}
        _ = cut.wait_for(|state| state.is_cut) => {}
    }
}

/// Forwards until one end closes, or a frame comes at which the link is to be cut.
async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, state: &watch::Sender<State>, is_upstream: bool) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let Ok(length) = from.read(&mut buffer).await else { return };
        if length == 0 {
            return;
        }
        let now = *state.borrow();
        if now.delay > Duration::ZERO {
            let share = rand::random_range(0.0..1.0);
            tokio::time::sleep(now.delay.mul_f64(share)).await;
        }
        let is_here = |frame: &Frame| {
            frame.is_answer() != is_upstream
                && buffer[..length].windows(frame.bytes().len()).any(|window| window == frame.bytes())
        };
        let is_cut =
            now.cut_after.filter(is_here).is_some() && state.send_if_modified(|state| state.cut_after.take().is_some());
        let is_lost = is_cut && !is_upstream;
        if is_lost || to.write_all(&buffer[..length]).await.is_err() || is_cut {
            return;
        }
    }
}
