#![doc = include_str!("../README.md")]

mod config;
mod connection;
mod consumer;
mod direct;
mod error;
mod health;
mod message;
mod metrics;
mod publisher;
mod registry;
mod relay;
mod retry;
mod runner;
mod supervisor;
mod topology;
mod worker;

pub use config::{Broker, Config, ConfigError};
pub use health::{Health, Part};
pub use registry::{Delivery, Registry, TaskError};
pub use retry::Retry;
pub use worker::Worker;
