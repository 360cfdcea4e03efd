#![doc = include_str!("../README.md")]

mod advice;
mod closeness;
mod config;
mod error;
mod facets;
mod filters;
mod find;
#[cfg(test)]
mod fixture;
mod fold;
mod follower;
#[cfg(test)]
mod fuzz;
mod highlight;
mod http;
mod limit;
mod queries;
mod ranking;
mod schema;
mod search;
mod snapshot;
mod titles;

pub use config::{Config, ConfigError};
pub use error::Error;
pub use facets::{CategoryCount, Facets, PriceCount};
pub use filters::Filters;
pub use find::{Query, Sort};
pub use http::routes;
pub use queries::Shown;
pub use search::{Answer, Search, View};

/// Runs work that takes milliseconds of computing off the web server's workers, which have other requests to answer.
async fn compute<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
