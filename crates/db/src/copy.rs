//! The way for bulk work: a connection outside the pool that can COPY, which diesel cannot.
//!
//! The same rule as for [`Tx`](crate::Tx) holds: a command that writes takes a [`BulkTx`], so it commits or fails
//! with everything else of its transaction. Both types deref to the bare client for statements.

use std::fmt::Display;
use std::io::{Cursor, Write};
use std::ops::Deref;
use std::pin::Pin;

use futures_util::SinkExt;
use tokio_postgres::{Client, CopyInSink, NoTls, Transaction};

use crate::pool::postgres_config;
use crate::tls::Tls;
use crate::{Config, Error};

/// Sent to the server in pieces of about this size.
const PIECE: usize = 64 * 1024;

/// A connection of its own, closed when dropped.
pub struct Session {
    client: Client,
}

impl Session {
    /// Connects under the limits of `config`.
    ///
    /// # Errors
    /// When the URL cannot be parsed, or the server not be reached.
    pub async fn open(config: &Config) -> Result<Self, Error> {
        let postgres = postgres_config(config)?;
        let client = match Tls::of(&postgres)? {
            None => {
                let (client, connection) = postgres.connect(NoTls).await?;
                drive(connection);
                client
            }
            Some(tls) => {
                let (client, connection) = postgres.connect(tls).await?;
                drive(connection);
                client
            }
        };
        Ok(Self { client })
    }

    /// Begins a transaction (READ COMMITTED), rolled back unless [committed](BulkTx::commit).
    ///
    /// # Errors
    /// When the connection is lost.
    pub async fn begin(&mut self) -> Result<BulkTx<'_>, Error> {
        Ok(BulkTx { tx: self.client.transaction().await? })
    }
}

fn drive(connection: impl Future<Output = Result<(), tokio_postgres::Error>> + Send + 'static) {
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "the bulk connection ended");
        }
    });
}

impl Deref for Session {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

/// Proof of being inside a transaction of a [`Session`].
pub struct BulkTx<'s> {
    tx: Transaction<'s>,
}

impl BulkTx<'_> {
    /// Makes everything done in it last.
    ///
    /// # Errors
    /// When the connection is lost; whether it was committed is then unknown.
    pub async fn commit(self) -> Result<(), Error> {
        Ok(self.tx.commit().await?)
    }
}

impl Deref for BulkTx<'_> {
    type Target = Client;

    fn deref(&self) -> &Client {
        self.tx.client()
    }
}

/// A `COPY … FROM STDIN` under way, in text format: fields one after the other, then [`end_row`](CopyIn::end_row).
/// Dropped before [`finish`](CopyIn::finish), it copies nothing.
pub struct CopyIn {
    sink: Pin<Box<CopyInSink<Cursor<Vec<u8>>>>>,
    piece: Vec<u8>,
    inside_row: bool,
}

impl CopyIn {
    /// Begins `statement`, which must be a `COPY … FROM STDIN` in the default format.
    ///
    /// # Errors
    /// When the server refuses it.
    pub async fn begin(client: &Client, statement: &str) -> Result<Self, Error> {
        let sink = Box::pin(client.copy_in(statement).await?);
        Ok(Self { sink, piece: Vec::with_capacity(PIECE + PIECE / 4), inside_row: false })
    }

    /// A field of text; it must hold no NUL, which PostgreSQL cannot store.
    pub fn text(&mut self, text: &str) {
        self.separate();
        let mut rest = text.as_bytes();
        while let Some(at) = rest.iter().position(|byte| matches!(byte, b'\\' | b'\n' | b'\r' | b'\t')) {
            self.piece.extend_from_slice(&rest[..at]);
            self.piece.extend_from_slice(match rest[at] {
                b'\n' => b"\\n",
                b'\r' => b"\\r",
                b'\t' => b"\\t",
                _ => b"\\\\",
            });
            rest = &rest[at + 1..];
        }
        self.piece.extend_from_slice(rest);
    }

    /// A field whose written form holds no tab, line break or backslash: a number, a decimal, a time.
    pub fn value(&mut self, value: impl Display) {
        self.separate();
        _ = write!(self.piece, "{value}");
    }

    /// A field that is NULL.
    pub fn null(&mut self) {
        self.separate();
        self.piece.extend_from_slice(b"\\N");
    }

    /// Ends the row, and sends what has gathered when it is enough.
    ///
    /// # Errors
    /// When the connection is lost, or the server refused an earlier row.
    pub async fn end_row(&mut self) -> Result<(), Error> {
        self.piece.push(b'\n');
        self.inside_row = false;
        if self.piece.len() >= PIECE {
            let piece = std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE + PIECE / 4));
            self.sink.feed(Cursor::new(piece)).await?;
        }
        Ok(())
    }

    /// Ends the copy; returns how many rows it brought.
    ///
    /// # Errors
    /// When the server refuses a row, or a constraint does.
    pub async fn finish(mut self) -> Result<u64, Error> {
        let piece = std::mem::take(&mut self.piece);
        self.sink.feed(Cursor::new(piece)).await?;
        Ok(self.sink.as_mut().finish().await?)
    }

    fn separate(&mut self) {
        if self.inside_row {
            self.piece.push(b'\t');
        }
        self.inside_row = true;
    }
}
