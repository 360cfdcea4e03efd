//! A TCP proxy whose connections can be cut, to be the server that is down.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
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

/// Forwards a port of the loopback address to a real server, until told otherwise.
pub struct Proxy {
    address: SocketAddr,
    state: watch::Sender<State>,
}

impl Proxy {
    /// Listens on a free port and forwards to `server` (`host:port`).
    pub async fn to(server: impl Into<String>) -> Self {
        let server = server.into();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("a bound listener has an address");
        let (state, seen) = watch::channel(State::Forwarding);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, server.clone(), seen.clone()));
            }
        });
        Self { address, state }
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
}

async fn carry(mut client: TcpStream, server: String, mut state: watch::Receiver<State>) {
    loop {
        let now = *state.borrow_and_update();
        match now {
            State::Cut => return,
            State::Frozen => {
                if state.changed().await.is_err() {
                    return;
                }
            }
            State::Forwarding => break,
        }
    }
    let Ok(mut upstream) = TcpStream::connect(server).await else { return };
    loop {
        let now = *state.borrow_and_update();
        match now {
            State::Cut => return,
            State::Frozen => {
                if state.changed().await.is_err() {
                    return;
                }
            }
            State::Forwarding => tokio::select! {
                _ = copy_bidirectional(&mut client, &mut upstream) => return,
                changed = state.changed() => if changed.is_err() { return },
            },
        }
    }
}
