#![doc = include_str!("../README.md")]

mod closeness;
mod config;
mod error;
mod explain;
mod facets;
mod filters;
mod find;
mod fold;
mod follow;
mod highlight;
mod http;
mod index;
mod limit;
mod operate;
mod queries;
mod query;
mod schema;
mod search;
mod stem;
#[cfg(test)]
mod tests;

pub use config::{Config, ConfigError};
pub use error::Error;
pub use explain::{Explanation, Found, Word};
pub use facets::{CategoryCount, Facets, PriceCount};
pub use filters::Filters;
pub use find::{DEEPEST, Query, Sort};
pub use http::routes;
pub use operate::{IndexStatus, Status, everything_changed, explain, request_rebuild, status};
pub use queries::Shown;
pub use search::{Answer, Search, View};

/// Runs work that takes milliseconds of computing off the web server's workers, which have other requests to answer.
async fn compute<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
