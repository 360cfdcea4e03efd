//! A TCP proxy whose connections can be cut, to be the server that is down.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    Forwarding,
    /// Connections are closed, new ones refused (accepted and dropped at once).
    Cut,
    /// Connections stay open and nothing passes: a server that hangs.
    Frozen,
}

/// When the connection of one client is to be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The server never gets to see what the client sent.
    Before,
    /// The server gets it, and the client no answer.
    After,
    /// The server has answered, and the client never gets to see that.
    Unheard,
}

/// What cuts a connection.
#[derive(Debug, Clone, Copy)]
struct Trap {
    moment: Moment,
    /// What is waited for, in one piece.
    bytes: &'static [u8],
    /// Whether the server is down from then on, as after [`Proxy::cut`].
    for_good: bool,
}

type Armed = Arc<Mutex<Option<Trap>>>;

/// Forwards a port of the loopback address to a real server, until told otherwise.
pub struct Proxy {
    address: SocketAddr,
    state: Arc<watch::Sender<State>>,
    trap: Armed,
}

impl Proxy {
    /// Listens on a free port and forwards to `server` (`host:port`).
    pub async fn to(server: impl Into<String>) -> Self {
        let server = server.into();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("a bound listener has an address");
        let (state, seen) = watch::channel(State::Forwarding);
        let (state, trap) = (Arc::new(state), Armed::default());
        let (down, known) = (Arc::downgrade(&state), Arc::clone(&trap));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (server, seen, down, known) = (server.clone(), seen.clone(), down.clone(), Arc::clone(&known));
                tokio::spawn(async move {
                    if carry(client, server, seen, known).await.is_some_and(|trap| trap.for_good)
                        && let Some(state) = down.upgrade()
                    {
                        state.send_replace(State::Cut);
                    }
                });
            }
        });
        Self { address, state, trap }
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// `host:port` that it listens on.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// The server is down: every connection is closed, and no new one gets through.
    pub fn cut(&self) {
        self.state.send_replace(State::Cut);
    }

    /// The server hangs: nothing passes, nothing is closed.
    pub fn freeze(&self) {
        self.state.send_replace(State::Frozen);
    }

    /// The server is back. Connections that froze go on.
    pub fn heal(&self) {
        self.state.send_replace(State::Forwarding);
    }

    /// Cuts one connection, once: that of the next client that sends these bytes, or is sent them.
    pub fn cut_once(&self, moment: Moment, bytes: &'static [u8]) {
        self.arm(Trap { moment, bytes, for_good: false });
    }

    /// The same, and the server is down from then on.
    pub fn cut_for_good(&self, moment: Moment, bytes: &'static [u8]) {
        self.arm(Trap { moment, bytes, for_good: true });
    }

    fn arm(&self, trap: Trap) {
        *self.trap.lock().unwrap_or_else(PoisonError::into_inner) = Some(trap);
    }

    /// Whether [`cut_once`](Self::cut_once) still waits for its bytes.
    pub fn is_armed(&self) -> bool {
        self.trap.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }
}

/// Forwards until either side ends or the connection is cut; what cut it, if it was a trap.
async fn carry(client: TcpStream, server: String, mut state: watch::Receiver<State>, armed: Armed) -> Option<Trap> {
    pass(&mut state).await.ok()?;
    let upstream = TcpStream::connect(server).await.ok()?;
    _ = (client.set_nodelay(true), upstream.set_nodelay(true));
    let (client_reads, client_writes) = client.into_split();
    let (upstream_reads, upstream_writes) = upstream.into_split();
    let asks: &[Moment] = &[Moment::Before, Moment::After];
    let there = forward(client_reads, upstream_writes, state.clone(), &armed, asks);
    let back = forward(upstream_reads, client_writes, state.clone(), &armed, &[Moment::Unheard]);
    // Whatever ends this closes both.
    tokio::select! {
        ended = async { tokio::try_join!(there, back) } => ended.err().flatten(),
        _ = state.wait_for(|state| *state == State::Cut) => None,
    }
}

/// Waits until bytes may pass.
async fn pass(state: &mut watch::Receiver<State>) -> io::Result<()> {
    match state.wait_for(|state| *state != State::Frozen).await.as_deref() {
        Ok(State::Forwarding) => Ok(()),
        _ => Err(io::ErrorKind::ConnectionAborted.into()),
    }
}

/// Forwards until the end, which is passed on; an error is the trap that sprang, of one of these moments, or none.
async fn forward(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut state: watch::Receiver<State>,
    armed: &Armed,
    moments: &[Moment],
) -> Result<(), Option<Trap>> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let length = from.read(&mut buffer).await.map_err(|_| None)?;
        pass(&mut state).await.map_err(|_| None)?;
        if length == 0 {
            return to.shutdown().await.map_err(|_| None);
        }
        let sprung = spring(armed, moments, &buffer[..length]);
        if sprung.is_none_or(|trap| trap.moment == Moment::After) {
            to.write_all(&buffer[..length]).await.map_err(|_| None)?;
        }
        if sprung.is_some() {
            return Err(sprung);
        }
    }
}

/// Disarms the trap if it is of one of these moments, and these bytes are what it waits for.
fn spring(armed: &Armed, moments: &[Moment], passing: &[u8]) -> Option<Trap> {
    let mut armed = armed.lock().unwrap_or_else(PoisonError::into_inner);
    let trap = armed.filter(|trap| moments.contains(&trap.moment))?;
    let found = passing.windows(trap.bytes.len()).any(|window| window == trap.bytes);
    if found {
        *armed = None;
    }
    found.then_some(trap)
}
