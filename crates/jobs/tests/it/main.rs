//! Relay, consumer and the way without a broker, against a real PostgreSQL and a real RabbitMQ.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

mod bars;
mod bench;
mod broker;
mod crashes;
mod direct;
mod faults;
mod lanes;
mod waking;
mod watchdog;
