//! A client that costs little, since it shares the processor with what it measures: one connection kept open, requests
//! that are bytes already, answers of known length.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// More headers than any answer of ours has.
const HEADERS: usize = 64;

/// A connection that is kept open between requests.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Reply<'b> {
    /// Status.
    pub(crate) status: u16,
    /// Whether it says `X-Cache: hit`.
    pub(crate) is_hit: bool,
    /// Body.
    pub(crate) body: &'b [u8],
}

/// What the head of an answer says.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    is_hit: bool,
    /// Bytes of the head.
    length: usize,
    /// Bytes of the body.
    body: usize,
}

impl Connection {
    /// Connects.
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(16 * 1024) })
    }

    /// Sends a request and reads its answer.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> Result<Reply<'_>> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let mut head = None;
        loop {
            let read = self.stream.read_buf(&mut self.buffer).await?;
            ensure!(read > 0, "the connection was closed in the middle of an answer");
            if head.is_none() {
                head = parse(&self.buffer)?;
            }
            let Some(Head { status, is_hit, length, body }) = head else { continue };
            if self.buffer.len() >= length + body {
                return Ok(Reply { status, is_hit, body: &self.buffer[length..length + body] });
            }
        }
    }
}

/// Reads the head, once all of it has come.
fn parse(received: &[u8]) -> Result<Option<Head>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut answer = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(length) = answer.parse(received)? else { return Ok(None) };
    let mut head = Head { status: answer.code.unwrap_or_default(), is_hit: false, length, body: 0 };
    for header in answer.headers {
        match header.name {
            name if name.eq_ignore_ascii_case("content-length") => {
                head.body = std::str::from_utf8(header.value)?.parse().context("Content-Length")?;
            }
            name if name.eq_ignore_ascii_case("transfer-encoding") => bail!("answers without a length are not read"),
            name if name.eq_ignore_ascii_case("x-cache") => head.is_hit = header.value == b"hit",
            _ => {}
        }
    }
    Ok(Some(head))
}

/// Writes a GET request of `target`.
pub(crate) fn get(request: &mut Vec<u8>, target: &str) {
    for part in ["GET ", target, " HTTP/1.1\r\nhost: localhost\r\n\r\n"] {
        request.extend_from_slice(part.as_bytes());
    }
}

/// Writes a GET request of `target` by whoever has this cookie.
pub(crate) fn get_as(request: &mut Vec<u8>, target: &str, cookie: &str) {
    for part in ["GET ", target, " HTTP/1.1\r\nhost: localhost\r\ncookie: ", cookie, "\r\n\r\n"] {
        request.extend_from_slice(part.as_bytes());
    }
}

/// Writes a POST request of JSON, with an idempotency key if there is one.
pub(crate) fn post(request: &mut Vec<u8>, target: &str, key: Option<u128>, body: &str) {
    use std::io::Write;

    _ = write!(request, "POST {target} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n");
    if let Some(key) = key {
        _ = write!(request, "idempotency-key: {key:032x}\r\n");
    }
    _ = write!(request, "content-length: {}\r\n\r\n{body}", body.len());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read_once_they_are_whole() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Cache: hit\r\n\r\n{}";
        assert_eq!(parse(&answer[..40]).unwrap(), None);
        let head = parse(answer).unwrap().unwrap();
        assert_eq!((head.status, head.is_hit, head.body), (200, true, 2));
        assert_eq!(&answer[head.length..], b"{}");
        assert!(parse(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").is_err());
    }

    #[test]
    fn requests_are_whole() {
        let mut request = Vec::new();
        post(&mut request, "/orders/", Some(255), "{}");
        let request = String::from_utf8(request).unwrap();
        assert!(request.starts_with("POST /orders/ HTTP/1.1\r\n"), "{request}");
        assert!(request.contains("idempotency-key: 000000000000000000000000000000ff\r\n"), "{request}");
        assert!(request.ends_with("content-length: 2\r\n\r\n{}"), "{request}");
    }
}
