//! TLS to PostgreSQL.
//!
//! `sslmode=require` means what it says, and more than libpq means by it: without TLS there is no connection, and the
//! server must show a certificate for the host of the URL that the system's roots vouch for (or those of the file
//! `SSL_CERT_FILE`). Any other `sslmode`, and none, goes without: `prefer` promises nothing that could be relied on.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::Socket;
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::Error;

/// What connections are secured by.
#[derive(Clone)]
pub(crate) struct Tls(Arc<ClientConfig>);

impl Tls {
    /// What `postgres` asks for: `None` for plain connections.
    ///
    /// # Errors
    /// When TLS is required and there are no roots to check a certificate against.
    pub(crate) fn of(postgres: &tokio_postgres::Config) -> Result<Option<Self>, Error> {
        if postgres.get_ssl_mode() != SslMode::Require {
            return Ok(None);
        }
        let found = rustls_native_certs::load_native_certs();
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            let why = found.errors.first().map(ToString::to_string).unwrap_or_default();
            return Err(unusable(&format!("there is no root certificate to check the server's against. {why}")));
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable(&error))?;
        Ok(Some(Self(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))))
    }
}

fn unusable(error: &dyn std::fmt::Display) -> Error {
    Error::Unavailable(format!("sslmode=require: {error}"))
}

impl MakeTlsConnect<Socket> for Tls {
    type Stream = Secured;
    type TlsConnect = ToHost;
    type Error = Error;

    fn make_tls_connect(&mut self, host: &str) -> Result<ToHost, Error> {
        let host = ServerName::try_from(host.to_owned()).map_err(|error| unusable(&error))?;
        Ok(ToHost { config: Arc::clone(&self.0), host })
    }
}

/// The way to one host.
pub(crate) struct ToHost {
    config: Arc<ClientConfig>,
    host: ServerName<'static>,
}

impl TlsConnect<Socket> for ToHost {
    type Stream = Secured;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Secured>> + Send>>;

    fn connect(self, stream: Socket) -> Self::Future {
        Box::pin(async move { TlsConnector::from(self.config).connect(self.host, stream).await.map(Secured) })
    }
}

/// A connection inside TLS.
pub(crate) struct Secured(TlsStream<Socket>);

impl tokio_postgres::tls::TlsStream for Secured {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl AsyncRead for Secured {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Secured {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().0).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_shutdown(cx)
    }
}
