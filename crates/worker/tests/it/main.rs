//! The real binary, with a real PostgreSQL and a real RabbitMQ.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

mod life;
mod mail;
mod orders;
mod process;
mod webhooks;
