//! Asking a process whether it is alive, for containers whose image has no HTTP client.

use std::io::{Error, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

/// Whether `GET path` at `address` (`host:port` that the process listens on; `0.0.0.0` is asked on the loopback
/// address) answers 200 within two seconds.
///
/// # Errors
/// When nothing listens there, or it does not speak HTTP in time.
pub fn healthcheck(address: &str, path: &str) -> Result<bool, Error> {
    let limit = Duration::from_secs(2);
    let mut target = address.to_socket_addrs()?.next().ok_or_else(|| Error::other("no such address"))?;
    if target.ip().is_unspecified() {
        target.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    let mut stream = TcpStream::connect_timeout(&target, limit)?;
    stream.set_read_timeout(Some(limit))?;
    stream.set_write_timeout(Some(limit))?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").as_bytes())?;
    let mut status = [0; 12];
    stream.read_exact(&mut status)?;
    Ok(status.ends_with(b" 200"))
}
