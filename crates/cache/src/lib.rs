#![doc = include_str!("../README.md")]

mod cache;
mod config;
mod flight;
mod key;
mod link;
mod local;
mod tolerance;

pub use cache::{Cache, Error, State};
pub use config::Config;
pub use key::{Key, Outcome};
