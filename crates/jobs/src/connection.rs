//! A connection that can be thrown away for good.
//!
//! lapin drives each connection on a thread of its own, which lives as long as the socket: after a handshake with a
//! server that hangs, or behind an alarm that blocks every write, dropping the connection ends nothing. So we keep a
//! second handle on the socket and shut that down.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::ops::Deref;
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lapin::ConnectionProperties;
use lapin::tcp::{AsyncTcpStream, TLSConfig};
use lapin::uri::{AMQPScheme, AMQPUri};

use crate::config::Broker;
use crate::error::{Lapse, bounded};

/// The longest that a step of the protocol may take.
pub(crate) const STEP: Duration = Duration::from_secs(5);

/// The longest that saying good-bye may take.
const FAREWELL: Duration = Duration::from_secs(1);

/// A connection to the broker. Dropping it cuts the socket.
pub(crate) struct Connection {
    connection: lapin::Connection,
    _lifeline: Lifeline,
}

impl Connection {
    /// Connects; the server's lists call it `name`.
    pub(crate) async fn open(broker: &Broker, name: &str) -> Result<Self, Lapse> {
        let lifeline = Lifeline::default();
        let line = lifeline.0.clone();
        let opening = lapin::Connection::connector(
            broker.uri().clone(),
            lapin::runtime::default_runtime()?,
            async move |uri: AMQPUri, runtime| {
                let host = uri.authority.host.as_str();
                let addresses: Vec<SocketAddr> = tokio::net::lookup_host((host, uri.authority.port)).await?.collect();
                let connecting = tokio::time::timeout(STEP, AsyncTcpStream::connect(&runtime, addresses));
                let stream = connecting.await.map_err(io::Error::from)??;
                if let AsyncTcpStream::Plain(socket) = &stream {
                    hold(&line, socket.get_ref().as_fd().try_clone_to_owned()?.into())?;
                }
                Ok(match uri.scheme {
                    AMQPScheme::AMQP => stream,
                    AMQPScheme::AMQPS => stream.into_tls(host, TLSConfig::default()).await?,
                })
            },
            ConnectionProperties::default().with_connection_name(name.into()),
        );
        let connection = bounded("connecting to the broker", STEP, opening).await?;
        Ok(Self { connection, _lifeline: lifeline })
    }

    /// Whether the server said that it takes no messages for now.
    pub(crate) fn blocked(&self) -> bool {
        self.connection.status().blocked()
    }

    /// Closes it in form, if that goes quickly, and in any case.
    pub(crate) async fn close(self) {
        // The socket is cut right after, so how the good-bye went does not matter.
        _ = tokio::time::timeout(FAREWELL, self.connection.close(200, "OK".into())).await;
    }
}

impl Deref for Connection {
    type Target = lapin::Connection;

    fn deref(&self) -> &lapin::Connection {
        &self.connection
    }
}

#[derive(Debug, Default)]
enum Line {
    #[default]
    NotYet,
    Held(TcpStream),
    Cut,
}

/// Shuts the socket down when dropped, or as soon as there is one.
#[derive(Default)]
struct Lifeline(Arc<Mutex<Line>>);

impl Drop for Lifeline {
    fn drop(&mut self) {
        let line = std::mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), Line::Cut);
        if let Line::Held(socket) = line {
            // Fails when the connection is gone already, which is what we want.
            _ = socket.shutdown(Shutdown::Both);
        }
    }
}

fn hold(line: &Mutex<Line>, socket: TcpStream) -> io::Result<()> {
    let mut line = line.lock().unwrap_or_else(PoisonError::into_inner);
    if matches!(*line, Line::Cut) {
        return Err(io::ErrorKind::ConnectionAborted.into());
    }
    *line = Line::Held(socket);
    Ok(())
}
