#![doc = include_str!("../README.md")]

mod book;
mod config;
mod connection;
mod consumer;
mod direct;
mod error;
mod handling;
mod health;
mod lane;
mod message;
mod metrics;
pub mod operators;
mod presence;
mod publisher;
mod quarantine;
mod queues;
mod registry;
mod relay;
mod retry;
mod runner;
mod supervisor;
mod sweeper;
mod topology;
mod worker;

pub use config::{Broker, Config, ConfigError};
pub use health::{Health, Part};
pub use lane::Lane;
pub use queues::{NoAnswer, Queue, queues};
pub use registry::{Delivery, Registry, TaskError};
pub use retry::Retry;
pub use worker::Worker;
